"""launch/to_mlflow.py with the real MLflow: parameters, metrics and artifacts of a run are there, and are the run's.

    mlflow_test.py --bin FOLDER --source FOLDER --environment FOLDER [--packages "mlflow-skinny sqlalchemy alembic"]

The environment is a virtual one of Python, which is made where there is none. Exits 77 where that fails.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.environment import enter  # noqa: E402

# Names that MLflow does not take and a spreadsheet would run.
TABLE = "x,=1+1|<b>,other\n" + "".join(f"{i % 7},{i % 7 * 2.5 + i % 3},{i % 5}\n" for i in range(300))


def absolute(path):
    return pathlib.Path(path).absolute()


def convert(arguments, runs, options=()):
    return subprocess.run([sys.executable, arguments.source / "launch/to_mlflow.py", *runs, *options], capture_output=True, text=True, check=False,
                          env={**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"})


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def check_run(equal, client, identifier, run, begin):
    data = client.get_run(identifier)
    epochs, steps = lines_of(run / "metrics.jsonl"), lines_of(run / "steps.jsonl")
    equal(data.info.status, "FINISHED", "status")
    equal(data.data.params["hidden"], "[8]", "a parameter")
    equal(data.data.params["run.sha256_last"], epochs[-1]["sha256"], "the hash")
    for name in ("train_loss", "validation_loss", "lr"):
        found = client.get_metric_history(identifier, name)
        equal([(point.step, point.value) for point in found], [(epoch["epoch"], epoch[name]) for epoch in epochs], name)
        times = [point.timestamp / 1000 for point in found]
        equal(times, sorted(times), f"times of {name} in order")
        equal(begin - 5 < times[0] and times[-1] < time.time() + 5, True, f"times of {name}: {times}")
    for name, value in (("update/loss", lambda step: step["loss"]), ("update/seconds/compute", lambda step: step["seconds"]["compute"])):
        found = client.get_metric_history(identifier, name)
        equal([(point.step, point.value, point.timestamp) for point in found],
              [(step["update"], value(step), round(1000 * step["time"])) for step in steps], name)
    figures = sorted(name for name in data.data.metrics if "rmse" in name)
    equal(figures, ["validation_rmse__1_1__b__", "validation_rmse_other_"], "names of figures, a hostile one too")
    artifacts = {item.path: item.file_size for item in client.list_artifacts(identifier)}
    for name in ("report.html", "model.dnn", "summary.json"):
        equal(artifacts.get(name), (run / name).stat().st_size, f"artifact {name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=absolute, required=True)
    parser.add_argument("--source", type=absolute, required=True)
    parser.add_argument("--environment", type=pathlib.Path, required=True)
    parser.add_argument("--packages", default="mlflow-skinny sqlalchemy alembic")
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    if not arguments.inside:
        enter(arguments.environment.absolute(), arguments.packages)
    import mlflow
    failures = []

    def equal(found, expected, what):
        if found != expected:
            failures.append(f"{what}: {found!r} is not {expected!r}")

    with tempfile.TemporaryDirectory(prefix="dnn_mlflow_") as name:
        folder = pathlib.Path(name)
        os.chdir(folder)  # MLflow puts artifacts into ./mlruns, whatever the store
        (folder / "t.csv").write_text(TABLE)
        run = folder / "night"
        begin = time.time()
        subprocess.run([arguments.bin / "dnn_train", "--quiet", "--data", folder / "t.csv", "--task", "numbers", "--label-column", "2,3", "--hidden", "8",
                        "--epochs", "4", "--step-log", "3", "--validation", "0.2", "--output", run], check=True)
        store = f"sqlite:///{folder}/mlflow.db"
        done = convert(arguments, [run], ["--tracking-uri", store, "--experiment", "digits"])
        equal(done.returncode, 0, f"exit code ({done.stderr})")
        client = mlflow.MlflowClient(tracking_uri=store)
        found = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
        equal([item.info.run_name for item in found], ["night"], "runs")
        check_run(equal, client, found[0].info.run_id, run, begin)
        (run / "summary.json").unlink()
        (run / "run.json").write_text(json.dumps({"configuration": {"hidden": [8]}}))
        done = convert(arguments, [run], ["--tracking-uri", store, "--experiment", "training"])
        found = client.search_runs([client.get_experiment_by_name("training").experiment_id])
        equal([item.info.status for item in found], ["RUNNING"], "a run that trains")
        done = convert(arguments, [folder], ["--tracking-uri", store])
        equal((done.returncode, "no run of dnn_train" in done.stderr), (2, True), f"a folder without a run: {done.stderr}")
        client.delete_experiment(client.get_experiment_by_name("training").experiment_id)
        for options in (["--tracking-uri", store, "--experiment", "training"], ["--tracking-uri", "http://127.0.0.1:9"]):
            done = convert(arguments, [run], options)
            equal((done.returncode, done.stderr.startswith("to_mlflow.py: error: "), done.stderr.count("\n")), (2, True, 1),
                  f"{options}: {done.stderr}")
        os.chdir("/")
    print("\n".join(failures) or "MLflow has what the run has")
    return 1 if failures else 0


sys.exit(main())
