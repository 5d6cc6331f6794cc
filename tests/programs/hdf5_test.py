"""HDF5 files as h5py writes them: the same data give the same parameters as NPY files and CSV, at any number of ranks.

    hdf5_test.py --bin FOLDER --mpiexec PROGRAM
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy

SAMPLES, SIDE, CLASSES = 600, 4, 3
FAILURES = []


def expect(holds, what):
    if not holds:
        FAILURES.append(what)


def run(command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, check=False)


class Programs:
    def __init__(self, arguments):
        self.train, self.predict = arguments.bin / "dnn_train", arguments.bin / "dnn_predict"
        self.mpiexec = arguments.mpiexec

    def on(self, ranks):
        return [self.mpiexec, "-n", ranks] if ranks > 1 else []

    def hash_of(self, folder, data, ranks=1, more=()):
        """The SHA-256 of the parameters that the data give."""
        output = folder / "run"
        done = run([*self.on(ranks), self.train, "--defaults", "plain", "--epochs", 2, "--hidden", 9, "--batch-size", 32, "--logical-shards", 4,
                    "--data", data, "--output", output, "--overwrite", *more])
        if done.returncode != 0:
            return f"{data}: {done.stdout}{done.stderr}"
        summary = json.loads((output / "summary.json").read_text())
        self.output, self.notes = output, summary["notes"]
        return summary["sha256_last"]


def numbers():
    """Pictures of small whole numbers, which every type holds, and their classes."""
    random = numpy.random.default_rng(7)
    x = random.integers(0, 100, (SAMPLES, SIDE, SIDE))
    y = (x[:, 0, 0] + x[:, 1, 1]) % CLASSES
    return x, y


def write_csv(path, x, y):
    lines = ["," .join(str(value) for value in row) + f",{label}" for row, label in zip(x.reshape(len(x), -1), y)]
    path.write_text("\n".join(lines) + "\n")


def check_types(programs, folder, x, y):
    """Each type of h5py's, in chunks, compressed or not, against an NPY file of the same type."""
    numpy.save(folder / "y.npy", y.astype("<i4"))
    filters = [{}, {"chunks": (64, SIDE, 2)}, {"compression": "gzip", "shuffle": True}, {"compression": "lzf"},
               {"compression": "gzip", "chunks": (7, SIDE, SIDE), "fletcher32": True}, {"scaleoffset": 0}]
    types = ["<u1", "<i1", ">u2", "<i2", "<u4", ">i4", "<i8", ">u8", "<f2", ">f4", "<f4", "<f8", ">f8"]
    for index, name in enumerate(types):
        array = x.astype(name)
        numpy.save(folder / "x.npy", array)
        expected = programs.hash_of(folder, f"{folder}/x.npy,{folder}/y.npy")
        options = filters[index % len(filters)]
        if "scaleoffset" in options and array.dtype.kind == "f":
            options = {"chunks": True}
        with h5py.File(folder / "d.h5", "w") as file:
            file.create_dataset("x", data=array, **options).attrs["unit"] = "grey"
            file["y"] = y.astype("<i8")
        expect(programs.hash_of(folder, folder / "d.h5") == expected, f"{name} with {options}")
        expect(any("features are /x" in note for note in programs.notes), f"the note: {programs.notes}")


def check_labels(programs, folder, x, y, expected):
    """Labels in every form, all classes in the order of their numbers."""
    forms = {
        "float": y.astype("<f4"), "one_hot": numpy.eye(CLASSES)[y], "column": y.astype("u1")[:, None],
        "bool_hot": numpy.eye(CLASSES, dtype=bool)[y], "bytes": numpy.char.mod("%d", y).astype("S"),
        "text": numpy.char.mod("%d", y).astype(object)}
    for name, labels in forms.items():
        with h5py.File(folder / "d.h5", "w", libver="latest") as file:
            file.create_group("part").create_dataset("pixels", data=x.astype("<f4"), compression="gzip")
            file["part"].create_dataset("classes", data=labels, compression={"column": None, "text": "gzip"}.get(name, "lzf"),
                                        **({"dtype": h5py.string_dtype()} if name == "text" else {}))
        found = programs.hash_of(folder, f"{folder}/d.h5:/part/pixels,/part/classes")
        expect(found == expected, f"labels {name}: {found}")


def check_ranks(programs, folder, x, y):
    """CSV, NPY and HDF5, one file and several, at 1, 2 and 3 ranks; returns the one hash."""
    write_csv(folder / "d.csv", x, y)
    numpy.save(folder / "x.npy", x.astype("<f4"))
    numpy.save(folder / "y.npy", y)
    with h5py.File(folder / "all.h5", "w") as file:
        file["train/x"], file["train/y"] = x.astype("<f4"), y
    cut = SAMPLES // 3
    for index, part in enumerate((slice(0, cut), slice(cut, 2 * cut), slice(2 * cut, None))):
        with h5py.File(folder / f"part-{index}.h5", "w") as file:
            file.create_dataset("x", data=x[part].astype("<f4"), chunks=(50, SIDE, SIDE), compression="gzip")
            file["y"] = y[part]
    (folder / "all.h5.gz").write_bytes(gzip.compress((folder / "all.h5").read_bytes()))
    sources = [f"{folder}/x.npy,{folder}/y.npy", folder / "all.h5", f"{folder}/all.h5:/train/x,/train/y", f"{folder}/part-*.h5",
               f"{folder}/part-*.h5:/x,/y", folder / "all.h5.gz"]
    expected = programs.hash_of(folder, folder / "d.csv", more=["--csv-header", "no"])
    for ranks in (1, 2, 3):
        for source in sources:
            found = programs.hash_of(folder, source, ranks)
            expect(found == expected, f"{source} at {ranks} ranks: {found} is not {expected}")
    return expected


def check_test_part_and_predictions(programs, folder, x, y):
    """A test part is used and told; dnn_predict scores features alone, and with labels."""
    half = SAMPLES // 2
    path = folder / "parts.h5"
    with h5py.File(path, "w") as file:
        for part, rows in (("train", slice(0, half)), ("test", slice(half, None))):
            file.create_dataset(f"{part}/x", data=x[rows].astype("u1"), chunks=(10, SIDE, SIDE), compression="gzip")
            file[f"{part}/y"] = y[rows]
    expect(len(programs.hash_of(folder, path)) == 64, "training on a file with a test part")
    summary = json.loads((programs.output / "summary.json").read_text())
    expect(summary["evaluated_on"] == "test", summary["evaluated_on"])
    named = programs.hash_of(folder, f"{path}:/train/x,/train/y", more=["--test-data", f"{path}:/test/x,/test/y"])
    expect(named == summary["sha256_last"], "named parts")
    model = programs.output / "model.dnn"
    written = {}
    for ranks in (1, 3):
        for source in (f"{path}:/test/x", f"{path}:/test/x,/test/y"):
            done = run([*programs.on(ranks), programs.predict, "--model", model, "--data", source, "--output", folder / "p.csv", "--overwrite"])
            expect(done.returncode == 0, done.stdout + done.stderr)
            expect(("accuracy" in done.stdout + done.stderr) == source.endswith("y"), f"{source}: {done.stdout}{done.stderr}")
            written.setdefault(source, set()).add((folder / "p.csv").read_text())
    expect(all(len(texts) == 1 for texts in written.values()), "predictions at 1 and 3 ranks")
    plan = run([programs.train, "--dry-run", "--data", path])
    expect(plan.returncode == 0 and "the features are /train/x, the labels /train/y" in plan.stdout, plan.stdout + plan.stderr)


def check_refusals(programs, folder, x, y):
    """What is wrong is said once, with exit code 2, and the library prints nothing of its own."""
    with h5py.File(folder / "bad.h5", "w") as file:
        file["images"], file["extra"] = x.astype("u1"), y
        file.create_dataset("words", data=y.astype(str).astype(object), dtype=h5py.string_dtype(), compression="lzf")
    cut = folder / "cut.h5"
    cut.write_bytes((folder / "bad.h5").read_bytes()[:-500])
    for data, wanted in ((folder / "bad.h5", "'/extra', '/images'"), (f"{folder}/bad.h5:/images,/words", "write the dataset with gzip"),
                         (f"{folder}/bad.h5:/images,/y", "there is no dataset '/y'"),
                         (cut, "truncated file"), (f"{folder}/none.h5:/x", "none.h5")):
        for ranks in (1, 2):
            done = run([*programs.on(ranks), programs.train, "--data", data, "--output", folder / "refused"])
            text = done.stdout + done.stderr
            expect(done.returncode == 2 and text.count("error:") == 1 and wanted in text, f"{data}: {done.returncode}: {text}")
            expect("HDF5-DIAG" not in text, text)
    version = run([programs.train, "--version"]).stdout
    expect(f"HDF5 {h5py.version.hdf5_version}" in version, version)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--mpiexec", required=True)
    programs = Programs(parser.parse_args())
    x, y = numbers()
    with tempfile.TemporaryDirectory(prefix="dnn_hdf5_") as name:
        folder = pathlib.Path(name)
        expected = check_ranks(programs, folder, x, y)
        check_labels(programs, folder, x, y, expected)
        check_types(programs, folder, x, y)
        check_test_part_and_predictions(programs, folder, x, y)
        check_refusals(programs, folder, x, y)
    print("\n".join(FAILURES) if FAILURES else "HDF5 files give what NPY files and CSV give")
    return 1 if FAILURES else 0


sys.exit(main())
