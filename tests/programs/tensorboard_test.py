"""Files that a run writes for other programs, read by these: TensorBoard's events, OpenMetrics text by Prometheus's parser.

    tensorboard_test.py --bin FOLDER --environment FOLDER [--packages "tensorboard prometheus_client"]

The environment is a virtual one of Python, which is made where there is none. Exits 77 where that fails.
"""

import argparse
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

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


class Server:
    """A TensorBoard that shows the runs of a folder on the loopback interface."""

    def __init__(self, folder):
        self.process = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--host", "127.0.0.1", "--port", "0"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        told = ""
        for line in self.process.stderr:
            told += line
            found = re.search(r"at (http://[^ ]+?)/? ", line)
            if found:
                self.address = found.group(1)
                return self
        raise RuntimeError(f"TensorBoard has not started: {told}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def ask(self, what, **question):
        """What the plugin of hyperparameters answers to its own page."""
        query = urllib.parse.urlencode({"request": json.dumps(question)})
        with urllib.request.urlopen(f"{self.address}/data/plugin/hparams/{what}?{query}", timeout=60) as answer:
            return json.load(answer)

    def sessions(self, count):
        """The runs that it shows, once there are so many, by their folders."""
        statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
        end = time.monotonic() + 60
        while True:
            groups = self.ask("session_groups", experimentName="", allowedStatuses=statuses, colParams=[], startIndex=0, sliceSize=100)["sessionGroups"]
            if len(groups) >= count or time.monotonic() > end:
                return {group["sessions"][0]["name"]: group for group in groups}
            time.sleep(0.5)


def check_hyperparameters(true, folder, runs, unfinished):
    """HPARAMS has each run's options, its best model's figures, and whether it has ended."""
    with Server(folder) as server:
        sessions = server.sessions(len(runs) + 1)
        true(len(sessions) == len(runs) + 1, f"sessions {list(sessions)}")
        for run in runs:
            summary = json.loads((run / "summary.json").read_text())
            group = sessions[str((run / "tensorboard").relative_to(folder))]
            options, session = group["hparams"], group["sessions"][0]
            for key in ("epochs", "lr", "hidden", "optimizer", "drop-unlabelled"):
                value = summary["configuration"][key]
                expected = ",".join(map(str, value)) if isinstance(value, list) else value
                true(options[key] == expected, f"{run.name}: {key} is {options.get(key)}, not {expected}")
            true("output" not in options and "threads" not in options, f"options {list(options)}")
            true(session["status"] == "STATUS_SUCCESS", f"{run.name}: {session['status']}")
            true(session["startTimeSecs"] <= session["endTimeSecs"] < session["startTimeSecs"] + 600, f"{run.name}: times {session}")
            metrics = {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}
            for key in ("loss", "accuracy"):
                true(math.isclose(metrics["best/" + key], summary["evaluation_of_best"][key], rel_tol=1e-6), f"{run.name}: best/{key} {metrics}")
            true("epoch/validation_loss" in metrics, f"metrics {list(metrics)}")
        stopped = sessions[str((unfinished / "tensorboard").relative_to(folder))]["sessions"][0]
        true(stopped["status"] == "STATUS_UNKNOWN", f"a run that was stopped: {stopped['status']}")
        infos = {info["name"]: info for info in server.ask("experiment", experimentName="")["hparamInfos"]}
        true(infos["hidden"]["differs"] and sorted(infos["hidden"]["domainDiscrete"]) == ["4,4", "8"], f"hidden: {infos['hidden']}")
        true(not infos["optimizer"]["differs"], f"optimizer: {infos['optimizer']}")


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
        killed = file.with_name(file.name + ".tmp.0123456789abcdef")
        killed.write_bytes(file.read_bytes())  # as if killed while it cut the file back
        subprocess.run([*train, "--epochs", "4"], check=True)
        check_events(true, run, updates)
        check_openmetrics(true, metrics, run)
        other, stopped = pathlib.Path(name) / "other", pathlib.Path(name) / "stopped"
        plain = [arguments.bin / "dnn_train", "--defaults", "plain", "--quiet", "--tensorboard"]
        subprocess.run([*plain, "--epochs", "3", "--hidden", "4,4", "--output", other], check=True)
        asked = subprocess.run([*plain, "--hidden", "8", "--epochs", "1000000", "--time-limit", "2", "--output", stopped], check=False)
        true(asked.returncode == 75, f"exit code of a run that was stopped: {asked.returncode}")
        check_hyperparameters(true, pathlib.Path(name), [run, other], stopped)
    print("\n".join(failures) or "TensorBoard and Prometheus read what the run has")
    return 1 if failures else 0


sys.exit(main())
