"""dnn_train: dense neural networks, trained by all ranks of an MPI program.

    from mpi4py import MPI
    import dnn_train

    trainer = dnn_train.Trainer(MPI.COMM_WORLD, hidden=[64, 32], task="numbers")
    trainer.fit(x, y, ids=cells)      # this rank's rows; the data set is those of all ranks
    answers = trainer.predict(x)
    trainer.save("model.dnn")         # for dnn_predict and dnn_model, too

and, in scikit-learn's manner, DNNClassifier and DNNRegressor.
"""

import os as _os

import numpy as _np

# GCC's OpenMP, which comes with the library, reads how long threads that wait spin before they sleep only when it is
# loaded; by itself, milliseconds.
_is_unset = not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & _os.environ.keys()
if _is_unset:
    _os.environ["GOMP_SPINCOUNT"] = "3000"
from ._core import Error, Fit, Step, version as _version  # noqa: E402

if _is_unset:
    del _os.environ["GOMP_SPINCOUNT"]

__version__ = _version()
__all__ = ["Trainer", "Error", "Fit", "Step", "DNNClassifier", "DNNRegressor"]


def __getattr__(name):
    # scikit-learn takes a second to import, and not everybody has it.
    if name in ("DNNClassifier", "DNNRegressor"):
        from . import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _toml(value):
    if isinstance(value, (bool, _np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, _np.integer)):
        return str(int(value))
    if isinstance(value, (float, _np.floating)):
        return repr(float(value))
    if isinstance(value, (list, tuple, _np.ndarray)):
        return "[" + ", ".join(_toml(element) for element in value) + "]"
    text = str(value)
    escaped = "".join(
        f"\\{c}" if c in '"\\' else c if ord(c) >= 32 and ord(c) != 127 else f"\\u{ord(c):04x}" for c in text
    )
    return f'"{escaped}"'


def _options(options):
    """The TOML text of keyword arguments: batch_size=32 is the option batch-size."""
    return "\n".join(
        f"{name.replace('_', '-')} = {_toml(value)}" for name, value in options.items() if value is not None
    )


def _numbers(array, name):
    """`array` as one of two dimensions of float32 or float64, without a copy where it is one."""
    array = _np.asarray(array)
    if array.dtype != _np.float32 and array.dtype != _np.float64:
        array = array.astype(_np.float64)
    if array.ndim == 1 and name == "targets":
        array = array[:, _np.newaxis]
    return array


class Trainer:
    """Trains one network on all ranks of a communicator.

    `communicator`: mpi4py's, or none for this process alone. `log`: called with each line that the
    programs print, on rank 0. `after_epoch`: called on every rank after each epoch of a fit, as
    after_epoch(epoch, epochs, loss, validation_loss, validation_accuracy); where it returns False on
    any rank, the fit ends. Options are those of `dnn_train --help` under Network, Training and
    Ranks, with _ for -, and: classes, class_names, feature_names, store, store_keeps (see
    dnn_train.hpp, which also says what is collective).

    Rows are NumPy arrays (or pandas frames) of shape (samples, features); any strides will do. `y`
    holds integers from 0 for classes, or floating-point targets of shape (samples,) or (samples,
    outputs). `ids` number the samples of all ranks; without, they are in the order of the ranks.

    Every error of the library is a dnn_train.Error; its attribute code says which kind.
    """

    def __init__(self, communicator=None, *, log=None, after_epoch=None, **options):
        from ._core import Trainer as Core

        handle = None if communicator is None else communicator.py2f()
        self._core = Core(handle, _options(options), log, after_epoch)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:  # the other ranks may be elsewhere after an exception
            self.close()

    @staticmethod
    def _samples(x, y, ids, weights):
        def vector(values, kind):
            return None if values is None else _np.ascontiguousarray(values, dtype=kind)

        y = _np.asarray(y)
        is_classes = y.ndim == 1 and y.dtype.kind in "iub"
        if is_classes and len(y) and not (-(2**31) <= y.min() and y.max() < 2**31):
            raise ValueError("classes: numbers from 0 to 2,147,483,647")
        return {
            "features": _numbers(x, "features"),
            "classes": vector(y, _np.int32) if is_classes else None,
            "targets": None if is_classes else _numbers(y, "targets"),
            "ids": vector(ids, _np.uint64),
            "weights": vector(weights, _np.float64),
        }

    def fit(self, x, y, *, ids=None, weights=None):
        """Trains a new network on the samples of all ranks, as the program does. Collective."""
        return self._core.fit(**self._samples(x, y, ids, weights))

    def prepare(self, x, y, *, ids=None, weights=None):
        """Makes the network for step(): its scaling follows from these samples. Collective."""
        self._core.prepare(**self._samples(x, y, ids, weights))

    def step(self, x, y, *, ids=None, weights=None):
        """One update from the samples that all ranks give now. Collective."""
        return self._core.step(**self._samples(x, y, ids, weights))

    def evaluate(self, x, y, *, ids=None, weights=None):
        """A dict of figures of the network on the samples of all ranks. Collective."""
        return self._core.evaluate(**self._samples(x, y, ids, weights))

    def predict(self, x):
        """Probabilities, or numbers in the targets' unit, of shape (samples, outputs)."""
        x = _numbers(x, "features")
        answers = _np.empty((len(x), self.outputs), dtype=x.dtype)
        self._core.predict(x, answers)
        return answers

    def recent_loss(self):
        """The mean loss of the updates since this was last called. Collective."""
        return self._core.recent_loss()

    def set_learning_rate(self, rate):
        """The learning rate of step() from now on. Collective."""
        self._core.set_learning_rate(rate)

    def save(self, path):
        """Writes model.dnn; rank 0 does. Collective."""
        self._core.save(str(path))

    def load(self, path):
        """Takes the network of a model.dnn, which rank 0 reads. Collective."""
        self._core.load(str(path))

    def state(self):
        """Everything that step() needs to continue, as bytes on rank 0 and b"" elsewhere. Collective."""
        return self._core.state()

    def restore(self, state):
        """Continues from the bytes of state() that rank 0 gives. Collective."""
        self._core.restore(state)

    def hash(self):
        """SHA-256 of all parameters, the same on all ranks."""
        return self._core.hash()

    def request_stop(self):
        """Asks a fit under way, in another thread, to end."""
        self._core.request_stop()

    def close(self):
        """Gives memory and communicators back. Collective."""
        self._core.close()

    @property
    def features(self):
        """Inputs of the network; 0: there is none yet."""
        return self._core.features

    @property
    def outputs(self):
        """Outputs of the network; 0: there is none yet."""
        return self._core.outputs
