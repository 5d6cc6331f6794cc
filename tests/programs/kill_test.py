"""Kills a training job at random moments, starts the same command again, and so on until it is done; then
compares its parameters with those of a run that nobody disturbed. Again and again, until there were enough
kills.

    kill_test.py --bin BUILD --mpiexec MPIEXEC [--kills 20] [--ranks 2[,N...]] [--seed N] [--parts]
                 [--model-parallel M]

The job runs under launch/dnn_run, as users run it, but is started again from here, so that every start is
looked at. With several numbers of ranks every start takes another one. Fails on:
other parameters, a damaged checkpoint, a job or a process that does not end, a job that was asked to stop amid
training and did not exit with 75, files, shared memory or session folders of MPI left over.
"""

import argparse
import collections
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

OPTIONS = ["--defaults", "plain", "--hidden", "128,64", "--dropout", "0.2", "--epochs", "600", "--checkpoint-every", "25"]
STALL_TIMEOUT, LAUNCH_TIMEOUT = 2, 4  # seconds without progress; in which MPI must have started, or ended
MANY_RANKS = 4  # more than these, on few cores, get three times as long
PATIENCE = 180  # seconds until a job that was killed counts as hung: dnn_run ends one that hangs after its --grace of 120


def children(pid):
    """The processes that mpirun has started."""
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in text.split()]


def mpirun_of(pid):
    """The mpirun that dnn_run has started; 0: none."""
    for child in children(pid):
        try:
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() in ("mpirun", "mpiexec", "orterun", "prterun"):
                return child
        except OSError:
            continue
    return 0


def has_begun(pid):
    """Whether it runs the program already; before, it is a copy of mpirun, which waits for it."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith(("dnn_train", "parallel_run"))
    except OSError:
        return False


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def send(pid, number):
    try:
        if pid:
            os.kill(pid, number)
        return bool(pid)
    except ProcessLookupError:
        return False


def results(run):
    summary = json.loads((run / "summary.json").read_text())
    return summary["sha256_last"], summary["sha256_best"]


class Storm:
    def __init__(self, arguments):
        self.random = random.Random(arguments.seed)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="dnn_kill_"))
        program = ([f"{arguments.bin}/tests/parallel_run", "1"] if arguments.parts else [f"{arguments.bin}/dnn_train"])
        dnn_run = pathlib.Path(__file__).resolve().parents[2] / "launch/dnn_run"
        self.launcher = [sys.executable, str(arguments.dnn_run or dnn_run), "--restarts", "0", arguments.mpiexec, "-n"]
        self.program = [*program, *OPTIONS, "--model-parallel", str(arguments.model_parallel)]
        self.ranks = arguments.ranks
        self.slowness = 3 if max(arguments.ranks) > MANY_RANKS else 1
        self.program += ["--stall-timeout", str(STALL_TIMEOUT * self.slowness)]
        self.kills = collections.Counter()
        self.errors = []
        self.mpiruns, self.jobs = set(), set()

    def start(self, run):
        ranks = str(self.random.choice(self.ranks))
        return subprocess.Popen([*self.launcher, ranks, *self.program, "--output", str(run)], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                env={**os.environ, "DNN_LAUNCH_TIMEOUT": str(LAUNCH_TIMEOUT * self.slowness)})

    def finish(self, process, ranks):
        """Waits for the job's end; returns exit code and output."""
        try:
            output, _ = process.communicate(timeout=PATIENCE * self.slowness)
        except subprocess.TimeoutExpired:
            alive = [f"{pid} ({'rank' if pid in ranks else 'mpirun'})" for pid in [mpirun_of(process.pid), *ranks]
                     if is_alive(pid)]
            self.errors.append(f"hung after {self.last}, alive: {alive}")
            for left in [process.pid, mpirun_of(process.pid), *ranks]:
                send(left, signal.SIGKILL)
            output, _ = process.communicate()
        end = time.monotonic() + 10
        while any(is_alive(rank) for rank in ranks):
            if time.monotonic() > end:
                self.errors.append(f"a rank outlives its job after {self.last}")
                for rank in ranks:
                    send(rank, signal.SIGKILL)
                break
            time.sleep(0.02)
        if self.is_crash(process.returncode, output):
            self.errors.append(f"a crash (exit code {process.returncode}) after {self.last}:\n{output}")
        if "skipped a damaged checkpoint" in output:
            self.errors.append(f"a damaged checkpoint after {self.last}:\n{output}")
        return process.returncode, output

    @staticmethod
    def is_crash(code, output):
        """Of a rank. The mpirun of Open MPI 4.1.4 itself crashes now and then while it cleans up after a job that
        was killed; to dnn_run that is a crash like any other, after which it starts the job again."""
        if "PMIx_server_finalize" in output:
            return any(f"exited on signal {number}" in output for number in (6, 7, 11))
        return code in (134, 135, 136, 139) or any(
            word in output for word in ("Segmentation fault", "Aborted (6)", "corrupted size", "Bus error"))

    def kill(self, process, run):
        """Does to a running job what clusters do; returns its ranks."""
        wait = self.random.uniform(0, 1.2)
        time.sleep(wait)
        mpirun = mpirun_of(process.pid)
        ranks = children(mpirun)
        self.mpiruns.add(mpirun)
        self.jobs.update(job_of(rank) for rank in ranks if has_begun(rank))
        kinds = ["KILL a rank", "STOP a rank", "TERM a rank", "USR1 to mpirun", "KILL mpirun", "TERM mpirun",
                 "KILL dnn_run", "TERM dnn_run"]
        kind = self.random.choice(kinds)
        number = getattr(signal, "SIG" + next(w for w in kind.split() if w in ("KILL", "STOP", "TERM", "USR1")))
        target = process.pid if kind.endswith("dnn_run") else mpirun
        target = self.random.choice(ranks) if kind.endswith("rank") and ranks else target
        # A job whose only rank is stopped is suspended as a whole, and is left alone; and the mpirun of Open MPI
        # 4.1.4 may itself wait for ever for a rank that was stopped while MPI started.
        if kind.startswith("STOP") and (len(ranks) == 1 or not self.holds(run, ranks)):
            return ranks
        if process.poll() is None and (ranks or not kind.endswith("rank")) and target and send(target, number):
            self.kills[kind] += 1
            self.last = f"{kind} after {wait:.2f} s"
            self.asked = kind in ("TERM a rank", "USR1 to mpirun", "TERM dnn_run")
        return ranks

    @staticmethod
    def holds(run, ranks):
        """Whether one of these ranks has taken the run's folder; a job that is dead may have left its lock."""
        try:
            owner = (run / ".lock").read_text()
        except OSError:
            return False
        return any(owner.endswith(f"process {rank}\n") for rank in ranks)

    def left_by_mpi(self):
        """Shared memory and session folders of this storm's jobs."""
        found = []
        for job in self.jobs - {0}:
            found += pathlib.Path("/dev/shm").glob(f"*.{job:x}.*")
        for mpirun in self.mpiruns - {0}:
            found += pathlib.Path(tempfile.gettempdir()).glob(f"ompi.*.{os.getuid()}/pid.{mpirun}")
        return [str(path) for path in found]

    def one_run(self):
        """One run to its end through kills; returns the SHA-256 of its last parameters."""
        run = self.work / "run"
        shutil.rmtree(run, ignore_errors=True)
        for attempt in range(1000):
            process = self.start(run)
            self.asked = False
            ranks = self.kill(process, run)
            is_training = self.holds(run, ranks)
            code, output = self.finish(process, ranks)
            if self.asked and is_training and code not in (0, 75):
                self.errors.append(f"exit code {code} after {self.last}:\n{output}")
            if code == 2:
                raise SystemExit(f"refused after {self.last}:\n{output}")
            if (run / "summary.json").exists() and code == 0:
                break
        expected = {"checkpoints", "model.dnn", "last.dnn", "metrics.jsonl", "summary.json", "confusion.csv", "run.log",
                    "report.html", "evaluation.json", "steps.jsonl"}
        left = {path.name for path in run.iterdir()} - expected
        checkpoints = [path.read_bytes() for path in (run / "checkpoints").glob("*.ckpt")]
        left |= {path.name for path in (run / "checkpoints").iterdir() if not path.name.endswith(".ckpt")
                 and not any(path.name.encode() in contents for contents in checkpoints)}
        if left:
            self.errors.append(f"left over: {sorted(left)}")
        epochs = [json.loads(line)["epoch"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        if epochs != list(range(1, len(epochs) + 1)):
            self.errors.append(f"epochs in metrics.jsonl: {epochs}")
        return results(run)


def job_of(rank):
    """The number of the MPI job that a rank belongs to, which is in the names of its shared memory; 0: none yet."""
    try:
        environment = pathlib.Path(f"/proc/{rank}/environ").read_bytes().split(b"\0")
    except OSError:
        return 0
    for entry in environment:
        if entry.startswith(b"PMIX_NAMESPACE=") and entry[15:].isdigit():
            return int(entry[15:])
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--mpiexec", default="mpirun")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ranks", type=lambda text: [int(number) for number in text.split(",")], default=[2])
    parser.add_argument("--parts", action="store_true", help="each rank writes its part of the checkpoints")
    parser.add_argument("--model-parallel", type=int, default=1)
    parser.add_argument("--dnn-run", help="default: the one beside this file's folder")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    storm = Storm(arguments)
    storm.last = "no kill yet"
    start = time.monotonic()
    undisturbed = storm.start(storm.work / "undisturbed")
    code, output = storm.finish(undisturbed, [])
    if code != 0:
        raise SystemExit(f"the undisturbed run ended with {code}:\n{output}")
    expected = results(storm.work / "undisturbed")
    runs = 0
    while storm.kills.total() < arguments.kills and not storm.errors:
        found = storm.one_run()
        runs += 1
        if found != expected:
            storm.errors.append(f"other parameters: {found} instead of {expected}")
    time.sleep(1)  # dnn_run's guard removes what a killed dnn_run cannot
    left = storm.left_by_mpi()
    if left:
        storm.errors.append(f"left over: {left}")
    print(f"{storm.kills.total()} kills in {runs} runs and {time.monotonic() - start:.0f} s: {dict(storm.kills)}; " +
          ("\n".join(storm.errors) or "all ended with the undisturbed run's parameters, and nothing is left over"))
    shutil.rmtree(storm.work, ignore_errors=True)
    return 1 if storm.errors else 0


sys.exit(main())
