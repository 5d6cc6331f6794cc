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
import socket as _socket
import weakref as _weakref

import numpy as _np

# GCC's OpenMP, which comes with the library, reads how long threads that wait spin before they sleep only when it is
# loaded; by itself, milliseconds.
_is_unset = not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & _os.environ.keys()
if _is_unset:
    _os.environ["GOMP_SPINCOUNT"] = "3000"
from ._core import Error, Fit, Samples as _Samples, Step, version as _version  # noqa: E402

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


def _error(message, code=1):
    """An Error with this code; 1: an argument cannot be used."""
    error = Error(message)
    error.code = code
    return error


def _refusal_of(error):
    """The Error for an argument whose conversion raised `error`."""
    if isinstance(error, Error):
        return error
    refusal = _error(str(error) or repr(error), 4 if isinstance(error, MemoryError) else 1)
    refusal.__cause__ = error
    return refusal


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


_MASKED = "has masked elements; leave such samples out, or fill them"


def _has_masked(values):
    """Whether elements of an array, or of arrays in a list, are masked, which NumPy's conversions ignore."""
    parts = values if isinstance(values, (list, tuple)) else (values,)
    return any(isinstance(part, _np.ma.MaskedArray) and _np.ma.is_masked(part) for part in parts)


def _converted(value, name, conversion):
    """conversion(value); if it raises, or elements are masked, an Error that names the argument."""
    if _has_masked(value):
        raise _error(f"{name}: {_MASKED}")
    try:
        return conversion(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise _error(f"{name}: {error}") from error


def _options(options):
    """The TOML text of keyword arguments in UTF-8: batch_size=32 is the option batch-size."""
    return b"\n".join(
        _converted(value, name, lambda value, key=name.replace("_", "-"): f"{key} = {_toml(value)}".encode())
        for name, value in options.items()
        if value is not None
    )


def _aligned(array):
    """`array`, or a copy where its elements do not lie at multiples of their size, as a field of packed records."""
    is_aligned = array.flags.aligned and not any(stride % array.itemsize for stride in array.strides)
    return array if is_aligned else array.copy()


def _numbers(array, name):
    """`array` as one of two dimensions of float32 or float64, without a copy where it is one."""
    array = _converted(array, name, _np.asarray)
    if array.dtype != _np.float32 and array.dtype != _np.float64:
        array = _converted(array, name, lambda numbers: numbers.astype(_np.float64))
    if array.shape == (0,):
        array = array.reshape(0, 0)  # an empty list: no rows
    if array.ndim == 1 and name == "targets":
        array = array[:, _np.newaxis]
    if array.ndim != 2:
        raise _error(f"{name}: an array of two dimensions is needed; this one has {array.ndim}")
    return _aligned(array)


def _free(communicator):
    from mpi4py import MPI

    if not MPI.Is_finalized():
        communicator.Free()


class _Ranks:
    """The ranks of a trainer, which tell each other of arguments that cannot be used.

    Note [An argument that is wrong on one rank]
    The other ranks have entered the collective call and wait for all. So a rank whose argument cannot be converted
    enters the call as well, with one that the library refuses on all ranks. After such an error the ranks exchange what
    the conversions raised, and all ranks raise the first of it. A call without an error exchanges nothing more.
    """

    def __init__(self, communicator):
        self._own = None
        if communicator is None:
            return
        from mpi4py import MPI

        if communicator != MPI.COMM_NULL and not communicator.Is_inter():  # those the library refuses itself
            self._own = communicator.Dup()
            self._release = _weakref.finalize(self, _free, self._own)
            self._release.atexit = False  # the other ranks may be elsewhere

    def call(self, work, make, refused):
        """Collective: returns work(make()). If make() raises, work() gets `refused` instead; where it refuses that, all
        ranks raise the Error of the first rank on which make() raised."""
        refusal = None
        try:
            argument = make()
        except Exception as error:
            refusal, argument = _refusal_of(error), refused
            if self._own is None:
                raise refusal
        try:
            return work(argument)
        except Error as error:
            if self._own is not None and error.code in (1, 2):  # input and file: the same on all ranks
                self._raise_first(refusal)
            raise

    def _raise_first(self, refusal):
        """Collective: raises on all ranks what the first rank with a `refusal` has, if there is any."""
        said = None
        if refusal is not None:
            rank = self._own.rank
            where = f"on rank {rank} (host {_socket.gethostname()}): " if rank > 0 else ""
            said = (where + str(refusal), refusal.code)
        for first in self._own.allgather(said):
            if first is not None:
                raise _error(*first) from (None if refusal is None else refusal.__cause__)

    def free(self):
        """Collective: gives the communicator back."""
        if self._own is not None:
            self._own = None
            self._release()


class Trainer:
    """Trains one network on all ranks of a communicator.

    `communicator`: mpi4py's, or none for this process alone. `log`: called with each line that the
    programs print, on rank 0. `after_epoch`: called on every rank after each epoch of a fit, as
    after_epoch(epoch, epochs, loss, validation_loss, validation_accuracy); where it returns False on
    any rank, the fit ends. Options are those of `dnn_train --help` under Network, Training and
    Ranks, with _ for -, and: classes, class_names, feature_names, store, store_keeps (see
    dnn_train.hpp, which also says what is collective).

    Rows are NumPy arrays (or pandas frames) of shape (samples, features); any strides will do, but
    no element may be masked. `y` holds integers from 0 for classes, or floating-point targets of
    shape (samples,) or (samples, outputs). `ids` number the samples of all ranks; without, they are
    in the order of the ranks. A rank without samples gives empty arrays or lists.

    Every error of the library is a dnn_train.Error; its attribute code says which kind. A collective
    call raises it on all ranks, also if the argument of one rank is the cause. Of save(), load() and
    restore(), rank 0's argument alone is used.

    Ctrl-C ends a fit of the main thread after the epoch under way (on few samples, the search for
    the number of epochs ends first): KeyboardInterrupt, or what the handler of another signal
    raises, comes out of fit() on the rank that got the signal, an Error on the others. The network
    remains the one from before.
    """

    def __init__(self, communicator=None, *, log=None, after_epoch=None, **options):
        from ._core import Trainer as Core

        def settings():
            for name, function in (("log", log), ("after_epoch", after_epoch)):
                if function is not None and not callable(function):
                    raise _error(f"{name}: a function is needed, not {type(function).__name__}")
            return _options(options), log, after_epoch

        self._is_closed = False
        handle = None if communicator is None else communicator.py2f()
        self._ranks = _Ranks(communicator)
        self._core = self._ranks.call(lambda given: Core(handle, *given), settings, (b"=", None, None))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:  # the other ranks may be elsewhere after an exception
            self.close()

    def _with_samples(self, work, x, y, ids, weights):
        """work() of samples, on all ranks."""

        def vector(values, kind, name):
            if values is None:
                return None
            return _converted(values, name, lambda numbers: _aligned(_np.ascontiguousarray(numbers, dtype=kind)))

        def samples():
            targets = _converted(y, "y", _np.asarray)
            is_classes = targets.ndim == 1 and targets.dtype.kind in "iub"
            if is_classes and len(targets) and not (-(2**31) <= targets.min() and targets.max() < 2**31):
                raise _error("classes: numbers from 0 to 2,147,483,647")
            return _Samples(
                features=_numbers(x, "features"),
                classes=vector(targets, _np.int32, "classes") if is_classes else None,
                targets=None if is_classes else _numbers(targets, "targets"),
                ids=vector(ids, _np.uint64, "ids"),
                weights=vector(weights, _np.float64, "weights"),
            )

        return self._ranks.call(work, samples, _Samples())

    def fit(self, x, y, *, ids=None, weights=None):
        """Trains a new network on the samples of all ranks, as the program does. Collective."""
        return self._with_samples(self._core.fit, x, y, ids, weights)

    def prepare(self, x, y, *, ids=None, weights=None):
        """Makes the network for step(): its scaling follows from these samples. Collective."""
        self._with_samples(self._core.prepare, x, y, ids, weights)

    def step(self, x, y, *, ids=None, weights=None):
        """One update from the samples that all ranks give now. Collective."""
        return self._with_samples(self._core.step, x, y, ids, weights)

    def evaluate(self, x, y, *, ids=None, weights=None):
        """A dict of figures of the network on the samples of all ranks. Collective."""
        return self._with_samples(self._core.evaluate, x, y, ids, weights)

    def predict(self, x):
        """Probabilities, or numbers in the targets' unit, of shape (samples, outputs): float32 where x is, else
        float64."""
        x = _numbers(x, "features")
        answers = _np.empty((len(x), self.outputs), dtype=x.dtype)
        self._core.predict(x, answers)
        return answers

    def recent_loss(self):
        """The mean loss of the updates since this was last called. Collective."""
        return self._core.recent_loss()

    def set_learning_rate(self, rate):
        """The learning rate of step() from now on. Collective."""
        self._ranks.call(self._core.set_learning_rate, lambda: _converted(rate, "rate", float), 0.0)

    def save(self, path):
        """Writes model.dnn; rank 0 does. Collective."""
        self._ranks.call(self._core.save, lambda: _converted(str(path), "path", str.encode), b"")

    def load(self, path):
        """Takes the network of a model.dnn, which rank 0 reads. Collective."""
        self._ranks.call(self._core.load, lambda: _converted(str(path), "path", str.encode), b"")

    def state(self):
        """Everything that step() needs to continue, as bytes on rank 0 and b"" elsewhere. Collective."""
        return self._core.state()

    def restore(self, state):
        """Continues from the bytes of state() that rank 0 gives. Collective."""
        self._ranks.call(self._core.restore, lambda: bytes(_converted(state, "state", memoryview)), b"")

    def hash(self):
        """SHA-256 of all parameters, the same on all ranks."""
        return self._core.hash()

    def request_stop(self):
        """Asks a fit under way to end, from another thread, a signal's handler or a callback."""
        self._core.request_stop()

    def close(self):
        """Gives memory and communicators back; nothing the second time. Collective."""
        if not self._is_closed:
            self._core.close()
            self._ranks.free()
            self._is_closed = True

    @property
    def features(self):
        """Inputs of the network; 0: there is none yet."""
        return self._core.features

    @property
    def outputs(self):
        """Outputs of the network; 0: there is none yet."""
        return self._core.outputs
