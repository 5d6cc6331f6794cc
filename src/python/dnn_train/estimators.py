"""DNNClassifier and DNNRegressor: dnn_train in scikit-learn's manner."""

import contextlib

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _MASKED, Trainer, _has_masked


class _DNN(BaseEstimator):
    """What both estimators have in common.

    Parameters (None: as dnn_train chooses it by the data)
    ----------
    hidden : nodes of the hidden layers
    epochs, batch_size, lr, optimizer, weight_decay, dropout : as the options of
        dnn_train
    validation : fraction of the rows that is held out to choose the length of training
    precision : "float", "double" or "bf16"
    random_state : int, the seed of everything that is drawn
    communicator : of mpi4py; each rank then gives its own rows, and all ranks call the same methods
    """

    def __init__(
        self,
        hidden=(256, 128),
        *,
        epochs=None,
        batch_size=None,
        lr=None,
        optimizer=None,
        weight_decay=None,
        dropout=None,
        validation=None,
        precision="float",
        random_state=1,
        communicator=None,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.validation = validation
        self.precision = precision
        self.random_state = random_state
        self.communicator = communicator

    def _options(self):
        if isinstance(self.random_state, (int, np.integer)):
            seed = int(self.random_state)
        elif self.random_state is None:
            seed = 1
        else:
            seed = int(self.random_state.randint(2**31))
        options = {"hidden": list(self.hidden), "seed": seed, "precision": self.precision, "task": self._task}
        for name in ("epochs", "batch_size", "lr", "optimizer", "weight_decay", "dropout", "validation"):
            options[name] = getattr(self, name)
        return options

    def __sklearn_clone__(self):
        # Parameters are copied, but for the communicator, which is one.
        return type(self)(**self.get_params(deep=False))

    @contextlib.contextmanager
    def _unless_it_raises(self):
        """What is done within changes the estimator, unless it raises; but updates that a partial_fit had made are made."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise
        if "_trainer" in before and before["_trainer"] is not self._trainer:
            before["_trainer"].close()

    def _make(self, **more):
        """A new trainer; _unless_it_raises closes the one before."""
        self._settings = {**self._options(), **more}
        self._trainer = Trainer(self.communicator, **self._settings)

    def _all(self, work):
        """What work() returns; where it raises on any rank, all ranks raise, and none is left waiting."""
        if self.communicator is None:
            return work()
        result, error = None, None
        try:
            result = work()
        except (ValueError, TypeError) as raised:
            error = raised
        texts = self.communicator.allgather(None if error is None else str(error))
        for rank, text in enumerate(texts):
            if text is not None:
                raise error if error is not None else ValueError(f"on rank {rank}: {text}")
        return result

    def _rows(self, x, **how):
        if self.communicator is not None:
            how["ensure_min_samples"] = 0  # a rank may have none

        def rows():
            for name, values in (("X", x), ("y", how.get("y"))):
                if _has_masked(values):
                    raise ValueError(f"{name} {_MASKED}")
            return validate_data(self, x, dtype=(np.float64, np.float32), **how)

        return self._all(rows)

    def _union(self, own):
        """The values that any rank has, in ascending order."""
        if self.communicator is None:
            return np.unique(own)
        return np.unique(np.concatenate(self.communicator.allgather(np.unique(own))))

    def _predict(self, x):
        check_is_fitted(self, "_trainer")
        return self._trainer.predict(self._rows(x, reset=False))

    def save(self, path):
        """Writes the network to a model.dnn that the programs read. Collective."""
        check_is_fitted(self, "_trainer")
        self._trainer.save(path)

    def _in_batches(self, x, y):
        """An update for each batch of the rows of all ranks, in their order."""
        size = self.batch_size or 256
        ranks = 1 if self.communicator is None else self.communicator.size
        share = -(-size // ranks)
        most = len(x) if ranks == 1 else max(self.communicator.allgather(len(x)))
        for first in range(0, most, share):
            self._trainer.step(x[first : first + share], y[first : first + share])

    def __getstate__(self):
        # The network travels as its state, with the trainer's settings, since parameters may have been set after the
        # fit. A communicator belongs to its process.
        state = dict(super().__getstate__())
        if "_trainer" in state:
            network = self._trainer.state()
            if self.communicator is not None:
                network = self.communicator.bcast(network)  # rank 0's
            state["_trainer"] = network
        state["communicator"] = None
        return state

    def __setstate__(self, state):
        network = state.pop("_trainer", None)
        super().__setstate__(state)
        if network is not None:
            if not hasattr(self, "_settings"):  # pickled by an earlier version, which took the parameters
                self._settings = self._options()
            self._trainer = Trainer(**self._settings)
            self._trainer.restore(network)


class DNNClassifier(ClassifierMixin, _DNN):
    """Classifies rows of numbers by a dense network: ReLU, softmax, cross-entropy.

        DNNClassifier(hidden=(64,)).fit(x, y).score(x_test, y_test)
    """

    _task = "classes"
    __doc__ += _DNN.__doc__

    def fit(self, x, y):
        """Trains on x (samples, features) and the classes y (samples,). Where it raises, the estimator is as before."""
        with self._unless_it_raises():
            x, y = self._rows(x, y=y)
            self._all(lambda: check_classification_targets(y) if len(y) else None)
            self.classes_ = self._union(y)
            if len(self.classes_) < 2:
                raise ValueError("Classifier can't train when only one class is present.")
            self._make(classes=len(self.classes_))
            self.n_iter_ = self._trainer.fit(x, np.searchsorted(self.classes_, y)).epochs
        return self

    def partial_fit(self, x, y, classes=None):
        """Goes on training with these rows, an update for each batch of them. The first call gives
        all classes that there are."""
        is_new = not hasattr(self, "_trainer")
        if is_new and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")

        def check():
            if len(y):
                check_classification_targets(y)
            if not is_new and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError("classes is not the same as on the first call to partial_fit")
            if is_new:
                self.classes_ = np.unique(classes)
            unknown = np.setdiff1d(y, self.classes_)
            if len(unknown):
                raise ValueError(f"y has classes that the first call to partial_fit did not name: {unknown}")

        with self._unless_it_raises():
            x, y = self._rows(x, y=y, reset=is_new)
            self._all(check)
            if is_new:
                self._make(classes=len(self.classes_))
            self._in_batches(x, np.searchsorted(self.classes_, y))
        return self

    def predict_proba(self, x):
        """The probability of each class, in the order of classes_."""
        probabilities = self._predict(x).astype(np.float64)
        return probabilities / probabilities.sum(axis=1, keepdims=True)  # float's sums are 1 to rounding

    def predict(self, x):
        """The likeliest class of each row."""
        best = np.argmax(self._predict(x), axis=1)
        return self.classes_[best]


class DNNRegressor(RegressorMixin, _DNN):
    """Predicts one or several numbers of each row by a dense network: ReLU, squared error.

        DNNRegressor(hidden=(64,)).fit(x, y).score(x_test, y_test)
    """

    _task = "numbers"
    __doc__ += _DNN.__doc__

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

    def fit(self, x, y):
        """Trains on x (samples, features) and y (samples,) or (samples, outputs). Where it raises, the estimator is as
        before."""
        with self._unless_it_raises():
            x, y = self._rows(x, y=y, multi_output=True, y_numeric=True)
            self._flat = y.ndim == 1
            self._make()
            self.n_iter_ = self._trainer.fit(x, np.asarray(y, dtype=np.float64)).epochs
        return self

    def partial_fit(self, x, y):
        """Goes on training with these rows, an update for each batch of them. The scaling of rows and
        targets follows from the first batch."""
        is_new = not hasattr(self, "_trainer")
        with self._unless_it_raises():
            x, y = self._rows(x, y=y, multi_output=True, y_numeric=True, reset=is_new)
            if is_new:
                self._flat = y.ndim == 1
                self._make()
            self._in_batches(x, np.asarray(y, dtype=np.float64))
        return self

    def predict(self, x):
        """The numbers of each row, shaped as y was."""
        answers = self._predict(x)
        return answers[:, 0] if self._flat else answers
