"""Files that a run writes for other programs, read by these: TensorBoard's events, OpenMetrics text by Prometheus's parser.

    tensorboard_test.py --bin FOLDER --environment FOLDER [--packages "tensorboard prometheus_client"]

The environment is a virtual one of Python, which is made where there is none. Exits 77 where that fails.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.environment import enter  # noqa: E402

NAME = 'h <script>alert(1)</script> "\\'


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def near(found, expected):
    return len(found) == len(expected) and all(a == b and math.isclose(c, d, rel_tol=1e-6) for (a, c), (b, d) in zip(found, expected))


def check_events(true, run, updates):
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.compat.proto import event_pb2
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

    events = event_accumulator.EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    steps, epochs = lines_of(run / "steps.jsonl"), lines_of(run / "metrics.jsonl")
    for key in ("loss", "gradient_norm", "learning_rate"):
        found = [(event.step, event.value) for event in events.Scalars("update/" + key)]
        true(near(found, [(step["update"], step[key]) for step in steps]), f"update/{key}: {found}")
    for key in ("train_loss", "validation_loss", "validation_accuracy"):
        found = [(event.step, event.value) for event in events.Scalars("epoch/" + key)]
        true(near(found, [(epoch["epoch"] * updates, epoch[key]) for epoch in epochs]), f"epoch/{key}: {found}")
    true(set(tags["histograms"]) == {prefix + name for prefix in ("", "d") for name in ("W1", "B1", "W2", "B2")}, f"histograms {tags['histograms']}")
    for tag, count in (("W1", 61 * 8), ("dB2", 10)):
        found = [(event.step, event.histogram_value.num, sum(event.histogram_value.bucket)) for event in events.Histograms(tag)]
        true(found == [(epoch["epoch"] * updates, count, count) for epoch in epochs], f"histogram {tag}: {found}")
    (text,) = [event.tensor_proto.string_val[0].decode() for event in events.Tensors("configuration")]
    true('hidden = [8]' in text and "seed = " in text, f"configuration {text}")
    true("\x1b" not in text and all(line.startswith("    ") for line in text.splitlines()), "the configuration is quoted as it is")
    # Every record's CRC is right: TensorBoard's reader refuses others.
    (file,) = (run / "tensorboard").iterdir()
    reader, count = PyRecordReader_New(str(file)), 0
    while True:
        try:
            reader.GetNext()
        except Exception as error:  # noqa: BLE001 -- its type differs between versions
            true("OutOfRange" in type(error).__name__, f"the reader ends with {error!r}")
            break
        event_pb2.Event.FromString(reader.record())
        count += 1
    true(count > len(steps) + len(epochs), f"{count} records")


def check_openmetrics(true, path, run):
    from prometheus_client import parser as text_format
    from prometheus_client.openmetrics import parser as openmetrics
    text = path.read_text()
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(text)}
    plain = {sample.name: sample for family in text_format.text_string_to_metric_families(text) for sample in family.samples}
    epochs, steps = lines_of(run / "metrics.jsonl"), lines_of(run / "steps.jsonl")
    for name, value in (("ranks", 1), ("epochs_done", len(epochs)), ("loss", steps[-1]["loss"]), ("validation_loss", epochs[-1]["validation_loss"])):
        (sample,) = families["dnn_train_" + name].samples
        true(sample.value == value and sample.labels == {"run": str(run)}, f"{name}: {sample}")
        true(plain["dnn_train_" + name].value == value, f"{name} in the older format")
    phases = {sample.labels["phase"]: sample.value for sample in families["dnn_train_phase_seconds"].samples}
    true(set(phases) == {"load", "compute", "exchange", "update"} and phases["compute"] > 0, f"phases {phases}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--environment", type=pathlib.Path, required=True)
    parser.add_argument("--packages", default="tensorboard prometheus_client")
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    if not arguments.inside:
        enter(arguments.environment.absolute(), arguments.packages)
    failures = []

    def true(condition, what):
        if not condition:
            failures.append(what)

    with tempfile.TemporaryDirectory(prefix="dnn_tensorboard_") as name:
        run, metrics = pathlib.Path(name) / NAME, pathlib.Path(name) / "run.prom"
        train = [arguments.bin / "dnn_train", "--defaults", "plain", "--quiet", "--hidden", "8", "--lr-schedule", "constant", "--step-log", "5",
                 "--tensorboard", "histograms", "--openmetrics", metrics, "--output", run]
        subprocess.run([*train, "--epochs", "2"], check=True)
        updates = 13  # 1,617 samples in batches of 128
        check_events(true, run, updates)
        # As if it had been killed after its last checkpoint; the same command goes on.
        (file,) = (run / "tensorboard").iterdir()
        file.write_bytes(file.read_bytes() + b"half a record")
        subprocess.run([*train, "--epochs", "4"], check=True)
        check_events(true, run, updates)
        check_openmetrics(true, metrics, run)
    print("\n".join(failures) or "TensorBoard and Prometheus read what the run has")
    return 1 if failures else 0


sys.exit(main())
