"""Arguments that one rank alone gives wrong, and interruptions of one rank: every rank raises the same dnn_train.Error
(or KeyboardInterrupt), none is left waiting, and the trainer can be used afterwards. python_test.py runs it.

    mpirun -np 2 python3 python_errors.py [NAME OF A CASE...]
"""

import os
import re
import signal
import sys
import threading

import dnn_train
import numpy as np
from mpi4py import MPI

WORLD = MPI.COMM_WORLD
X = np.random.default_rng(WORLD.rank).normal(size=(40, 3))
Y = (X.sum(axis=1) > 0).astype(np.int64)


class Mute:
    def __str__(self):
        raise ValueError("no text")


def give(member, **wrong):
    """Calls a method of a trainer, on the bad rank with `wrong` arguments, which say what is made of good ones."""

    def call(trainer, is_bad):
        good = {"x": X, "y": Y, "ids": np.arange(len(X)) + 1000 * WORLD.rank, "weights": np.ones(len(X))}
        given = {name: wrong[name](value) if is_bad and name in wrong else value for name, value in good.items()}
        return getattr(trainer, member)(**given)

    return call


def one(member, good, bad):
    return lambda trainer, is_bad: getattr(trainer, member)(bad if is_bad else good)


def construct(**wrong):
    return lambda _, is_bad: dnn_train.Trainer(WORLD, hidden=[3], **(wrong if is_bad else {}))


OF_RANK_0 = {"save", "load", "state"}  # the arguments of the others are not used
# name: the call, and what its error says
CASES = {
    "text": (give("fit", x=lambda x: [["a", "b", "c"]] * len(x)), "features: could not convert"),
    "one dimension": (give("fit", x=lambda x: x[:, 0]), "features: .*two dimensions"),
    "ragged": (give("prepare", x=lambda x: [[1, 2], [3]]), "features: "),
    "no array": (give("fit", x=lambda x: None), "features: .*two dimensions"),
    "features alone": (give("fit", x=lambda x: []), "(classes|ids|weights): one for each row"),
    "short ids": (give("step", ids=lambda ids: ids[:5]), "ids: one for each row"),
    "short weights": (give("evaluate", weights=lambda weights: weights[:5]), "weights: one for each row"),
    "ids of text": (give("fit", ids=lambda ids: ["a"] * len(ids)), "ids: "),
    "three dimensions": (give("fit", y=lambda y: np.zeros((len(y), 1, 1))), "targets: .*two dimensions"),
    "masked features": (give("fit", x=lambda x: np.ma.masked_greater(x, 1)), "features: has masked elements"),
    "masked rows": (give("step", x=lambda x: [np.ma.masked_greater(row, 0) for row in x]), "features: has masked"),
    "masked classes": (give("evaluate", y=lambda y: np.ma.masked_equal(y, 1)), "y: has masked elements"),
    "masked targets": (give("fit", y=lambda y: np.ma.masked_equal(y / 2, 0)), "y: has masked elements"),
    "masked ids": (give("fit", ids=lambda ids: np.ma.masked_equal(ids, ids[0])), "ids: has masked elements"),
    "masked weights": (give("fit", weights=lambda w: np.ma.masked_equal(w, 1)), "weights: has masked elements"),
    "large class": (give("fit", y=lambda y: y + 2**31), "classes: numbers from 0"),
    "rate": (one("set_learning_rate", 0.1, "fast"), "rate: could not convert"),
    "surrogate": (construct(class_names=["a", "\ud800"]), "class_names: .*surrogates"),
    "option without text": (construct(task=Mute()), "task: no text"),
    "log": (construct(log=3), "log: a function is needed"),
    "save": (one("save", "/nowhere/m.dnn", "\ud800"), "path: .*surrogates"),
    "load": (one("load", "/nowhere/m.dnn", "\ud800"), "path: .*surrogates"),
    "state": (one("restore", b"", None), "state: .*bytes-like"),
}


def check(trainer, name, bad_rank):
    call, text = CASES[name]
    try:
        call(trainer, WORLD.rank == bad_rank)
        said = None
    except dnn_train.Error as error:
        said = (error.code, str(error))
    everywhere = WORLD.allgather(said)
    where = f"^on rank {bad_rank} \\(host .*\\): " if bad_rank > 0 else "^"
    is_right = said is not None and said[0] == 1 and re.search(where + text, said[1])
    assert is_right and everywhere == [said] * WORLD.size, (name, bad_rank, everywhere)


def interrupt(*_):
    raise KeyboardInterrupt


def interrupt_log(line):
    if "epoch" in line:
        raise KeyboardInterrupt


def check_interruption(what, bad_rank, **callbacks):
    """An interruption of one rank ends the fit on all: there as it is, elsewhere as an Error; `callbacks` of that rank."""
    is_bad = WORLD.rank == bad_rank
    if is_bad and not callbacks:
        begun = threading.Event()
        callbacks = {"after_epoch": lambda *_: begun.set()}
        threading.Thread(target=lambda: begun.wait() and os.kill(os.getpid(), signal.SIGINT), daemon=True).start()
    trainer = dnn_train.Trainer(WORLD, hidden=[3], epochs=10**7, batch_size=20, validation=0,
                                **(callbacks if is_bad else {}))
    trainer.prepare(X, Y)
    before = trainer.hash()
    try:
        trainer.fit(X, Y)
        came = None
    except KeyboardInterrupt:
        came = "interruption"
    except dnn_train.Error as error:
        assert error.code == 5 and "KeyboardInterrupt" in str(error), error
        came = "error"
    everywhere = WORLD.allgather(came)
    expected = ["interruption" if rank == bad_rank else "error" for rank in range(WORLD.size)]
    assert everywhere == expected, (what, bad_rank, everywhere)
    assert trainer.hash() == before
    trainer.close()


def main():
    trainer = dnn_train.Trainer(WORLD, hidden=[3], epochs=2, batch_size=20, validation=0)
    trainer.fit(X, Y)
    before = trainer.hash()
    for name in sys.argv[1:] or CASES:
        for bad_rank in [0] if name in OF_RANK_0 else sorted({0, WORLD.size - 1}):
            check(trainer, name, bad_rank)
    assert trainer.hash() == before

    check_interruption("log", 0, log=interrupt_log)
    for bad_rank in sorted({0, WORLD.size - 1}):
        check_interruption("after_epoch", bad_rank, after_epoch=interrupt)
        check_interruption("signal", bad_rank)

    # What is no error: a rank without rows, and on other ranks than 0 no state and any path.
    rows = (X, Y) if WORLD.rank == 0 else ([], [])
    trainer.fit(*rows)
    trainer.evaluate(*rows)
    assert trainer.predict(rows[0]).shape == (len(rows[0]), 2)
    trainer.prepare(X, Y)
    state = trainer.state()
    trainer.restore(state if WORLD.rank == 0 else None)

    # predict is of one rank alone.
    if WORLD.rank == 0:
        try:
            trainer.predict(X[:, 0])
        except dnn_train.Error as error:
            assert error.code == 1 and "two dimensions" in str(error), error
        else:
            raise AssertionError("predict takes an array of one dimension")

    # A call from a callback comes back at once, on the one rank that makes it.
    codes = []

    def nested(*_):
        try:
            calling.fit(X[:, 0], Y)
        except dnn_train.Error as error:
            codes.append(error.code)

    after_epoch = nested if WORLD.rank == 0 else None
    calling = dnn_train.Trainer(WORLD, hidden=[3], epochs=1, validation=0, after_epoch=after_epoch)
    calling.fit(X, Y)
    assert codes == ([7] if WORLD.rank == 0 else []), codes
    calling.close()
    trainer.close()


main()
