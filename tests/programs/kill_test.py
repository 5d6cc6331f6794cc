"""Kills training jobs at random moments, starts the same command again, and so on until the run is done; then
compares its parameters with those of a run that nobody disturbed. Again and again, until there were enough
kills.

    kill_test.py --bin BUILD --mpiexec MPIEXEC [--kinds plain,parts,...|all] [--kills 20] [--seconds N] [--grace N]
                 [--slow N] [--seed N] [--dnn-run FILE]

The long form, over all kinds of runs:

    kill_test.py --bin build --kills 1000 --kinds all

The job runs under launch/dnn_run, as users run it, but is started again from here, so that every start is
looked at. The kinds take turns, run by run. --seconds: begin no run after so long, however many kills there were.
Fails on: other parameters; more updates lost than lie between the checkpoint before the last and the last; another
checkpoint resumed from than the newest; a damaged one; a job or a process that does not end; a job that was asked to
stop amid training and did not exit with 75; a crash; files, locks, shared memory or session folders of MPI left over.
"""

import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

INTERVAL = 10  # updates between checkpoints
# Few updates that take their time: where other work runs on the cores, ranks that wait for each other do so
# for a slice of time of the other work at every message.
OPTIONS = ["--defaults", "plain", "--hidden", "1024,256", "--batch-size", "512", "--dropout", "0.2", "--epochs", "60",
           "--step-log", "1", "--checkpoint-every", str(INTERVAL)]
STALL_TIMEOUT, LAUNCH_TIMEOUT = 2, 4  # seconds without progress; in which MPI must have started, or ended
MANY_RANKS = 4  # more than these, on few cores, get three times as long
END_OF_DNN_RUN = 60  # seconds in which dnn_run ends a job after its --grace, at most

# Each start takes one of the numbers of ranks. In parts: each rank writes its part of the checkpoints. {work} in an
# option is a folder of the storm's.
Kind = collections.namedtuple("Kind", "ranks in_parts options")
KINDS = {
    "plain": Kind([2], False, []),
    "ranks": Kind([1, 8, 3, 2], False, []),
    "parts": Kind([3], True, []),
    "split": Kind([2], True, ["--model-parallel", "2"]),
    "disk": Kind([3, 2], False, ["--placement", "disk", "--scratch", "{work}"]),
}


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


def last_update(run):
    """The last update that the step log tells of; 0: none."""
    try:
        lines = (run / "steps.jsonl").read_text().splitlines()
        return json.loads(lines[-1])["update"] if lines else 0
    except (OSError, ValueError):
        return 0


def newest_checkpoint(run):
    """Its update; 0: none."""
    return max((int(path.stem[5:]) for path in (run / "checkpoints").glob("step-*.ckpt")), default=0)


class Storm:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="dnn_kill_"))
        self.kills, self.runs, self.ended_by_dnn_run = (collections.Counter() for _ in range(3))
        self.lost = []       # updates, at each death
        self.slow_ends = []  # (seconds, after which kill)
        self.errors = []
        self.mpiruns, self.jobs = set(), set()

    def slowness(self, kind):
        return self.arguments.slow * (3 if max(kind.ranks) > MANY_RANKS else 1)

    def start(self, kind, run):
        arguments = self.arguments
        dnn_run = arguments.dnn_run or pathlib.Path(__file__).resolve().parents[2] / "launch/dnn_run"
        program = [f"{arguments.bin}/tests/parallel_run", "1"] if kind.in_parts else [f"{arguments.bin}/dnn_train"]
        options = [*OPTIONS, *(option.format(work=self.work) for option in kind.options),
                   "--stall-timeout", str(STALL_TIMEOUT * self.slowness(kind)), "--output", str(run)]
        return subprocess.Popen([sys.executable, str(dnn_run), "--restarts", "0", "--grace", str(arguments.grace),
                                 arguments.mpiexec, "-n", str(self.random.choice(kind.ranks)), *program, *options],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                env={**os.environ, "DNN_LAUNCH_TIMEOUT": str(LAUNCH_TIMEOUT * self.slowness(kind))})

    def finish(self, process, ranks, slowness):
        """Waits for the job's end; returns exit code and output."""
        begin = time.monotonic()
        try:
            output, _ = process.communicate(timeout=(self.arguments.grace + END_OF_DNN_RUN) * slowness)
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
        self.slow_ends.append((time.monotonic() - begin, self.last))
        if self.is_crash(process.returncode, output):
            self.errors.append(f"a crash (exit code {process.returncode}) after {self.last}:\n{output}")
        if "skipped a damaged checkpoint" in output:
            self.errors.append(f"a damaged checkpoint after {self.last}:\n{output}")
        for reason in re.findall(r"dnn_run: (.*): ending it", output):
            self.ended_by_dnn_run[re.sub(r"rank [\d, ]+", "a rank ", reason)] += 1
        return process.returncode, output

    @staticmethod
    def is_crash(code, output):
        """Of a rank. The mpirun of Open MPI 4.1.4 itself crashes now and then while it cleans up after a job that
        was killed; to dnn_run that is a crash like any other, after which it starts the job again."""
        if "PMIx_server_finalize" in output:
            return any(f"exited on signal {number}" in output for number in (6, 7, 11))
        return code in (134, 135, 136, 139) or any(
            word in output for word in ("Segmentation fault", "Aborted (6)", "corrupted size", "Bus error",
                                        "ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error:"))

    def kill(self, process, run):
        """Does to a running job what clusters do; returns its ranks."""
        wait = self.random.uniform(0, 1.2 * self.arguments.slow)
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
        # A job whose only rank is stopped is suspended as a whole, and is left alone.
        if kind.startswith("STOP") and len(ranks) == 1:
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

    def look_for_what_is_left(self):
        """Processes, shared memory and session folders of this storm's jobs."""
        found = []
        for job in self.jobs - {0}:
            found += pathlib.Path("/dev/shm").glob(f"*.{job:x}.*")
        for mpirun in self.mpiruns - {0}:
            found += pathlib.Path(tempfile.gettempdir()).glob(f"ompi.*.{os.getuid()}/pid.{mpirun}")
        found += [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid() and
                  str(self.work) in command_line(pid)]
        if found:
            self.errors.append(f"left over: {[str(path) for path in found]}")

    def one_run(self, kind):
        """One run to its end through kills; returns the SHA-256 of its last parameters."""
        run = self.work / "run"
        shutil.rmtree(run, ignore_errors=True)
        for attempt in range(1000):
            newest = newest_checkpoint(run)
            process = self.start(kind, run)
            self.asked = False
            ranks = self.kill(process, run)
            is_training = self.holds(run, ranks)
            code, output = self.finish(process, ranks, self.slowness(kind))
            if self.asked and is_training and code not in (0, 75):
                self.errors.append(f"exit code {code} after {self.last}:\n{output}")
            if code == 2:
                raise SystemExit(f"refused after {self.last}:\n{output}")
            if (run / "summary.json").exists() and code == 0:
                break
            self.look_for_losses(run, newest, output)
        self.look_for_files(run)
        return results(run)

    def look_for_losses(self, run, newest, output):
        """After the death of a job that began with a checkpoint of update `newest`."""
        resumed = re.search(r"resuming from \S*/step-(\d+)\.ckpt", output)
        if resumed and int(resumed[1]) != newest:
            self.errors.append(f"resumed from update {int(resumed[1])} instead of {newest}, before {self.last}")
        lost = last_update(run) - newest_checkpoint(run)
        self.lost.append(lost)
        # A checkpoint is written while training continues, until the next one is due.
        if lost > 2 * INTERVAL:
            self.errors.append(f"{lost} updates are lost after {self.last}")

    def look_for_files(self, run):
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
        updates = [json.loads(line)["update"] for line in (run / "steps.jsonl").read_text().splitlines()]
        if updates != list(range(1, len(updates) + 1)):
            self.errors.append(f"updates in steps.jsonl: {updates}")

    def undisturbed(self, name):
        run = self.work / f"undisturbed.{name}"
        process = self.start(KINDS[name], run)
        self.last = "no kill"
        code, output = self.finish(process, [], self.slowness(KINDS[name]))
        if code != 0:
            raise SystemExit(f"the undisturbed run ({name}) ended with {code}:\n{output}")
        return results(run)

    def run(self):
        begin = time.monotonic()
        expected = {}
        for name in itertools.cycle(self.arguments.kinds):
            if self.kills.total() >= self.arguments.kills or self.errors:
                break
            if self.arguments.seconds and time.monotonic() - begin > self.arguments.seconds:
                break
            if name not in expected:
                expected[name] = self.undisturbed(name)
            found = self.one_run(KINDS[name])
            self.runs[name] += 1
            if found != expected[name]:
                self.errors.append(f"other parameters ({name}): {found} instead of {expected[name]}")
        time.sleep(1)  # dnn_run's guard removes what a killed dnn_run cannot
        self.look_for_what_is_left()
        self.report(time.monotonic() - begin)

    def report(self, seconds):
        print(f"{self.kills.total()} kills in {self.runs.total()} runs {dict(self.runs)} and {seconds:.0f} s: "
              f"{dict(self.kills)}")
        print(f"updates lost at a death: at most {max(self.lost, default=0)}, {sum(n > INTERVAL for n in self.lost)} "
              f"times more than the interval of {INTERVAL}")
        print(f"ended by dnn_run: {dict(self.ended_by_dnn_run)}")
        print("slowest ends: " + ", ".join(f"{end:.0f} s ({kill})" for end, kill in sorted(self.slow_ends)[:-6:-1]))
        print("\n".join(self.errors) or "all ended with the undisturbed run's parameters, and nothing is left over")


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


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


def kinds_of(text):
    names = list(KINDS) if text == "all" else text.split(",")
    if set(names) - set(KINDS):
        raise argparse.ArgumentTypeError(f"kinds are {', '.join(KINDS)} or all")
    return names


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--mpiexec", default="mpirun")
    parser.add_argument("--kinds", type=kinds_of, default=["plain"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--grace", type=int, default=30, help="of dnn_run: seconds that a job may take to stop")
    parser.add_argument("--slow", type=int, default=1, help="makes limits this many times as long, for sanitizers")
    parser.add_argument("--dnn-run", help="default: the one beside this file's folder")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    storm = Storm(arguments)
    try:
        storm.run()
    finally:
        shutil.rmtree(storm.work, ignore_errors=True)
    return 1 if storm.errors else 0


sys.exit(main())
