#!/usr/bin/env python3
"""Regression: trains on scikit-learn's diabetes and generated sets with --task numbers, and compares R2 on
held-out rows with its MLPRegressor.

    VENV/bin/python tests/bench/regression.py --train build/dnn_train --predict build/dnn_predict
        [--splits 3] [--only NAME,...] [--arguments "..."] [--peers FILE]
        [--readme README.md]

Needs the PyPI package scikit-learn, best in a virtual environment of its own. Each split holds out a fifth of the
rows. Both programs have hidden layers of 256 and 128. dnn_train gets the file, the task, the name of the target and
--arguments; MLPRegressor gets scaled features and a scaled target (with its raw one it is worse), all else its
default. R2 is the mean over the targets. Each runs on one thread; seconds are those of the clock. --peers keeps
MLPRegressor's figures, and takes those that are there, so that they are made once. --readme writes the table into the
README's section.
"""

from __future__ import annotations

import argparse
import csv
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy reads them

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, make_friedman1, make_friedman2, make_friedman3, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kept_figures import KeptFigures
from readme_section import write_section

HIDDEN = (256, 128)
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def houses(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Made up in the image of the California housing data: skewed features, a place, a capped price."""
    random = np.random.default_rng(7)
    income = random.lognormal(1.2, 0.45, rows)
    age = random.integers(1, 53, rows)
    rooms = random.lognormal(1.6, 0.3, rows)
    people = random.lognormal(1.0, 0.3, rows)
    north, east = random.uniform(32.5, 42, rows), random.uniform(-124, -114, rows)
    coast = np.exp(-np.abs(east + 122 - (37.5 - north) * 0.8) / 1.2)
    price = 0.45 * income + 1.4 * coast + 0.004 * age + 0.15 * np.log(rooms) - 0.2 * np.log(people)
    price = np.minimum(price * random.lognormal(0, 0.15, rows), 5)
    return np.column_stack([income, age, rooms, people, north, east]), price


SETS = {
    "diabetes": lambda: load_diabetes(return_X_y=True),
    "friedman1": lambda: make_friedman1(2000, noise=1.0, random_state=1),
    "friedman2": lambda: make_friedman2(2000, noise=50.0, random_state=1),
    "friedman3": lambda: make_friedman3(2000, noise=0.1, random_state=1),
    "houses": lambda: houses(20000),
    "three targets": lambda: make_regression(1500, 20, n_informative=10, n_targets=3, noise=20.0, random_state=1),
}


def write(path: Path, X: np.ndarray, y: np.ndarray) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([f"x{j}" for j in range(X.shape[1])] + [f"y{j}" for j in range(y.shape[1])])
        out.writerows(np.column_stack([X, y]).tolist())


def ours(options: argparse.Namespace, folder: Path, X, y, X_test, y_test) -> float:
    write(folder / "train.csv", X, y)
    write(folder / "test.csv", X_test, y_test)
    names = ",".join(f"y{j}" for j in range(y.shape[1]))
    run = {"check": True, "capture_output": True, "text": True, "env": {**os.environ, **MPI}}
    subprocess.run([options.train, "--data", folder / "train.csv", "--task", "numbers", "--label-column", names,
                    "--hidden", ",".join(map(str, HIDDEN)), "--output", folder / "run", "--overwrite", "--quiet",
                    "--threads", "1", *shlex.split(options.arguments)], **run)
    subprocess.run([options.predict, "--model", folder / "run" / "model.dnn", "--data", folder / "test.csv",
                    "--output", folder / "out.csv", "--overwrite", "--quiet"], **run)
    with (folder / "out.csv").open() as file:
        rows = [[float(row[f"predicted(y{j})"]) for j in range(y.shape[1])] for row in csv.DictReader(file)]
    return r2_score(y_test, np.array(rows))


def theirs(X, y, X_test, y_test, split: int) -> dict:
    start = time.perf_counter()
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=HIDDEN, random_state=split)), transformer=StandardScaler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y if y.shape[1] > 1 else y[:, 0])
    return {"R2": r2_score(y_test, model.predict(X_test)), "seconds": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="the program dnn_train")
    parser.add_argument("--predict", type=Path, required=True, help="the program dnn_predict")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of sets")
    parser.add_argument("--arguments", default="", help="further arguments of dnn_train")
    parser.add_argument("--peers", type=Path, help="file that keeps MLPRegressor's figures")
    parser.add_argument("--readme", type=Path, help="write the table into this file")
    options = parser.parse_args()
    kept = KeptFigures(options.peers)
    lines = ["| set | rows x features | dnn_train R2 | seconds | MLPRegressor R2 | seconds | difference |",
             "|---|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    gaps = []
    for name, load in SETS.items():
        if options.only and name not in options.only:
            continue
        X, y = load()
        y = y.reshape(len(y), -1)
        figures = []
        for split in range(options.splits):
            X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=split)
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                our = ours(options, Path(folder), X_train, y_train, X_test, y_test)
                seconds = time.perf_counter() - start
            their = kept.get(f"{name}/{split}", lambda: theirs(X_train, y_train, X_test, y_test, split))
            figures.append((our, seconds, their["R2"], their["seconds"]))
        our, our_s, their, their_s = (statistics.mean(column) for column in zip(*figures))
        gaps.append(our - their)
        lines.append(f"| {name} | {len(X):,} x {X.shape[1]} | {our:.3f} | {our_s:.1f} | {their:.3f} | {their_s:.1f} "
                     f"| {our - their:+.3f} |")
        print(lines[-1], flush=True)
    lines.append(f"\nMean of {options.splits} splits; difference: mean {statistics.mean(gaps):+.3f}, "
                 f"worst {min(gaps):+.3f}.")
    print(lines[-1])
    if options.readme:
        write_section(options.readme, "regression", lines)


if __name__ == "__main__":
    sys.exit(main())
