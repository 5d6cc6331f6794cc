"""Exported models, used by NumPy and by a compiled C++ program, against dnn_predict.

    export_test.py --bin FOLDER --compiler C++

The table has numbers, a column of text and missing values; the inputs are made by their names alone. Numbers to predict
lie far from 0, where float has steps of 128.
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
  dnn_model::output_number outputs[dnn_model::output_count];
  for (;;) {
    for (double& value : inputs) {
      if (std::scanf("%lf", &value) != 1) return 0;
      if (value != value) value = dnn_model::input_fill[&value - inputs];
    }
#ifdef RANKED
    std::printf("%s", dnn_model::output_names[dnn_model::predict(inputs, outputs)]);
#else
    dnn_model::predict(inputs, outputs);
    std::printf("-");
#endif
    for (dnn_model::output_number p : outputs) std::printf(" %.17g", static_cast<double>(p));
    std::printf("\\n");
  }
}
"""


def make_tables(folder, rows):
    """A table for each task, of the same features; returns their options."""
    random.seed(7)
    colours = ["red", "green", "blue"]
    heads = {"classes": "label", "numbers": "price,weight", "labels": "large,light"}
    lines = {task: ["x,y,colour," + head] for task, head in heads.items()}
    for i in range(rows):
        x, y, colour = random.uniform(-3, 3), random.uniform(100, 300), random.choice(colours)
        x = 40.0 if i % 20 == 7 else x  # beyond the clip
        features = f"{'' if i % 10 == 3 else repr(x)},{y!r},{colour},"
        level = x + (y - 200) / 50 + colours.index(colour)
        lines["classes"].append(features + ("up" if level > 1 else "down" if x < 0 else "side"))
        lines["numbers"].append(features + f"{1.7e9 + 20 * level!r},{-y / 7!r}")
        lines["labels"].append(features + f"{int(level > 0)},{int(y < 200)}")
    for task, text in lines.items():
        (folder / f"{task}.csv").write_text("\n".join(text) + "\n")
    return {task: ["--data", folder / f"{task}.csv", "--label-column", head] for task, head in heads.items()}


def inputs_of(table, description, fills):
    """The network's inputs, as their names say; NaN where there is no number, unless the description's `fills` are used."""
    fill = {column["name"]: column.get("fill", 0) if fills else numpy.nan for column in description["table"]["columns"]}
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


def outputs_of(arrays, description, inputs):
    A = ((inputs - arrays["center"]) * arrays["scale"]).astype(arrays["W1"].dtype)
    if description["clip"] > 0:
        A = numpy.clip(A, -description["clip"], description["clip"])
    layers = sum(name.startswith("W") for name in arrays)
    for n in range(1, layers + 1):
        A = A @ arrays[f"W{n}"] + arrays[f"B{n}"]
        A = numpy.maximum(A, 0) if n < layers else A
    if description["output"] == "sigmoid":
        return 1 / (1 + numpy.exp(-A))
    if description["output"] == "numbers":
        return A / arrays["target_scale"] + arrays["target_center"]
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


def run_header(compiler, folder, inputs, is_ranked):
    (folder / "use.cpp").write_text(USE)
    subprocess.run([compiler, "-std=c++11", "-O1", "-Wall", "-Wextra", "-Werror", *(["-DRANKED"] if is_ranked else []), "use.cpp", "-o", "use"],
                   cwd=folder, check=True)
    text = "\n".join(" ".join(map(repr, map(float, row))) for row in inputs)
    output = subprocess.run([folder / "use"], input=text, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in output.splitlines()]
    return numpy.array([[float(p) for p in line[1:]] for line in lines]), [line[0] for line in lines]


def check(arguments, folder, task, options, precision, hidden):
    """How far each export is from dnn_predict, relative to the spread of the outputs, but for probabilities."""
    quiet = ["--quiet", "--overwrite"]
    subprocess.run([arguments.bin / "dnn_train", *quiet, *options, "--task", task, *hidden, "--epochs", "5", "--precision",
                    precision, "--output", folder / "run"], check=True)
    subprocess.run([arguments.bin / "dnn_predict", *quiet, "--model", folder / "run/model.dnn", *options, "--output",
                    folder / "p.npy"], check=True)
    expected = numpy.load(folder / "p.npy")
    size = max(1, numpy.abs(expected - expected.mean(axis=0)).max())
    for name, file in (("npz", "model.npz"), ("safetensors", "model.safetensors"), ("header", "model.hpp")):
        subprocess.run([arguments.bin / "dnn_model", "export", folder / "run", "--format", name, "--output", folder / file, "--overwrite"], check=True)
    table = [line.split(",") for line in (folder / f"{task}.csv").read_text().splitlines()]
    errors = {}
    for name, (arrays, description) in (("npz", read_npz(folder / "model.npz")),
                                        ("safetensors", read_safetensors(folder / "model.safetensors"))):
        errors[name] = numpy.abs(outputs_of(arrays, description, inputs_of(table, description, True)) - expected).max() / size
    found, classes = run_header(arguments.compiler, folder, inputs_of(table, description, False), description["output"] == "softmax")
    errors["header"] = numpy.abs(found - expected).max() / size
    if task == "classes" and classes != [description["output_names"][k] for k in expected.argmax(axis=1)]:
        errors["the class of header"] = 1
    return errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", default="c++")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="dnn_export_") as name:
        folder = pathlib.Path(name)
        tables = make_tables(folder, 300)
        for task, precision, most, hidden in (("classes", "float", 1e-6, ["--hidden", "24,8"]), ("classes", "double", 1e-12, ["--hidden", "24"]),
                                              ("numbers", "float", 1e-5, []), ("labels", "float", 1e-6, ["--hidden", "16"])):
            for what, error in check(arguments, folder, task, tables[task], precision, hidden).items():
                failed = failed or not error <= most
                print(f"{task} {precision}: {what} differs by {error:.2g}", "" if error <= most else f"-- more than {most:g}")
    return 1 if failed else 0


sys.exit(main())
