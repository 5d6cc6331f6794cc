"""--placement on four hosts: the same hash of the parameters for every format, in one file and in seven, with every
placement, on one host and on four; and killed ranks, after which the same command resumes the run.

    placement_test.py --bin FOLDER [--kills 2] [--seed N]

The long form has more kills, and also runs on one host of several ranks.

Exits 77 and says why where no cluster can be made.
"""

import argparse
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))
from support.processes import ranks_of  # noqa: E402

HANG = 240  # seconds
SAMPLES, FEATURES, PARTS = 1400, 40, 7
FAILURES = []


def expect(holds, what):
    if not holds:
        FAILURES.append(what)
        print("FAIL", what, flush=True)


class Cluster:
    def __init__(self, state):
        self.environment = dict(os.environ, DNN_CLUSTER_STATE=str(state), DNN_CLUSTER_SLOTS="3")

    def call(self, *words):
        return subprocess.run([str(word) for word in (HERE / "cluster", *words)], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG, check=False)

    def start(self, hosts, ranks, *words):
        command = [HERE / "cluster", "mpirun", "-H", hosts, "-np", ranks, "--", *words]
        return subprocess.Popen([str(word) for word in command], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def write_data(folder):
    """The same samples in each format; returns what --data names."""
    generator = numpy.random.default_rng(5)
    x = generator.integers(-50, 50, (SAMPLES, FEATURES)).astype(numpy.float32) / 8
    x[generator.random(x.shape) < 0.6] = 0
    y = (x @ generator.standard_normal((FEATURES, 3))).argmax(axis=1)
    lines = [",".join(f"{value:.9g}" for value in row) + f",{label}\n" for row, label in zip(x, y)]
    sparse = [str(label) + "".join(f" {j + 1}:{value:.9g}" for j, value in enumerate(row) if value != 0) + "\n"
              for row, label in zip(x, y)]
    header = ",".join(f"x{j}" for j in range(FEATURES)) + ",label\n"
    (folder / "one.csv").write_text(header + "".join(lines))
    (folder / "one.svm").write_text("".join(sparse))
    numpy.save(folder / "x.npy", x)
    numpy.save(folder / "y.npy", y)
    borders = sorted(generator.choice(SAMPLES, PARTS - 1, replace=False).tolist())
    for number, (begin, end) in enumerate(zip([0, *borders], [*borders, SAMPLES])):
        (folder / f"part-{number}.csv").write_text(header + "".join(lines[begin:end]))
        (folder / f"part-{number}.svm").write_text("".join(sparse[begin:end]))
        with h5py.File(folder / f"part-{number}.h5", "w") as file:
            file.create_dataset("x", data=x[begin:end], chunks=(max(1, (end - begin) // 3), FEATURES), compression="gzip")
            file.create_dataset("y", data=y[begin:end])
    arrays = [f"{folder}/x.npy,{folder}/y.npy", f"{folder}/part-*.h5"]
    return {"table": [f"{folder}/one.csv", f"{folder}/part-*.csv"], "array": arrays, "sparse": [f"{folder}/one.svm", f"{folder}/part-*.svm"]}


class Jobs:
    def __init__(self, cluster, program, work):
        self.cluster, self.program, self.work = cluster, program, work
        self.scratch = work / "scratch"
        self.scratch.mkdir()

    def words(self, data, placement, output, *more):
        return [self.program, "--data", data, "--placement", placement, "--scratch", self.scratch, "--hidden", "24,12",
                *(() if "--epochs" in more else ("--epochs", "2")), "--threads", "1", "--normalize", "none", "--output", output, *more]

    def hash_of(self, hosts, ranks, data, placement, *more):
        output = self.work / "run"
        shutil.rmtree(output, ignore_errors=True)
        words = self.words(data, placement, output, *more)
        if hosts is None:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=HANG, check=False)
            text, status = done.stdout + done.stderr, done.returncode
        else:
            job = self.cluster.start(hosts, ranks, *words)
            text, status = job.communicate(timeout=HANG)[0], job.returncode
        if status != 0:
            return f"exit {status}: {text}"
        summary = json.loads((output / "summary.json").read_text())
        nodes = 1 if hosts is None else len(hosts.split(","))
        used = placement if nodes > 1 or placement == "disk" else "node"
        expect(summary["placement"]["used"] == used, f"{hosts} {data}: {summary['placement']} rather than {used}")
        return summary["sha256_last"]


def one_hash(jobs, data, whole):
    """Four hosts, each format and placement, against one rank; `whole`: one host of several ranks, too."""
    for kind, sources in data.items():
        expected = jobs.hash_of(None, 1, sources[0], "node")
        for source in sources:
            for hosts, ranks in (("h1:1,h2:1,h3:1,h4:1", 4), ("h1:2,h2:3,h3:2,h4:1", 8), *((("h1:3", 3), ("h1:1,h3:1", 2)) if whole else ())):
                for placement in ("node", "job", "disk"):
                    found = jobs.hash_of(hosts, ranks, source, placement)
                    expect(found == expected, f"{kind} {source}, {placement} on {hosts}: {found} rather than {expected}")
        print("PASS" if not FAILURES else "....", f"{kind}: one hash, {expected[:16]}", flush=True)


def storm(jobs, source, kills, draw):
    """A rank is killed at a random time, again and again, while features are shared out or on disks."""
    more = ("--epochs", "40", "--batch-size", "64", "--checkpoint-every", "20", "--keep", "2", "--stall-timeout", "20")
    expected = jobs.hash_of(None, 1, source, "node", *more)
    done = 0
    for number in itertools.count():
        if done >= kills:
            break
        placement = ("job", "disk")[number % 2]
        output = jobs.work / f"storm-{number}"
        for path in jobs.scratch.iterdir():
            path.unlink()
        if FAILURES:
            return
        text = ""
        for attempt in range(40):
            job = jobs.cluster.start("h1:2,h2:2,h3:1", 5, *jobs.words(source, placement, output, *more))
            if attempt < max(1, kills // 2) and done < kills:
                time.sleep(draw.uniform(0.2, 4))
                ranks = ranks_of(output)
                if ranks and job.poll() is None:
                    os.kill(draw.choice(ranks), signal.SIGKILL)
                    done += 1
            try:
                text = job.communicate(timeout=HANG)[0]
            except subprocess.TimeoutExpired:
                expect(False, f"{placement}: the job hung after a kill")
                os.killpg(job.pid, signal.SIGKILL)
                job.wait()
                break
            if job.returncode == 0:
                break
        summary = json.loads((output / "summary.json").read_text()) if job.returncode == 0 else {}
        expect(summary.get("sha256_last") == expected, f"{placement}: other parameters after kills: {text[-2000:]}")
        names = sorted(path.suffix for path in jobs.scratch.iterdir())
        expect(names == ([".rows"] if placement == "disk" else []), f"{placement} left {names} in the scratch folder")
        end = time.monotonic() + 30
        while ranks_of(output) and time.monotonic() < end:
            time.sleep(0.1)
        expect(not ranks_of(output), f"{placement}: ranks live on")
    print("PASS" if not FAILURES else "....", f"storm: {done} kills", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dnn_placement_") as folder:
        work = pathlib.Path(folder)
        cluster = Cluster(work / "cluster")
        try:
            up = cluster.call("up")
            if up.returncode != 0:
                print(up.stdout)
                sys.exit(up.returncode)
            data_folder = work / "data"
            data_folder.mkdir()
            cluster.call("show", work, arguments.bin)
            data = write_data(data_folder)
            jobs = Jobs(cluster, arguments.bin / "dnn_train", work)
            one_hash(jobs, data, arguments.kills > 2)
            storm(jobs, data["table"][0], arguments.kills, random.Random(arguments.seed))
        finally:
            cluster.call("down")
    sys.exit(1 if FAILURES else 0)


main()
