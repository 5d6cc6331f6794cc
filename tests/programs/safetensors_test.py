"""Exported safetensors files, loaded by the safetensors package into NumPy, against dnn_predict.

    safetensors_test.py --bin FOLDER --environment FOLDER [--packages "safetensors numpy"]

With "safetensors numpy torch" as the packages, PyTorch loads them too. The environment is a virtual one of Python, which is
made where there is none. Exits 77 where that fails.
"""

import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.environment import enter  # noqa: E402


def numpy_outputs(path, pixels):
    import numpy
    from safetensors import safe_open
    from safetensors.numpy import load_file
    arrays = load_file(path)
    with safe_open(path, framework="numpy") as file:
        description = json.loads(file.metadata()["description"])
    inputs = (numpy.asarray(pixels, dtype=float) - arrays["center"]) * arrays["scale"]
    if description["clip"] > 0:
        inputs = numpy.clip(inputs, -description["clip"], description["clip"])
    A = inputs.astype(arrays["W1"].dtype)
    layers = sum(name.startswith("W") for name in arrays)
    for n in range(1, layers + 1):
        A = A @ arrays[f"W{n}"] + arrays[f"B{n}"]
        A = numpy.maximum(A, 0) if n < layers else A
    A = numpy.exp(A - A.max(axis=1, keepdims=True))
    return A / A.sum(axis=1, keepdims=True)


def torch_outputs(path, pixels):
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file
    tensors = load_file(path)
    with safe_open(path, framework="pt") as file:
        clip = json.loads(file.metadata()["description"])["clip"]
    A = (torch.tensor(pixels, dtype=torch.float64) - tensors["center"]) * tensors["scale"]
    A = (A.clamp(-clip, clip) if clip > 0 else A).to(tensors["W1"].dtype)
    layers = sum(name.startswith("W") for name in tensors)
    for n in range(1, layers + 1):
        linear = torch.nn.Linear(*tensors[f"W{n}"].shape, dtype=A.dtype)
        linear.load_state_dict({"weight": tensors[f"W{n}"].T, "bias": tensors[f"B{n}"].flatten()})
        A = linear(A) if n == layers else torch.relu(linear(A))
    return torch.softmax(A, dim=1).detach().numpy()


def make_table(folder):
    """Made-up pictures of 16 pixels, as a table; returns the pixels."""
    import random
    random.seed(3)
    rows = [[random.randrange(17) for _ in range(16)] for _ in range(400)]
    lines = [",".join(f"p{i}" for i in range(16)) + ",label"]
    lines += [",".join(map(str, row)) + "," + ("high" if sum(row[:8]) > sum(row[8:]) + 8 else "low" if sum(row) < 120 else "other") for row in rows]
    (folder / "d.csv").write_text("\n".join(lines) + "\n")
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--environment", type=pathlib.Path, required=True)
    parser.add_argument("--packages", default="safetensors numpy")
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    if not arguments.inside:
        enter(arguments.environment.absolute(), arguments.packages)
    import numpy
    readers = {"NumPy": numpy_outputs}
    if importlib.util.find_spec("torch"):
        readers["PyTorch"] = torch_outputs
    failed = False
    with tempfile.TemporaryDirectory(prefix="dnn_safetensors_") as name:
        folder = pathlib.Path(name)
        pixels = make_table(folder)
        for precision, most in (("float", 1e-6), ("double", 1e-12)):
            run = folder / precision
            subprocess.run([arguments.bin / "dnn_train", "--quiet", "--data", folder / "d.csv", "--hidden", "24,8", "--epochs", "5", "--clip-features", "2",
                            "--precision", precision, "--output", run], check=True)
            subprocess.run([arguments.bin / "dnn_predict", "--quiet", "--model", run / "model.dnn", "--data", folder / "d.csv", "--output", run / "p.npy"],
                           check=True)
            subprocess.run([arguments.bin / "dnn_model", "export", run, "--format", "safetensors", "--output", run / "m.safetensors", "--overwrite"], check=True)
            expected = numpy.load(run / "p.npy")
            for reader, outputs in readers.items():
                error = numpy.abs(outputs(run / "m.safetensors", pixels) - expected).max()
                failed = failed or not error <= most
                print(f"{reader} {precision}: differs by {error:.2g}", "" if error <= most else f"-- more than {most:g}")
    return 1 if failed else 0


sys.exit(main())
