#!/usr/bin/env python3
"""Imports runs of dnn_train into MLflow, with MLflow's own client (pip install mlflow).

    to_mlflow.py runs/a runs/b [--experiment NAME] [--tracking-uri URI]

It reads the run folders only, so it also works for a run that is still training; importing a run again adds another MLflow
run. Without --tracking-uri, MLflow decides (MLFLOW_TRACKING_URI, or ./mlruns). Parameters are the run's configuration, metrics
are those of metrics.jsonl (step: the epoch) and of steps.jsonl (step: the update; names begin with "update/"), artifacts are
the report, the best model, the summary and the figures of folds. Where the store is a database, MLflow puts artifacts into ./mlruns of the folder
in which this is run.
"""

import argparse
import collections
import hashlib
import json
import math
import os
import pathlib
import posixpath
import re
import stat
import sys

MOST_METRICS = 1000  # of one request of MLflow's
MOST_PARAMETERS = 100
LONGEST_PARAMETER = 500  # that every version of MLflow takes
ARTIFACTS = ("report.html", "model.dnn", "summary.json", "confusion.csv", "evaluation.json", "folds.json", "run.log")


class NoRun(Exception):
    pass


def text_of(path):
    """The text of a regular file; None where there is none. No link is followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NoRun(f"{path}: is no regular file")
        return file.read()


def lines_of(path):
    """The whole lines of a file of JSON lines."""
    lines = []
    for line in (text_of(path) or "").split("\n")[:-1]:
        try:
            lines.append(json.loads(line))
        except ValueError as error:
            raise NoRun(f"{path}: line {len(lines) + 1} is damaged: {error}") from error
    return lines


def plain_name(name):
    """Names of figures may hold anything; MLflow takes letters, digits and _-. / and no path that leads elsewhere."""
    plain = re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)[:200]
    return plain if posixpath.normpath("x/" + plain) == "x/" + plain else re.sub("[./]", "_", plain) or "_"


def names_for_mlflow(raw):
    """MLflow's name for each of the names. Those that would become one get digits, the same at each import."""
    plain = {name: plain_name(name) for name in raw}
    uses = collections.Counter(plain.values())
    digits = {name: hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:8] for name in plain}
    return {name: made if uses[made] == 1 else f"{made}_{digits[name]}" for name, made in plain.items()}


def numbers_in(line, prefix=""):
    """The numbers of a line, those of its objects as outer/inner."""
    for key, value in line.items():
        if isinstance(value, dict):
            yield from numbers_in(value, f"{prefix}{key}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            yield prefix + key, float(value)


def end_times(epochs, steps, run):
    """When each epoch ended, in seconds since 1970: counted back from the newest time that is known, by the epochs' seconds."""
    end = max([path.stat().st_mtime for path in (run / "metrics.jsonl",) if path.exists()] + [step["time"] for step in steps[-1:]])
    times = []
    for epoch in reversed(epochs):
        times.append(end)
        end -= epoch.get("seconds", 0) + epoch.get("evaluation_seconds", 0)
    return times[::-1]


def read_run(run):
    """Parameters and metrics (name, value, milliseconds, step) of a run folder."""
    record = json.loads(text_of(run / "summary.json") or text_of(run / "run.json") or "null")
    epochs, steps = lines_of(run / "metrics.jsonl"), lines_of(run / "steps.jsonl")
    if record is None and not epochs:
        raise NoRun(f"{run}: no run of dnn_train is in this folder")
    parameters = {}
    configuration = (record or {}).get("configuration") or {}
    names = names_for_mlflow(configuration)
    for key, value in configuration.items():
        if key != "chosen":
            parameters[names[key]] = (value if isinstance(value, str) else json.dumps(value))[:LONGEST_PARAMETER]
    for key in ("program", "ranks", "nodes", "threads", "parameters", "network", "sha256_best", "sha256_last"):
        if record is not None and key in record:
            parameters["run." + key] = str(record[key])[:LONGEST_PARAMETER]
    points = []
    for epoch, time in zip(epochs, end_times(epochs, steps, run)):
        points += [(name, value, round(1000 * time), epoch["epoch"]) for name, value in numbers_in(epoch) if name != "epoch"]
    for step in steps:
        points += [(name, value, round(1000 * step["time"]), step["update"]) for name, value in numbers_in(step, "update/")
                  if name not in ("update/update", "update/time")]
    names = names_for_mlflow({name for name, *_ in points})
    metrics = [(names[name], *point) for name, *point in points]
    return parameters, metrics, record is not None and "best_epoch" in record


def import_run(client, entities, experiment, run):
    """Returns the id of the MLflow run."""
    parameters, metrics, is_finished = read_run(run)
    times = [metric[2] for metric in metrics]
    made = client.create_run(experiment, start_time=min(times, default=None), run_name=run.resolve().name,
                             tags={"mlflow.source.name": "dnn_train", "dnn_train.folder": str(run.resolve())})
    identifier = made.info.run_id
    entries = [entities.Param(key, value) for key, value in parameters.items()]
    for begin in range(0, len(entries), MOST_PARAMETERS):
        client.log_batch(identifier, params=entries[begin:begin + MOST_PARAMETERS])
    for begin in range(0, len(metrics), MOST_METRICS):
        client.log_batch(identifier, metrics=[entities.Metric(*metric) for metric in metrics[begin:begin + MOST_METRICS]])
    for name in ARTIFACTS:
        if (run / name).is_file() and not (run / name).is_symlink():
            client.log_artifact(identifier, str(run / name))
    client.set_terminated(identifier, "FINISHED" if is_finished else "RUNNING", max(times, default=None))
    return identifier


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN", help="a run folder of dnn_train")
    parser.add_argument("--experiment", default="dnn_train", help="the MLflow experiment; made where there is none [%(default)s]")
    parser.add_argument("--tracking-uri", help="MLflow's store or server, as sqlite:///mlflow.db or http://host:5000")
    arguments = parser.parse_args()
    try:
        import mlflow
        from mlflow import entities
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        print(f"to_mlflow.py: error: MLflow is missing ({error}); install it: pip install mlflow", file=sys.stderr)
        return 2
    try:
        client = mlflow.MlflowClient(tracking_uri=arguments.tracking_uri)
        found = client.get_experiment_by_name(arguments.experiment)
        experiment = found.experiment_id if found else client.create_experiment(arguments.experiment)
        for run in arguments.runs:
            print(f"{run}: MLflow run {import_run(client, entities, experiment, run)} of experiment {arguments.experiment}")
    except (NoRun, OSError, ValueError, MlflowException) as error:
        print("to_mlflow.py: error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
