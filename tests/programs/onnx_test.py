"""Exported ONNX files in ONNX Runtime, against dnn_predict: tables as they are, and Fashion-MNIST.

    onnx_test.py --bin FOLDER --environment FOLDER [--packages "onnx onnxruntime"]

The environment is a virtual one of Python, which is made where there is none. Exits 77 where that fails.
"""

import argparse
import datetime
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.environment import enter  # noqa: E402

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def make_tables(folder, rows):
    """Columns of all kinds; a table for each task. Returns the options for it."""
    random.seed(5)
    colours = ["red", "Grün", "blue, dark", "rare 1", "rare 2"]
    start = datetime.datetime(1962, 2, 27, 3, 30)
    heads = {"classes": "label", "numbers": "price", "labels": "large,light"}
    lines = {task: ["x,x y,colour,when,plan," + head] for task, head in heads.items()}
    for i in range(rows):
        x, y = random.uniform(-3, 3), random.uniform(1e6, 3e6)
        x = 40.0 if i % 20 == 7 else x  # beyond the clip
        colour = random.choices(colours, [30, 30, 30, 1, 1])[0]
        when = start + datetime.timedelta(hours=random.randrange(24 * 365 * 60))
        cells = ["NA" if i % 11 == 3 else "-999" if i % 11 == 8 else repr(x), repr(y), "" if i % 13 == 5 else f'"{colour}"', "" if i % 17 == 2 else when.isoformat(" "),
                 random.choice(["yes", "no"])]
        level = x + (y - 2e6) / 5e5 + colours.index(colour) + (when.month == 5)
        for task, targets in (("classes", ["up" if level > 1 else "down" if x < 0 else "side"]), ("numbers", [repr(1.7e9 + 20 * level)]),
                              ("labels", [str(int(level > 0)), str(int(y < 2e6))])):
            lines[task].append(",".join(cells + targets))
    for task, text in lines.items():
        (folder / f"{task}.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    return {task: ["--data", folder / f"{task}.csv", "--label-column", head, "--task", task] for task, head in heads.items()}


def feeds_of(numpy, path, session):
    """The table's columns as they are in the file."""
    import csv
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    feeds = {}
    for wanted in session.get_inputs():
        cells = [row[wanted.name] for row in rows]
        if wanted.type == "tensor(string)":
            values = numpy.array(cells, dtype=object)
        elif wanted.name == "when":
            epoch = datetime.datetime(1970, 1, 1)
            values = numpy.array([(datetime.datetime.fromisoformat(cell) - epoch).total_seconds() if cell else numpy.nan for cell in cells])
        else:
            values = numpy.array([float(cell) if cell not in ("", "NA") else numpy.nan for cell in cells])
        feeds[wanted.name] = values.reshape(-1, 1)
    return feeds


def images_of(numpy, folder):
    import gzip
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 784)


def exact_outputs(numpy, arrays, inputs, wide):
    """Probabilities of a model's arrays, as in README.md, all in a wider type; and the largest logit."""
    description = json.loads(arrays["description.json"])
    A = (inputs.astype(wide) - arrays["center"]) * arrays["scale"]
    if description["clip"] > 0:
        A = numpy.clip(A, -description["clip"], description["clip"])
    layers = len(description["widths"]) - 1
    for n in range(1, layers + 1):
        A = A @ arrays[f"W{n}"].astype(wide) + arrays[f"B{n}"].astype(wide)
        A = numpy.maximum(A, 0) if n < layers else A
    probabilities = numpy.exp(A - A.max(axis=1, keepdims=True))
    return probabilities / probabilities.sum(axis=1, keepdims=True), float(numpy.abs(A).max())


def outputs_of(arguments, folder, options, test_options, feeds_for):
    """What dnn_predict and ONNX Runtime say; the latter is None where the file is not what it should be."""
    import numpy
    import onnx
    import onnxruntime
    quiet = ["--quiet", "--overwrite"]
    subprocess.run([arguments.bin / "dnn_train", *quiet, *options, "--output", folder / "run"], check=True)
    subprocess.run([arguments.bin / "dnn_predict", *quiet, "--model", folder / "run/model.dnn", *test_options, "--output", folder / "p.npy"],
                   check=True)
    file = folder / "model.onnx"
    subprocess.run([arguments.bin / "dnn_model", "export", folder / "run", "--format", "onnx", "--output", file, "--overwrite"], check=True)
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    expected = numpy.load(folder / "p.npy")
    (found,) = session.run(None, feeds_for(numpy, session))
    is_whole = len(json.loads(metadata["output_names"])) == expected.shape[1] and found.shape == expected.shape
    return expected, found if is_whole else None


def check_images(arguments, folder, precision, more):
    """Fashion-MNIST: dnn_predict and ONNX Runtime against what the network says exactly. Returns whether both are near it.

    A logit is a sum of products. In float it is off by about the rounding of the largest of its partial sums, and a
    probability by up to half as much: the bound grows with the logits, and it is as large for every program that adds floats.
    """
    import numpy
    images = images_of(numpy, FASHION)
    options = ["--data", FASHION, "--precision", precision, *more]
    kind, wide, unit = ("f4", "f8", 2.0 ** -23) if precision == "float" else ("f8", numpy.longdouble, 2.0 ** -52)
    expected, found = outputs_of(arguments, folder, options, ["--data", FASHION], lambda numpy, session: {"inputs": images.astype(kind)})
    subprocess.run([arguments.bin / "dnn_model", "export", folder / "run", "--format", "npz", "--output", folder / "model.npz", "--overwrite"], check=True)
    exact, largest = exact_outputs(numpy, numpy.load(folder / "model.npz"), images, wide)
    if found is None:
        print(f"Fashion-MNIST {precision}: the file's outputs have another shape or other names")
        return False
    good = True
    for who, outputs in (("dnn_predict", expected), ("ONNX Runtime", found)):
        error = numpy.abs(outputs - exact).max()
        most = 2 * unit * max(largest, 1)
        good = good and error <= most
        print(f"Fashion-MNIST {precision} {' '.join(more)}: {who} is off by {error:.2g}, {error / unit / largest:.2f} of a last place of the largest "
              f"logit, {largest:.1f}", "" if error <= most else f"-- more than {most:.2g}", flush=True)
    apart = numpy.abs(found - expected).max()
    print(f"Fashion-MNIST {precision} {' '.join(more)}: they differ by {apart:.2g}")
    return good and ("plain" in more or apart <= 1e-6)  # with the default options, logits are small enough for that


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--environment", type=pathlib.Path, required=True)
    parser.add_argument("--packages", default="onnx onnxruntime")
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    if not arguments.inside:
        enter(arguments.environment.absolute(), arguments.packages)
    failed = False
    with tempfile.TemporaryDirectory(prefix="dnn_onnx_") as name:
        folder = pathlib.Path(name)
        cases = []
        for task, options in make_tables(folder, 400).items():
            for precision in ("float", "double"):
                cases.append((f"{task} {precision}", [*options, "--missing", "NA,-999", "--max-categories", "3", "--hidden", "12", "--epochs", "3", "--precision", precision],
                              options[:4], lambda numpy, session, path=folder / f"{task}.csv": feeds_of(numpy, path, session)))
        for what, options, test_options, feeds_for in cases:
            expected, found = outputs_of(arguments, folder, options, test_options, feeds_for)
            spread = max(1, abs(expected - expected.mean(axis=0)).max())  # of numbers far from 0, where float has steps of 128
            error = abs(found - expected).max() / spread if found is not None else float("inf")
            most = 1e-5 if what.startswith("numbers") else 1e-6
            failed = failed or not error <= most
            print(f"{what}: differs by {error:.2g}", "" if error <= most else f"-- more than {most:g}", flush=True)
        for precision in ("float", "double"):
            failed = not check_images(arguments, folder, precision, ["--hidden", "32", "--epochs", "1"]) or failed
        # Without the defaults that keep logits small.
        failed = not check_images(arguments, folder, "float", ["--hidden", "32", "--epochs", "1", "--defaults", "plain"]) or failed
    return 1 if failed else 0


sys.exit(main())
