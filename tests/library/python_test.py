"""The Python package with scikit-learn from PyPI: its own checks of estimators, cross_val_score and GridSearchCV on
digits, pickling, models that the programs read, and what the Trainer says of bad input, also on one of several ranks.

    python_test.py --build FOLDER --environment FOLDER --mpiexec PROGRAM

Exits 77 where PyPI cannot be had.
"""

import argparse
import json
import os
import pathlib
import pickle
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.environment import enter  # noqa: E402

def check_import_time(package):
    """dnn_train takes little time beyond NumPy's, and imports no scikit-learn."""
    probe = ("import sys, time, numpy; t = time.perf_counter(); import dnn_train; print(time.perf_counter() - t);"
             "assert 'sklearn' not in sys.modules and 'mpi4py' not in sys.modules")
    seconds = [float(subprocess.run([sys.executable, "-c", probe], env=dict(os.environ, PYTHONPATH=package), check=True,
                                    capture_output=True, text=True).stdout) for _ in range(3)]
    print(f"import: {min(seconds):.3f} s")
    assert min(seconds) < 0.2, seconds


def check_waiting_threads(package):
    """Threads that wait sleep soon, unless the user says otherwise; the process's variables stay as they were."""
    for given, expected in (({}, "GOMP_SPINCOUNT = '3000'"), ({"GOMP_SPINCOUNT": "7"}, "GOMP_SPINCOUNT = '7'")):
        surroundings = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | given
        probe = "import os; before = dict(os.environ); import dnn_train; assert os.environ == before"
        said = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True,
                              env=dict(surroundings, PYTHONPATH=package, OMP_DISPLAY_ENV="verbose")).stderr
        assert expected in said, said


def check_estimators(dnn_train):
    from sklearn.utils.estimator_checks import check_estimator

    for estimator in (dnn_train.DNNClassifier(hidden=(32,), epochs=60, lr=0.01, validation=0),
                      dnn_train.DNNRegressor(hidden=(32,), epochs=60, lr=0.01, validation=0)):
        results = check_estimator(estimator, on_fail=None, on_skip=None)
        failed = [r for r in results if r["status"] == "failed"]
        for r in failed:
            print(type(estimator).__name__, r["check_name"], repr(r["exception"])[:600])
        assert not failed
        print(f"{type(estimator).__name__}: {sum(r['status'] == 'passed' for r in results)} checks pass")


def check_digits(dnn_train):
    """As the program: see the README's digits."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV, cross_val_score

    x, y = load_digits(return_X_y=True)
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    model = dnn_train.DNNClassifier(hidden=(64,))
    scores = cross_val_score(model, x, [names[digit] for digit in y], cv=3)
    print("digits, 3 folds:", scores.round(4))
    assert scores.mean() > 0.94, scores
    search = GridSearchCV(model, {"hidden": [(8,), (64,)]}, cv=3).fit(x, y)
    assert search.best_params_ == {"hidden": (64,)}, search.best_params_

    model.fit(x, y)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(x) == model.predict_proba(x)).all()
    assert abs(model.predict_proba(x).sum(axis=1) - 1).max() < 1e-12
    grown = dnn_train.DNNClassifier(hidden=(32,), lr=0.003, batch_size=64)
    for _ in range(20):
        grown.partial_fit(x, y, classes=range(10))
    assert grown.score(x, y) > 0.97, grown.score(x, y)


def check_programs(dnn_train, build):
    """The same samples and options give the program's model, and each reads the other's file."""
    import numpy as np

    random = np.random.default_rng(3)
    x = random.normal(size=(500, 5)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64) + (x[:, 2] > 1)
    with tempfile.TemporaryDirectory(prefix="dnn_python_") as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        run = folder / "run"
        subprocess.run([build / "dnn_train", "--data", f"{folder}/x.npy,{folder}/y.npy", "--output", run, "--quiet", "--hidden", "16,8"],
                       check=True)
        summary = json.loads((run / "summary.json").read_text())
        trainer = dnn_train.Trainer(hidden=[16, 8])
        fit = trainer.fit(x, y)
        assert trainer.hash() == summary["best"]["sha256"], (trainer.hash(), summary["best"])
        assert fit.best_epoch == summary["best"]["epoch"]
        trainer.save(folder / "mine.dnn")
        trainer.load(run / "model.dnn")
        assert trainer.hash() == summary["best"]["sha256"]
        subprocess.run([build / "dnn_predict", "--model", folder / "mine.dnn", "--data", folder / "x.npy", "--output", folder / "p.csv"],
                       check=True, capture_output=True)
        written = np.genfromtxt(folder / "p.csv", delimiter=",", skip_header=1)[:, -3:]
        assert np.abs(written - trainer.predict(x)).max() < 1e-6


def refuses(kind, text, call):
    try:
        call()
    except kind as error:
        assert re.search(text, str(error)), error
        return error
    raise AssertionError(f"nothing was raised, but {text!r} should be")


def check_misuse(dnn_train):
    import numpy as np

    x, y = np.zeros((6, 2)), np.arange(6) % 2
    refuses(dnn_train.Error, "did you mean hidden", lambda: dnn_train.Trainer(hiden=[3]))
    with dnn_train.Trainer(hidden=[3], epochs=2) as trainer:
        assert refuses(dnn_train.Error, "no network yet", lambda: trainer.predict(x)).code == 1
        assert refuses(dnn_train.Error, "two dimensions", lambda: trainer.fit(np.zeros(6), y)).code == 1
        assert refuses(dnn_train.Error, "one for each row", lambda: trainer.fit(x, y[:4])).code == 1
        cause = refuses(dnn_train.Error, "features: could not", lambda: trainer.fit([["a"]], [0])).__cause__
        assert isinstance(cause, ValueError), repr(cause)
        refuses(dnn_train.Error, "is nan", lambda: trainer.fit(x * np.nan, y))
        refuses(dnn_train.Error, "cannot", lambda: trainer.load("/nowhere/model.dnn"))
        refuses(dnn_train.Error, "damaged|no state", lambda: trainer.restore(b"x" * 100))
        trainer.close()  # before the end of the with, too
    refuses(dnn_train.Error, "closed", lambda: trainer.fit(x, y))
    x = np.random.default_rng(1).normal(size=(100, 2))
    y = x.sum(axis=1)

    def stumble(*_):
        raise KeyError("a stone")

    trainer = dnn_train.Trainer(hidden=[3], epochs=5, validation=0, after_epoch=stumble)
    assert refuses(dnn_train.Error, "a stone", lambda: trainer.fit(x, y)).code == 5
    lines, seen = [], []
    trainer = dnn_train.Trainer(hidden=[3], epochs=5, validation=0, log=lines.append,
                                after_epoch=lambda epoch, *_: seen.append(epoch) or epoch < 3)
    assert trainer.fit(x, y).stopped and seen == [1, 2, 3] and any("epoch   3/5" in line for line in lines), (seen, lines)


def check_arrays(dnn_train):
    """Arrays of any strides, and where no element is masked, give what contiguous copies do."""
    import numpy as np

    records = np.zeros(300, dtype=[("id", "i4"), ("x", "f8", 2), ("y", "f8"), ("weight", "f8")])  # 36 bytes, y at 20
    random = np.random.default_rng(5)
    records["x"] = random.normal(size=(300, 2))
    records["y"] = records["x"].sum(axis=1)
    records["id"] = np.arange(300)
    records["weight"] = random.uniform(0.5, 1, 300)

    def hash_of(made):
        with dnn_train.Trainer(hidden=[3], epochs=2, validation=0) as trainer:
            trainer.fit(made(records["x"]), made(records["y"]), ids=records["id"], weights=made(records["weight"]))
            assert (trainer.predict(made(records["x"])) == trainer.predict(records["x"].copy())).all()
            return trainer.hash()

    def without_alignment(array):
        """Contiguous, at an address that is not of its elements' kind."""
        return np.frombuffer(b"." + array.tobytes(), dtype=array.dtype, offset=1).reshape(array.shape)

    ways = (np.copy, lambda field: field, lambda field: np.ma.array(field, mask=False), without_alignment)
    hashes = [hash_of(way) for way in ways]
    assert len(set(hashes)) == 1, hashes
    masked = np.ma.masked_greater(records["x"], 1)
    with dnn_train.Trainer(hidden=[3], epochs=2, validation=0) as trainer:
        trainer.fit(records["x"], records["y"])
        refuses(dnn_train.Error, "features: has masked elements", lambda: trainer.predict(masked))
    model = dnn_train.DNNRegressor(hidden=(3,), epochs=2, validation=0)
    refuses(ValueError, "X has masked elements", lambda: model.fit(masked, records["y"]))
    y = np.ma.masked_greater(records["y"], 1)
    refuses(ValueError, "y has masked elements", lambda: model.partial_fit(records["x"], y))


def check_recovery(dnn_train):
    """A call that raises leaves a fitted estimator as it was."""
    import numpy as np

    x = np.random.default_rng(2).normal(size=(60, 2))
    wide = np.hstack([x, x])
    for kind, y in ((dnn_train.DNNClassifier, np.where(x[:, 0] > 0, "a", "b")), (dnn_train.DNNRegressor, x[:, 0])):
        model = kind(hidden=(3,), epochs=2, validation=0)
        before = model.fit(x, y).predict(x)
        for name, wrong in (("lr", -1), ("hidden", 7), ("precision", "triple")):
            right = model.get_params()[name]
            refuses((dnn_train.Error, TypeError), "", lambda: model.set_params(**{name: wrong}).fit(wide, y[::-1]))
            for same in (model, pickle.loads(pickle.dumps(model))):
                assert (same.predict(x) == before).all()
            assert (model.set_params(**{name: right}).fit(x, y).predict(x) == before).all()
        refuses(dnn_train.Error, "rescale it", lambda: model.fit(x * 1e300, y))
        assert (model.predict(x) == before).all()
    model = dnn_train.DNNRegressor(lr=-1)
    refuses(dnn_train.Error, "lr", lambda: model.partial_fit(x, y))
    model.set_params(lr=None).partial_fit(wide, y)  # the first one


def check_signals(dnn_train):
    """Handlers of signals run during a fit, of one rank alone: see python_errors.py for more."""
    import signal

    import numpy as np

    x = np.random.default_rng(2).normal(size=(60, 2))
    trainer = dnn_train.Trainer(hidden=[3], epochs=10**7, validation=0)
    before = signal.signal(signal.SIGALRM, lambda *_: trainer.request_stop())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
        assert trainer.fit(x, x[:, 0]).stopped
        signal.setitimer(signal.ITIMER_REAL, 0)

        def late(*_):
            raise TimeoutError("late")

        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        refuses(TimeoutError, "late", lambda: trainer.fit(x, x[:, 0]))
    finally:
        signal.signal(signal.SIGALRM, before)
    trainer.close()


def check_ranks(package, mpiexec):
    """Where a rank is left waiting, the test ends after the time limit."""
    for ranks in (1, 2, 3):
        subprocess.run(["timeout", "400", mpiexec, "-n", str(ranks), sys.executable, "-B",
                        pathlib.Path(__file__).parent / "python_errors.py"],
                       env=dict(os.environ, PYTHONPATH=package), check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--environment", type=pathlib.Path, required=True)
    parser.add_argument("--mpiexec", required=True)
    parser.add_argument("--packages", default="scikit-learn pandas")
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    package = str(arguments.build / "python")
    if not arguments.inside:
        check_ranks(package, arguments.mpiexec)  # by the system's mpi4py, which goes with its MPI
        enter(arguments.environment, arguments.packages)
    check_waiting_threads(package)
    check_import_time(package)
    sys.path.insert(0, package)
    import dnn_train

    check_misuse(dnn_train)
    check_arrays(dnn_train)
    check_recovery(dnn_train)
    check_signals(dnn_train)
    check_programs(dnn_train, arguments.build)
    check_digits(dnn_train)
    check_estimators(dnn_train)


main()
