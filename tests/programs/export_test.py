"""Exported models, used by NumPy and by a compiled C++ program, against dnn_predict.

    export_test.py --bin FOLDER --compiler C++

The table has numbers, a column of text and missing values; the inputs are made by their names alone.
"""

import argparse
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import numpy

USE = """#include "model.hpp"
#include <cstdio>
int main() {
  double inputs[dnn_model::input_count];
  dnn_model::number probabilities[dnn_model::class_count];
  for (;;) {
    for (double& value : inputs) {
      if (std::scanf("%lf", &value) != 1) return 0;
    }
    const int found = dnn_model::predict(inputs, probabilities);
    std::printf("%s", dnn_model::class_names[found]);
    for (dnn_model::number p : probabilities) std::printf(" %.17g", static_cast<double>(p));
    std::printf("\\n");
  }
}
"""


def make_table(path, rows):
    random.seed(7)
    colours = ["red", "green", "blue"]
    lines = ["x,y,colour,label"]
    for i in range(rows):
        x, y, colour = random.uniform(-3, 3), random.uniform(100, 300), random.choice(colours)
        label = "up" if x + (y - 200) / 50 + colours.index(colour) > 1 else "down" if x < 0 else "side"
        lines.append(f"{'' if i % 10 == 3 else repr(x)},{y!r},{colour},{label}")
    path.write_text("\n".join(lines) + "\n")


def inputs_of(table, description):
    """The network's inputs, as their names say."""
    fill = {column["name"]: column.get("fill", 0) for column in description["table"]["columns"]}
    rows = [dict(zip(table[0], row)) for row in table[1:]]
    inputs = numpy.zeros((len(rows), len(description["input_names"])))
    for i, row in enumerate(rows):
        for j, name in enumerate(description["input_names"]):
            if " = " in name:
                column, value = name.split(" = ")
                inputs[i, j] = row[column] == value
            elif name.endswith(" is missing"):
                inputs[i, j] = row[name.removesuffix(" is missing")] == ""
            else:
                inputs[i, j] = float(row[name]) if row[name] else fill[name]
    return inputs


def probabilities_of(arrays, inputs):
    A = ((inputs - arrays["center"]) * arrays["scale"]).astype(arrays["W1"].dtype)
    layers = sum(name.startswith("W") for name in arrays)
    for n in range(1, layers + 1):
        A = A @ arrays[f"W{n}"] + arrays[f"B{n}"]
        A = numpy.maximum(A, 0) if n < layers else A
    A = numpy.exp(A - A.max(axis=1, keepdims=True))
    return A / A.sum(axis=1, keepdims=True)


def read_npz(path):
    archive = numpy.load(path)
    description = json.loads(archive["description.json"])
    return {name: archive[name] for name in archive.files if name != "description.json"}, description


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8:8 + length])
    description = json.loads(head.pop("__metadata__")["description"])
    types = {"F32": numpy.float32, "F64": numpy.float64}
    arrays = {}
    for name, place in head.items():
        begin, end = place["data_offsets"]
        arrays[name] = numpy.frombuffer(data[8 + length + begin:8 + length + end], types[place["dtype"]]).reshape(place["shape"])
    return arrays, description


def run_header(compiler, folder, inputs):
    (folder / "use.cpp").write_text(USE)
    subprocess.run([compiler, "-std=c++11", "-O1", "-Wall", "-Wextra", "-Werror", "use.cpp", "-o", "use"], cwd=folder, check=True)
    text = "\n".join(" ".join(map(repr, map(float, row))) for row in inputs)
    output = subprocess.run([folder / "use"], input=text, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in output.splitlines()]
    return numpy.array([[float(p) for p in line[1:]] for line in lines]), [line[0] for line in lines]


def check_precision(arguments, folder, precision):
    """How far each export is from dnn_predict."""
    program = arguments.bin / "dnn_model"
    subprocess.run([arguments.bin / "dnn_train", "--quiet", "--overwrite", "--data", folder / "table.csv", "--hidden", "24,8", "--epochs",
                    "5", "--precision", precision, "--output", folder / "run"], check=True)
    subprocess.run([arguments.bin / "dnn_predict", "--quiet", "--overwrite", "--model", folder / "run/model.dnn", "--data",
                    folder / "table.csv", "--label-column", "label", "--output", folder / "p.npy"], check=True)
    expected = numpy.load(folder / "p.npy")
    for name, file in (("npz", "model.npz"), ("safetensors", "model.safetensors"), ("header", "model.hpp")):
        subprocess.run([program, "export", folder / "run", "--format", name, "--output", folder / file], check=True)
    table = [line.split(",") for line in (folder / "table.csv").read_text().splitlines()]
    errors = {}
    for name, (arrays, description) in (("npz", read_npz(folder / "model.npz")),
                                        ("safetensors", read_safetensors(folder / "model.safetensors"))):
        inputs = inputs_of(table, description)
        errors[name] = numpy.abs(probabilities_of(arrays, inputs) - expected).max()
    found, classes = run_header(arguments.compiler, folder, inputs)
    errors["header"] = numpy.abs(found - expected).max()
    if classes != [description["classes"][k] for k in expected.argmax(axis=1)]:
        errors["classes"] = 1
    return {(precision, name): error for name, error in errors.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", default="c++")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="dnn_export_") as name:
        folder = pathlib.Path(name)
        make_table(folder / "table.csv", 300)
        for precision, most in (("float", 1e-6), ("double", 1e-12)):
            for what, error in check_precision(arguments, folder, precision).items():
                failed = failed or not error <= most
                print(*what, f"differ by {error:.2g}", "" if error <= most else f"-- more than {most:g}")
    return 1 if failed else 0


sys.exit(main())
