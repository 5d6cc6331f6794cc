"""launch/parquet_to_csv.py with the real Apache Arrow: dnn_train reads what the Parquet files hold.

    parquet_test.py --bin FOLDER --source FOLDER --environment FOLDER [--packages "pyarrow numpy"]

The environment is a virtual one of Python, which is made where there is none. Exits 77 where that fails.
"""

import argparse
import datetime
import decimal
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.environment import enter  # noqa: E402

ROWS = 900
FAILURES = []


def expect(holds, what):
    if not holds:
        FAILURES.append(what)


def absolute(path):
    return pathlib.Path(path).absolute()


class Programs:
    def __init__(self, arguments):
        self.converter, self.bin = arguments.source / "launch/parquet_to_csv.py", arguments.bin

    def convert(self, *words, cwd=None):
        return subprocess.run([sys.executable, self.converter, *map(str, words)], capture_output=True, text=True, check=False, cwd=cwd)

    def train(self, words, folder):
        output = folder / "run"
        command = [self.bin / "dnn_train", "--defaults", "plain", "--epochs", "2", "--hidden", "8", "--output", output, "--overwrite", *words]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")
        return json.loads((output / "summary.json").read_text()) if done.returncode == 0 else None


def check_numbers(programs, folder):
    """Numbers of every kind give the same parameters as in an NPY file: no digit is lost."""
    import numpy
    import pyarrow
    import pyarrow.parquet
    random = numpy.random.default_rng(3)
    for kind in ("<f4", "<f8"):
        x = random.normal(size=(ROWS, 5)).astype(kind) * numpy.array([1, 1e-30, 1e30, 1, 1], dtype=kind)
        y = random.integers(0, 3, ROWS).astype("<i8")
        columns = {f"c{j}": x[:, j] for j in range(3)}
        columns["list"] = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(x[:, 3:].ravel()), 2)
        path, out = folder / f"numbers{kind[-1]}.parquet", folder / f"numbers{kind[-1]}"
        pyarrow.parquet.write_table(pyarrow.table({**columns, "label": y}), path, row_group_size=200)
        done = programs.convert(path, out, "--rows-per-file", 400, *(["--gzip"] if kind == "<f8" else []))
        expect(done.returncode == 0 and "900 rows of 6 columns in 3 files" in done.stdout, done.stdout + done.stderr)
        numpy.save(folder / "x.npy", x)
        numpy.save(folder / "y.npy", y)
        precision = ["--precision", "double"] if kind == "<f8" else []
        expected = programs.train(["--data", f"{folder}/x.npy,{folder}/y.npy", *precision], folder)
        found = programs.train([*shlex.split(done.stdout.splitlines()[-1])[1:], *precision], folder)
        expect(expected and found and found["sha256_last"] == expected["sha256_last"], f"{kind}: another hash than the NPY file's")


def check_kinds(programs, folder):
    """Texts stay texts, categories categories, times times; null and NaN are missing values and words are not."""
    import pyarrow
    import pyarrow.parquet
    begin = datetime.datetime(2024, 1, 1)
    table = pyarrow.table({
        "zip": [f"{i % 7:05d}" for i in range(ROWS)],
        "country": pyarrow.array([("NA", "DE", "CH")[i % 3] for i in range(ROWS)]).dictionary_encode(),
        "note": [('a "quoted", one', "two\nlines", None)[i % 3] for i in range(ROWS)],
        "size": [None if i == 3 else float("nan") if i == 4 else i / 3 for i in range(ROWS)],
        "when": pyarrow.array([begin + datetime.timedelta(hours=7 * i) for i in range(ROWS)], pyarrow.timestamp("ns", tz="Europe/Zurich")),
        "price": [decimal.Decimal(i) / 8 for i in range(ROWS)],
        "grade": pyarrow.array([i % 4 for i in range(ROWS)]),
        "in,side": [{"a": i % 5, "b": str(i % 2)} for i in range(ROWS)],
        "paid": [i % 3 == 0 for i in range(ROWS)]})
    marks = {"columns": [{"field_name": "grade", "pandas_type": "categorical"}], "index_columns": []}
    table = table.replace_schema_metadata({"pandas": json.dumps(marks)})
    for part in range(2):
        pyarrow.parquet.write_table(table.slice(450 * part, 450), folder / f"visits-{part}.parquet", row_group_size=100)
    out = folder / "visits"
    done = programs.convert(folder / "visits-*.parquet", out, "--label", "paid")
    expect(done.returncode == 0, done.stdout + done.stderr)
    command = shlex.split(done.stdout.splitlines()[-1]) if done.returncode == 0 else []
    expect(command == ["dnn_train", "--data", str(out), "--missing", "", "--columns", "category:zip,grade,9", "--label-column", "paid"], f"{command}")
    summary = programs.train(command[1:], folder)
    columns = {column["name"]: column for column in summary["table"]["columns"]} if summary else {}
    kinds = {name: column["kind"] for name, column in columns.items()}
    expect(kinds == {"zip": "category", "country": "category", "note": "category", "size": "number", "when": "date", "price": "number",
                     "grade": "category", "in,side.a": "number", "in,side.b": "category", "paid": "label"}, f"kinds: {kinds}")
    if summary:
        expect(columns["country"]["categories"] == ["CH", "DE", "NA"], f"{columns['country']}")
        expect(columns["zip"]["categories"][0] == "00000", f"{columns['zip']}")
        expect('a "quoted", one' in columns["note"]["categories"], f"{columns['note']}")


def check_refusals(programs, folder):
    import pyarrow
    import pyarrow.parquet
    pyarrow.parquet.write_table(pyarrow.table({"bytes": [b"1", b"2"], "lists": [[1], [1, 2]], "x": [1, 2]}), folder / "odd.parquet")
    (folder / "text.parquet").write_text("no Parquet")
    for words, wanted in (([folder / "odd.parquet", "--columns", "bytes"], "'bytes': values of type binary"), ([folder / "none*.parquet"], "no Parquet file"),
                          ([folder / "odd.parquet", "--columns", "lists"], "lists of 1 to 2 elements"),
                          ([folder / "odd.parquet", "--columns", "y"], "no column 'y'; the columns are 'bytes', 'lists', 'x'"),
                          ([folder / "text.parquet"], "text.parquet")):
        done = programs.convert(*words[:1], folder / "refused", *words[1:])
        expect(done.returncode == 2 and wanted in done.stderr and "Traceback" not in done.stderr, f"{words}: {done.stderr}")
        expect(not list(folder.glob("refused*")), f"{words}: something is left")
    done = programs.convert(folder / "odd.parquet", folder / "visits")
    expect(done.returncode == 2 and "exists already" in done.stderr and (folder / "visits/part-00000.csv").exists(), done.stderr)


def check_files_together(programs, folder):
    """All files decide about types and lists: an empty column, whole numbers, lists that are null may come first."""
    import pyarrow
    import pyarrow.parquet
    words = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    first = pyarrow.table({"word": pyarrow.nulls(2), "number": [1, 2], "list": pyarrow.array([None, None], pyarrow.list_(pyarrow.int64())),
                           "kind": pyarrow.array(["a", "b"]).dictionary_encode(), "pair": pyarrow.array([{"a": 1, "b": "p"}, {"a": 2, "b": "q"}],
                                                 pyarrow.struct([("a", pyarrow.int64()), ("b", words)])),
                           "words": pyarrow.array([["s"], ["t"]], pyarrow.list_(words)), "never": pyarrow.array([None, None], pyarrow.list_(pyarrow.int64()))})
    second = pyarrow.table({"word": ["u", "v"], "number": [0.5, None], "list": [None, [7.5, 8]], "kind": ["c", "a"],
                            "pair": [{"a": 0.5, "b": "q"}, {"a": 3.0, "b": "p"}],
                            "words": pyarrow.array([["t"], ["s"]], pyarrow.list_(words)), "never": pyarrow.array([None, None], pyarrow.list_(pyarrow.int64()))})
    for index, table in enumerate((first, second)):
        pyarrow.parquet.write_table(table, folder / f"mixed-{index}.parquet")
    done = programs.convert(folder / "mixed-*.parquet", folder / "mixed")
    expect(done.returncode == 0, done.stdout + done.stderr)
    lines = (folder / "mixed/part-00000.csv").read_text().splitlines() if done.returncode == 0 else []
    expect(lines == ['"word","number","list_0","list_1","kind","pair.a","pair.b","words_0"', ',1,,,"a",1,"p","s"', ',2,,,"b",2,"q","t"',
                     '"u",0.5,,,"c",0.5,"q","t"', '"v",,7.5,8,"a",3,"p","s"'], f"{lines}")
    expect("column 'never': all lists are null" in done.stdout, done.stdout)
    # What no type holds is refused with the column's name: text and numbers, a number that double would round.
    for name, values in (("text", ["a"]), ("large", [2**53 + 1])):
        other = [1.5] if name == "large" else [1]
        for index, column in enumerate((values, other)):
            pyarrow.parquet.write_table(pyarrow.table({"good": [1], name: column}), folder / f"{name}-{index}.parquet")
        done = programs.convert(folder / f"{name}-*.parquet", folder / "refused")
        expect(done.returncode == 2 and f"column '{name}'" in done.stderr and "Traceback" not in done.stderr, f"{name}: {done.stderr}")
        expect(not list(folder.glob("refused*")), f"{name}: something is left")


def check_pandas_index(programs, folder):
    """pandas' index becomes no feature, unless it is asked for."""
    import pyarrow
    import pyarrow.parquet
    marks = {"columns": [], "index_columns": ["__index_level_0__", {"kind": "range", "name": None, "start": 0, "stop": 2, "step": 1}]}
    table = pyarrow.table({"x": [1, 2], "__index_level_0__": [10, 20]}).replace_schema_metadata({"pandas": json.dumps(marks)})
    pyarrow.parquet.write_table(table, folder / "index.parquet")
    for out, words, header in (("index-1", [], '"x"'), ("index-2", ["--columns", "__index_level_0__,x"], '"__index_level_0__","x"'),
                               ("index-3", ["--label", "__index_level_0__"], '"x","__index_level_0__"')):
        done = programs.convert(folder / "index.parquet", folder / out, *words)
        expect(done.returncode == 0, done.stdout + done.stderr)
        expect((folder / out / "part-00000.csv").read_text().splitlines()[:1] == [header], f"{words}: another header than {header}")
        expect(("'__index_level_0__', the index that pandas saved, is left out" in done.stdout) == (not words), done.stdout)


def check_folders(programs, folder):
    """What is not the conversion's own stays; a folder with any name is made, with the usual permissions."""
    import pyarrow
    import pyarrow.parquet
    path = folder / "plain.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"x": [1, 2]}), path)
    kept = folder / "new.partial/kept"
    kept.parent.mkdir()
    kept.write_text("mine")
    done = programs.convert(path, folder / "new")
    expect(done.returncode == 0 and kept.read_text() == "mine", done.stderr)
    expect((folder / "new").stat().st_mode == kept.parent.stat().st_mode, "the folder has other permissions than mkdir gives")
    for name in (".", "..", "new/..", ""):
        done = programs.convert(path, name, cwd=folder)
        expect(done.returncode == 2 and "exists already" in done.stderr and "Traceback" not in done.stderr, f"{name!r}: {done.stderr}")
    done = programs.convert(path, "deep/er", cwd=folder)
    expect(done.returncode == 0 and (folder / "deep/er/part-00000.csv").exists(), done.stderr)
    left = [entry.name for entry in folder.rglob("*.partial")]
    expect(left == ["new.partial"], f"left: {left}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=absolute, required=True)
    parser.add_argument("--source", type=absolute, required=True)
    parser.add_argument("--environment", type=pathlib.Path, required=True)
    parser.add_argument("--packages", default="pyarrow numpy")
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    if not arguments.inside:
        enter(arguments.environment.absolute(), arguments.packages)
    programs = Programs(arguments)
    with tempfile.TemporaryDirectory(prefix="dnn_parquet_") as name:
        folder = pathlib.Path(name)
        check_numbers(programs, folder)
        check_kinds(programs, folder)
        check_refusals(programs, folder)
        check_files_together(programs, folder)
        check_pandas_index(programs, folder)
        check_folders(programs, folder)
    print("\n".join(FAILURES) if FAILURES else "dnn_train reads what the Parquet files hold")
    return 1 if FAILURES else 0


sys.exit(main())
