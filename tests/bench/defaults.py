#!/usr/bin/env python3
"""Compares dnn_train's defaults with scikit-learn's MLPClassifier: accuracy, log loss and seconds.

    VENV/bin/python tests/bench/defaults.py --train build/dnn_train
        [--splits 3] [--only NAME,...] [--peers FILE] [--readme README.md]

Needs the PyPI package scikit-learn, best in a virtual environment of its own. Each split holds out a
quarter of the rows, drawn by the split's number within each class. dnn_train gets the data and
nothing else; MLPClassifier gets standardized features and hidden layers of 256 and 128, as
dnn_train has by default; all else is its default. Both run on one thread; seconds are those of the
processor, for dnn_train with start, reading and evaluation. Four sets are real and come with
scikit-learn; five are drawn by its generators with a fixed seed. `letters` stands in for the UCI
letters: 26 classes, 16 whole-numbered features. --peers keeps MLPClassifier's figures, and takes
those that are there, so that it runs once. --readme writes the table into the README's section.
"""

from __future__ import annotations

import argparse
import json
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

HIDDEN = (256, 128)
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
BEGIN, END = "<!-- defaults: written by tests/bench/defaults.py -->", "<!-- end of defaults -->"


def drawn(rows: int, **shape):
    return datasets.make_classification(rows, random_state=7, **shape)


def letters():
    features, labels = drawn(20000, n_features=16, n_informative=12, n_redundant=4, n_classes=26,
                             n_clusters_per_class=3, class_sep=2.8, flip_y=0.005)
    scaled = 7.5 + 15 * (features - features.mean(0)) / (6 * features.std(0))
    return np.clip(np.round(scaled), 0, 15), labels


SETS = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "letters": letters,
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
    "letters": "made up, 26 classes",
}


def split_of(name: str, split: int):
    features, labels = SETS[name]()
    return train_test_split(features, labels, test_size=0.25, random_state=split, stratify=labels)


def child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def train_ours(program: Path, options: list, name: str, split: int, folder: Path) -> dict:
    x_train, x_test, y_train, y_test = split_of(name, split)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for part, values in (("X_train", x_train), ("X_test", x_test)):
        np.save(data / f"{part}.npy", values.astype(np.float32))
    for part, values in (("y_train", y_train), ("y_test", y_test)):
        np.save(data / f"{part}.npy", values.astype(np.int64))
    before = child_seconds()
    subprocess.run([program, "--data", data, "--output", folder / "run", "--overwrite", "--quiet", *options],
                   check=True, env={**os.environ, **MPI})
    seconds = child_seconds() - before
    summary = json.loads((folder / "run/summary.json").read_text())
    best = summary["evaluation_of_best"]
    return {"accuracy": best["accuracy"], "loss": best["loss"], "seconds": seconds}


def train_theirs(name: str, split: int) -> dict:
    x_train, x_test, y_train, y_test = split_of(name, split)
    start = time.process_time()
    model = make_pipeline(StandardScaler(), MLPClassifier(HIDDEN, random_state=split))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 200 epochs, its default, are the end
        model.fit(x_train, y_train)
    seconds = time.process_time() - start
    return {"accuracy": model.score(x_test, y_test), "loss": log_loss(y_test, model.predict_proba(x_test)),
            "seconds": seconds}


def mean(results: list[dict]) -> dict:
    return {key: statistics.mean(result[key] for result in results) for key in results[0]}


def peers_of(path: Path | None, names: list[str], splits: int) -> dict:
    kept = json.loads(path.read_text()) if path and path.exists() else {}
    for name in names:
        key = f"{name}/{splits}"
        if key not in kept:
            kept[key] = mean([train_theirs(name, split) for split in range(splits)])
            if path:
                path.write_text(json.dumps(kept, indent=1))
    return {name: kept[f"{name}/{splits}"] for name in names}


def into_readme(path: Path, lines: list[str]) -> None:
    text = path.read_text()
    before, rest = text.split(BEGIN)
    path.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="the program dnn_train")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of sets")
    parser.add_argument("--peers", type=Path, help="file that keeps MLPClassifier's figures")
    parser.add_argument("--readme", type=Path, help="write the table into this file")
    options, more = parser.parse_known_args()
    names = options.only or list(SETS)
    peers = peers_of(options.peers, names, options.splits)
    lines: list[str] = []

    def say(text: str) -> None:
        print(text, flush=True)
        lines.append(text)

    say("| data (rows) | dnn_train: accuracy / log loss, s | MLPClassifier: accuracy / log loss, s "
        "| accuracy, points |")
    say("|---|---|---|---|")
    gaps, less_loss = [], 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            ours = mean([train_ours(options.train, more, name, split, Path(folder))
                         for split in range(options.splits)])
        theirs = peers[name]
        gaps.append(100 * (ours["accuracy"] - theirs["accuracy"]))
        less_loss += ours["loss"] < theirs["loss"]
        about = f"{name}, {ABOUT[name]}" if name in ABOUT else name
        say(f"| {about} ({len(SETS[name]()[1]):,}) "
            + "".join(f"| {100 * r['accuracy']:.1f} % / {r['loss']:.3f}, {r['seconds']:.1f} " for r in (ours, theirs))
            + f"| {gaps[-1]:+.1f} |")
    say(f"\nMean of {options.splits} splits. Difference in accuracy: mean {statistics.mean(gaps):+.2f} points, "
        f"least {min(gaps):+.1f}; lower log loss on {less_loss} of {len(names)} sets.")
    if options.readme:
        into_readme(options.readme, lines)


if __name__ == "__main__":
    sys.exit(main())
