#!/usr/bin/env python3
"""Turns Parquet files into a folder of tables that dnn_train reads, with Apache Arrow (pip install pyarrow).

    parquet_to_csv.py FILE... FOLDER [--columns a,b] [--label NAME] [--rows-per-file 1000000] [--gzip]

FILE is a Parquet file, a folder of them or a pattern; all must have the same columns, and a column whose type differs between them gets
one that holds all. They are read batch by batch, so they may be larger than memory. The last line of the output is the dnn_train
command for the folder.

Numbers keep all their digits, times are written in UTC. Null and NaN become empty cells, and the command's --missing '' says that no
word stands for a missing value. Texts and categories that look like numbers are named in the command's --columns as categories.
A struct becomes a column for each field, a list of one length a column for each element. The index that pandas saved is left out,
unless --columns names it.
"""

import argparse
import collections
import glob
import os
import pathlib
import shlex
import shutil
import sys
import tempfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

BATCH_ROWS = 65536
# What dnn_train takes for a number or a date: it begins with a digit, perhaps behind a sign, a point or a currency.
LIKE_A_NUMBER = r"^\s*[-+.,$€£]*\s*[0-9]"


class Refused(Exception):
    pass


def files_of(inputs):
    """The Parquet files that the inputs name, each input's sorted."""
    files = []
    for name in inputs:
        path = pathlib.Path(name)
        found = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.exists() else sorted(map(pathlib.Path, glob.glob(name)))
        if not found:
            raise Refused(f"{name}: no Parquet file")
        files += found
    return files


def is_list(kind):
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def without_dictionaries(kind):
    """The type whose values a file may hold as numbers of a dictionary."""
    if pa.types.is_dictionary(kind):
        return without_dictionaries(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(without_dictionaries(field.type)) for field in kind])
    return kind


def common_type(name, sources):
    """The type that holds a column's values of all files; sources are pairs of a path and a schema."""
    first, common = sources[0][0], without_dictionaries(sources[0][1].field(name).type)
    for path, schema in sources[1:]:
        kind = without_dictionaries(schema.field(name).type)
        try:
            schemas = [pa.schema([(name, one)]) for one in (common, kind)]
            common = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
        except pa.ArrowException as error:
            raise Refused(f"column {name!r}: {first} has values of type {common}, {path} of type {kind}, and no type holds both; "
                          "convert such files apart, or leave the column out with --columns") from error
    return common


class Flattener:
    """Turns batches into columns of numbers, texts and times. The lengths of lists are those of the first that is not null."""

    def __init__(self):
        self.list_lengths = {}

    def knows(self, name, kind):
        """Whether the lengths of all lists of a column are known."""
        if pa.types.is_struct(kind):
            return all(self.knows(f"{name}.{field.name}", field.type) for field in kind)
        if is_list(kind):
            return name in self.list_lengths and all(self.knows(f"{name}_{i}", kind.value_type) for i in range(self.list_lengths[name]))
        return True

    def measure(self, name, array):
        """Notes the lengths of lists that are not known yet."""
        kind = array.type
        if pa.types.is_struct(kind):
            for field, values in zip(kind, array.flatten()):
                self.measure(f"{name}.{field.name}", values)
        elif is_list(kind):
            lengths = pc.drop_null(pc.list_value_length(array))
            if name not in self.list_lengths and len(lengths) > 0:
                self.list_lengths[name] = lengths[0].as_py()
            self.check_lengths(name, array)
            for index in range(self.list_lengths.get(name, 0)):
                self.measure(f"{name}_{index}", pc.list_element(array, index))

    def check_lengths(self, name, array):
        lengths, known = pc.min_max(pc.list_value_length(array)).as_py(), self.list_lengths.get(name, 0)
        if lengths["max"] is not None and (lengths["min"], lengths["max"]) != (known, known):
            least, most = min(lengths["min"], known), max(lengths["max"], known)
            raise Refused(f"column {name!r}: lists of {least} to {most} elements; only lists of one length become columns")

    def columns(self, name, array):
        """The columns that a column becomes, with their names."""
        kind = array.type
        if pa.types.is_dictionary(kind):
            return self.columns(name, array.dictionary_decode())
        if pa.types.is_struct(kind):
            fields = zip((field.name for field in kind), array.flatten())
            return [column for field, values in fields for column in self.columns(f"{name}.{field}", values)]
        if is_list(kind):
            return self.elements(name, array)
        if pa.types.is_floating(kind):
            wide = array.cast(pa.float32()) if pa.types.is_float16(kind) else array
            return [(name, pc.if_else(pc.is_nan(wide), pa.scalar(None, wide.type), wide))]
        if pa.types.is_timestamp(kind):
            return [(name, array.cast(pa.timestamp(kind.unit)) if kind.tz else array)]  # in UTC
        if pa.types.is_time(kind) or pa.types.is_duration(kind):
            wide = pa.int32() if pa.types.is_time32(kind) else pa.int64()
            return [(name, array.cast(wide))]  # the number of units
        if pa.types.is_decimal(kind):
            return [(name, array.cast(pa.string()))]
        if is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind) or pa.types.is_null(kind):
            return [(name, array)]
        raise Refused(f"column {name!r}: values of type {kind} have no form in a table; leave the column out with --columns")

    def elements(self, name, array):
        self.check_lengths(name, array)
        columns = []
        for index in range(self.list_lengths.get(name, 0)):
            # A list that is null has null elements.
            columns += self.columns(f"{name}_{index}", pc.list_element(array, index))
        return columns


class Parts:
    """Writes columns into the files of a folder, so many rows each."""

    def __init__(self, folder, rows_per_file, packed):
        self.folder, self.rows_per_file, self.ending = folder, rows_per_file, ".csv.gz" if packed else ".csv"
        self.files = self.rows = self.rows_in_file = 0
        self.writer = self.sink = None

    def write(self, table):
        while table.num_rows > 0:
            if self.writer is None:
                self.sink = pa.output_stream(str(self.folder / f"part-{self.files:05d}{self.ending}"))  # compressed by its ending
                self.writer = pyarrow.csv.CSVWriter(self.sink, table.schema)
                self.files += 1
            piece = table.slice(0, self.rows_per_file - self.rows_in_file)
            self.writer.write_table(piece)
            self.rows += piece.num_rows
            self.rows_in_file += piece.num_rows
            table = table.slice(piece.num_rows)
            if self.rows_in_file == self.rows_per_file:
                self.close()

    def close(self):
        if self.writer is not None:
            self.writer.close()
            self.sink.close()
            self.writer, self.rows_in_file = None, 0


def word_for_columns(names, name):
    """How --columns names a column: by its name, or by its number where the name has a separator in it."""
    return str(names.index(name) + 1) if any(c in name for c in ",;:") or name.strip() != name or not name else name


def check_names(names):
    for name, count in collections.Counter(names).items():
        if count > 1:
            raise Refused(f"two columns are called {name!r}; leave one out with --columns")


def pandas_categories(schema):
    """The columns that pandas had as categories: Parquet keeps those of numbers as plain numbers."""
    columns = (schema.pandas_metadata or {}).get("columns", [])
    return {column["field_name"] for column in columns if column.get("pandas_type") == "categorical"}


def pandas_index(schema):
    """The columns that pandas had as the index of a table."""
    return {name for name in (schema.pandas_metadata or {}).get("index_columns", []) if isinstance(name, str)}


def is_text(kind):
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def looks_like_numbers(values):
    if is_text(values.type):
        return pc.any(pc.match_substring_regex(values, LIKE_A_NUMBER)).as_py() is True
    return pa.types.is_integer(values.type) or pa.types.is_floating(values.type)


class Converter:
    """Converts files of the same columns, one after another."""

    def __init__(self, folder, arguments):
        self.asked = arguments.columns.split(",") if arguments.columns else []
        self.label = arguments.label
        self.flattener, self.parts = Flattener(), Parts(folder, arguments.rows_per_file, arguments.gzip)
        self.wanted, self.types = [], {}  # columns of the files
        self.schema = None  # of the tables
        self.like_numbers = set()  # categories that look like numbers

    def convert(self, paths):
        """Writes the tables of all files."""
        sources = [(path, self.in_file(path, lambda path=path: pyarrow.parquet.read_schema(path))) for path in paths]
        self.choose_columns(sources)
        self.types = {name: common_type(name, sources) for name in self.wanted}
        self.measure_lists(paths)
        for path, schema in sources:
            categories = pandas_categories(schema)
            for batch in self.batches(path, self.wanted):
                self.add(path, batch, categories)

    @staticmethod
    def in_file(path, work):
        try:
            return work()
        except pa.ArrowException as error:
            raise Refused(f"{path}: {error}") from error

    def batches(self, path, names):
        """The batches of a file's columns."""
        file = self.in_file(path, lambda: pyarrow.parquet.ParquetFile(path))
        with file:
            batches = file.iter_batches(batch_size=BATCH_ROWS, columns=names)
            while (batch := self.in_file(path, lambda: next(batches, None))) is not None:
                yield batch

    def choose_columns(self, sources):
        names = sources[0][1].names
        index = set().union(*(pandas_index(schema) for _, schema in sources)) - set(self.asked) - {self.label}
        self.wanted = list(self.asked) or [name for name in names if name not in index]
        if self.label and self.label not in self.wanted:
            self.wanted.append(self.label)
        for name in names:
            if name in index and not self.asked:
                print(f"column {name!r}, the index that pandas saved, is left out; --columns names what to keep")
        for path, schema in sources:
            missing = [name for name in self.wanted if name not in schema.names]
            if missing:
                raise Refused(f"{path}: no column {', '.join(map(repr, missing))}; the columns are {', '.join(map(repr, schema.names))}")
            check_names([name for name in schema.names if name in self.wanted])

    def column(self, path, batch, name):
        """A column of a batch in the type that it has in the tables."""
        try:
            values = batch.column(name)
            if pa.types.is_dictionary(values.type):
                values = values.dictionary_decode()
            return values if values.type == self.types[name] else values.cast(self.types[name])
        except pa.ArrowException as error:
            raise Refused(f"{path}: column {name!r}: {error}; other files have made it {self.types[name]}") from error

    def measure_lists(self, paths):
        """Reads columns of lists up to the first that is not null: the names of the tables' columns follow from its length."""
        for path in paths:
            unknown = [name for name in self.wanted if not self.flattener.knows(name, self.types[name])]
            if not unknown:
                break
            for batch in self.batches(path, unknown):
                for name in unknown:
                    self.flattener.measure(name, self.column(path, batch, name))
                unknown = [name for name in unknown if not self.flattener.knows(name, self.types[name])]
                if not unknown:
                    break
        for name in self.wanted:
            if not self.flattener.knows(name, self.types[name]):
                print(f"column {name!r}: all lists are null, and become no column")

    def add(self, path, batch, categories):
        columns = []
        for name in self.wanted:
            kind = batch.column(name).type
            is_category = name in categories or pa.types.is_dictionary(kind) or is_text(kind)
            try:
                flattened = self.flattener.columns(name, self.column(path, batch, name))
            except pa.ArrowException as error:
                raise Refused(f"{path}: column {name!r}: {error}") from error
            for flat, values in flattened:
                columns.append((flat, values))
                if (is_category or is_text(values.type) and pa.types.is_struct(kind)) and looks_like_numbers(values):
                    self.like_numbers.add(flat)
        table = pa.table([values for _, values in columns], names=[name for name, _ in columns])
        if self.schema is None:
            self.schema = table.schema
            check_names(self.schema.names)
        self.parts.write(table)

    def finish(self):
        """Returns the command that trains on the tables, without the program and their folder."""
        self.parts.close()
        if self.parts.rows == 0:
            raise Refused("the files have no rows")
        names = self.schema.names
        print(f"{self.parts.rows:,} rows of {len(names)} columns in {self.parts.files} file{'s' if self.parts.files > 1 else ''}")
        categories = [word_for_columns(names, name) for name in names if name in self.like_numbers and name != self.label]
        words = ["--missing", ""]
        words += ["--columns", "category:" + ",".join(categories)] if categories else []
        return words + (["--label-column", self.label] if self.label else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", metavar="FILE", nargs="+")
    parser.add_argument("folder", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("--columns", help="the columns to keep, separated by commas")
    parser.add_argument("--label", help="the label's column, for the command that is printed")
    parser.add_argument("--rows-per-file", type=int, default=1_000_000)
    parser.add_argument("--gzip", action="store_true", help="compress the tables")
    arguments = parser.parse_args()
    if arguments.rows_per_file < 1:
        parser.error("--rows-per-file: at least 1")
    folder = pathlib.Path(os.path.abspath(arguments.folder))
    partial = None
    try:
        if folder.exists():
            raise Refused(f"{arguments.folder}: exists already")
        files = files_of(arguments.inputs)
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = pathlib.Path(tempfile.mkdtemp(prefix=folder.name + ".", suffix=".partial", dir=folder.parent))
        converter = Converter(partial, arguments)
        converter.convert(files)
        words = converter.finish()
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o777 & ~mask)
        partial.rename(folder)
    except (Refused, OSError) as error:
        print(f"parquet_to_csv.py: {error}", file=sys.stderr)
        return 2
    finally:
        if partial:
            shutil.rmtree(partial, ignore_errors=True)  # what is left where the conversion has failed
    print(shlex.join(["dnn_train", "--data", str(arguments.folder), *words]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
