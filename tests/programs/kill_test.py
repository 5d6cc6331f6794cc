"""Kills training jobs at random moments, starts the same command again, and so on until the run is done; then
compares its parameters with those of a run that nobody disturbed. Again and again, until there were enough
kills.

    kill_test.py --bin BUILD --mpiexec MPIEXEC [--kinds plain,parts,...|all] [--kills 20] [--seconds N] [--grace N]
                 [--slow N] [--seed N] [--dnn-run FILE]

The long form, over all kinds of runs:

    kill_test.py --bin build --kills 1000 --kinds all

The job runs under launch/dnn_run, as users run it, but is started again from here, so that every start is
looked at. The kinds take turns, run by run. The first kill of a run comes while its job starts; of a run that reads
its features from a disk, while the file of the rows is written. Of the others, half come at any time from the start on,
half while the job trains. After so many kills, or after --seconds, the run that
is under way comes to its end undisturbed.
Fails on: other parameters; more updates lost than lie between the checkpoint before the last and the last; another
checkpoint resumed from than the newest; a damaged one; a job or a process that does not end; a job that was asked to
stop amid training and did not exit with 75; a crash; a file of rows that is not whole, or is not the undisturbed
run's; files, locks, shared memory or session folders of MPI left over; from 30 kills on, none during a
start, or during the writing of rows.
"""

import argparse
import collections
import hashlib
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

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.processes import (children, command_line, is_alive, job_of, mpirun_of, runs_program, send,  # noqa: E402
                               writes_below)

INTERVAL = 10  # updates between checkpoints
# Few updates that take their time: where other work runs on the cores, ranks that wait for each other do so
# for a slice of time of the other work at every message.
OPTIONS = ["--defaults", "plain", "--batch-size", "512", "--dropout", "0.2", "--step-log", "1", "--checkpoint-every",
           str(INTERVAL)]
DIGITS = ["--hidden", "1024,256", "--epochs", "60"]
TABLE = ["--hidden", "512,256", "--epochs", "4", "--data", "{data}", "--placement", "disk", "--scratch", "{scratch}"]
STALL_TIMEOUT, LAUNCH_TIMEOUT = 2, 4  # seconds without progress; in which MPI must have started, or ended
MANY_RANKS = 4  # more than these, on few cores, get three times as long
ENOUGH_KILLS = 30  # from which on each moment must have been met; on a busy machine fewer may miss one by chance
END_OF_DNN_RUN = 60  # seconds in which dnn_run ends a job after its --grace, at most
UNDISTURBED = 300    # seconds that a start may take that is not killed
START = 30           # seconds in which a job that is to be killed while it starts has come so far
LONGEST_WAIT = 1.2   # seconds to a kill
ROWS, COLUMNS = 30000, 480  # of the table, whose file of rows has 58 MB

# Each start takes one of the numbers of ranks. In parts: each rank writes its part of the checkpoints. To disk: the job
# writes the rows of {data} into a file in {scratch}, a folder of the run's own.
Kind = collections.namedtuple("Kind", "ranks in_parts to_disk options")
KINDS = {
    "plain": Kind([2], False, False, DIGITS),
    "ranks": Kind([1, 8, 3, 2], False, False, DIGITS),
    "parts": Kind([3], True, False, DIGITS),
    "split": Kind([2], True, False, [*DIGITS, "--model-parallel", "2"]),
    "disk": Kind([3, 2], False, True, TABLE),
}
KILLS = ["KILL a rank", "STOP a rank", "TERM a rank", "USR1 to mpirun", "KILL mpirun", "TERM mpirun", "KILL dnn_run",
         "TERM dnn_run"]
ASKING = ("TERM a rank", "USR1 to mpirun", "TERM dnn_run")  # a job that trains ends with a checkpoint


def results(run):
    summary = json.loads((run / "summary.json").read_text())
    return summary["sha256_last"], summary["sha256_best"]


def last_update(run):
    """The last update that the step log tells of; 0: none. A killed job may have left half a line at its end."""
    try:
        lines = (run / "steps.jsonl").read_bytes().splitlines(keepends=True)
    except OSError:
        return 0
    return next((json.loads(line)["update"] for line in reversed(lines) if line.endswith(b"\n")), 0)


def numbers_in(log, name):
    """A number of each line of a log that is whole."""
    return [json.loads(line)[name] for line in log.read_text().splitlines()]


def newest_checkpoint(run):
    """Its update; 0: none."""
    return max((int(path.stem[5:]) for path in (run / "checkpoints").glob("step-*.ckpt")), default=0)


def write_table(path, generator):
    pieces = [",".join(f".{generator.randrange(1, 100):02}" for _ in range(COLUMNS // 4)) for _ in range(500)]
    with open(path, "w") as file:
        print(*(f"x{column}" for column in range(COLUMNS)), "label", sep=",", file=file)
        for _ in range(ROWS):
            chosen = generator.choices(range(len(pieces)), k=4)
            print(*(pieces[number] for number in chosen), "ab"[(chosen[0] + chosen[1]) % 2], sep=",", file=file)


class Storm:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="dnn_kill_"))
        self.data, self.scratch = self.work / "table.csv", self.work / "scratch"
        self.scratch.mkdir()
        self.kills, self.moments, self.runs, self.ended_by_dnn_run = (collections.Counter() for _ in range(4))
        self.lost = []       # updates, at each death
        self.slow_ends = []  # (seconds, after which kill)
        self.errors = []
        self.mpiruns, self.jobs = set(), set()
        self.rows = None     # digests of the undisturbed run's file of rows, by name
        self.begin = time.monotonic()

    def slowness(self, kind):
        return self.arguments.slow * (3 if max(kind.ranks) > MANY_RANKS else 1)

    def start(self, kind, run, limited):
        """One start of the job. `limited`: it is to be killed, and ends itself soon where it stands still."""
        arguments = self.arguments
        dnn_run = arguments.dnn_run or pathlib.Path(__file__).resolve().parents[2] / "launch/dnn_run"
        program = [f"{arguments.bin}/tests/parallel_run", "1"] if kind.in_parts else [f"{arguments.bin}/dnn_train"]
        options = [*OPTIONS, *(option.format(data=self.data, scratch=self.scratch) for option in kind.options),
                   "--output", str(run)]
        environment = dict(os.environ)
        if limited:
            options += ["--stall-timeout", str(STALL_TIMEOUT * self.slowness(kind))]
            environment["DNN_LAUNCH_TIMEOUT"] = str(LAUNCH_TIMEOUT * self.slowness(kind))
        return subprocess.Popen([sys.executable, str(dnn_run), "--restarts", "0", "--grace", str(arguments.grace),
                                 arguments.mpiexec, "-n", str(self.random.choice(kind.ranks)), *program, *options],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                env=environment)

    def finish(self, process, ranks, seconds):
        """Waits for the job's end; returns exit code and output."""
        begin = time.monotonic()
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            ranks = ranks or self.ranks_of(process)
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
        for damage in ("skipped a damaged checkpoint", "the file of rows is damaged"):
            if damage in output:
                self.errors.append(f"{damage} after {self.last}:\n{output}")
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

    def kill(self, kind, process, run, at_start):
        """Does to a running job what clusters do; returns its ranks, and whether they were at work on the run."""
        longest = LONGEST_WAIT
        if at_start:
            self.wait_for(process, self.writers if kind.to_disk else self.ranks_of)
            longest = 0.03 if kind.to_disk else 0.2
        elif self.random.random() < 0.5:  # else at any time from the start on
            self.wait_for(process, lambda job: self.holds(run, self.ranks_of(job)))
        time.sleep(self.random.uniform(0, longest) * self.arguments.slow)
        mpirun = mpirun_of(process.pid)
        ranks = children(mpirun)
        writers = self.writers(process)
        self.mpiruns.add(mpirun)
        self.jobs.update(job_of(rank) for rank in ranks if runs_program(rank, "dnn_train", "parallel_run"))
        # A job whose only rank is stopped is suspended as a whole, and is left alone.
        possible = [what for what in KILLS if what.endswith("dnn_run") or
                    (mpirun if what.endswith("mpirun") else len(ranks) >= (2 if what.startswith("STOP") else 1))]
        what = self.random.choice(possible)
        number = getattr(signal, "SIG" + next(w for w in what.split() if w in ("KILL", "STOP", "TERM", "USR1")))
        target = (process.pid if what.endswith("dnn_run") else mpirun if what.endswith("mpirun") else
                  self.random.choice(writers if writers and at_start else ranks))
        is_training = self.holds(run, ranks)
        moment = "during the writing of rows" if writers else "during training" if is_training else "during a start"
        if process.poll() is None and send(target, number):
            self.kills[what] += 1
            self.moments[moment] += 1
            self.last = f"{what} {moment}"
            self.asked = what in ASKING
        return ranks, is_training

    def wait_for(self, process, look):
        """Until the job has come so far."""
        end = time.monotonic() + START * self.arguments.slow
        while not look(process) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)

    @staticmethod
    def ranks_of(process):
        return children(mpirun_of(process.pid))

    def writers(self, process):
        """The ranks that write the file of the rows."""
        return [rank for rank in self.ranks_of(process) if writes_below(rank, self.scratch)]

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

    def is_over(self):
        """Whether there were enough kills, or the time is over."""
        arguments = self.arguments
        return bool(self.kills.total() >= arguments.kills or self.errors or
                    (arguments.seconds and time.monotonic() - self.begin > arguments.seconds))

    def one_run(self, name):
        """One run to its end through kills; returns the SHA-256 of its last parameters."""
        run, kind = self.work / "run", KINDS[name]
        shutil.rmtree(run, ignore_errors=True)
        self.empty_scratch()
        for attempt in itertools.count():
            # Batch systems give each job a folder of its own. A run that is finished reads no data again.
            if self.random.random() < 0.5 and not (run / "summary.json").exists():
                self.empty_scratch()
            newest = newest_checkpoint(run)
            is_over = self.is_over()
            process = self.start(kind, run, not is_over)
            self.asked = False
            self.last = "no kill"
            ranks, is_training = ([], False) if is_over else self.kill(kind, process, run, attempt == 0)
            patience = UNDISTURBED if self.last == "no kill" else self.arguments.grace + END_OF_DNN_RUN
            code, output = self.finish(process, ranks, patience * self.slowness(kind))
            if self.asked and is_training and code not in (0, 75):
                self.errors.append(f"exit code {code} after {self.last}:\n{output}")
            if code == 2:
                raise SystemExit(f"refused after {self.last}:\n{output}")
            is_done = (run / "summary.json").exists() and code == 0
            self.look_for_rows(kind, is_done)
            if is_done:
                break
            if is_over:
                raise SystemExit(f"a start without a kill ended with {code}:\n{output}")
            self.look_for_losses(run, newest, output)
        self.look_for_files(run)
        return results(run)

    def empty_scratch(self):
        shutil.rmtree(self.scratch)
        self.scratch.mkdir()

    def digests_of_scratch(self):
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.scratch.iterdir()}

    def look_for_rows(self, kind, is_done):
        """After a job: the scratch folder has one whole file, or none where no job came so far, and nothing else."""
        found = self.digests_of_scratch()
        expected = [self.rows if kind.to_disk else {}] + [{}] * (not is_done)
        if found not in expected:
            self.errors.append(f"the scratch folder holds {found} instead of {expected} after {self.last}")

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
        epochs = numbers_in(run / "metrics.jsonl", "epoch")
        if epochs != list(range(1, len(epochs) + 1)):
            self.errors.append(f"epochs in metrics.jsonl: {epochs}")
        updates = numbers_in(run / "steps.jsonl", "update")
        if updates != list(range(1, len(updates) + 1)):
            self.errors.append(f"updates in steps.jsonl: {updates}")

    def undisturbed(self, name):
        """A run with the limits that runs have by default."""
        run, kind = self.work / f"undisturbed.{name}", KINDS[name]
        if kind.to_disk:
            write_table(self.data, self.random)
        self.empty_scratch()
        process = self.start(kind, run, limited=False)
        self.last = "no kill"
        code, output = self.finish(process, [], UNDISTURBED * self.slowness(kind))
        if code != 0:
            raise SystemExit(f"the undisturbed run ({name}) ended with {code}:\n{output}")
        if kind.to_disk:
            self.rows = self.digests_of_scratch()
            if len(self.rows) != 1 or not next(iter(self.rows)).endswith(".rows"):
                raise SystemExit(f"the undisturbed run ({name}) left {self.rows} in its scratch folder:\n{output}")
        return results(run)

    def run(self):
        expected = {}
        for name in itertools.cycle(self.arguments.kinds):
            if self.is_over():
                break
            if name not in expected:
                expected[name] = self.undisturbed(name)
            found = self.one_run(name)
            self.runs[name] += 1
            if found != expected[name]:
                self.errors.append(f"other parameters ({name}): {found} instead of {expected[name]}")
        time.sleep(1)  # dnn_run's guard removes what a killed dnn_run cannot
        self.look_for_what_is_left()
        self.look_for_moments()
        self.report(time.monotonic() - self.begin)

    def look_for_moments(self):
        """Whether kills have met what they are to meet."""
        for name in self.runs:
            moment = "during the writing of rows" if KINDS[name].to_disk else "during a start"
            if sum(self.moments.values()) >= ENOUGH_KILLS and not self.moments[moment]:
                self.errors.append(f"no kill {moment} ({name})")

    def report(self, seconds):
        print(f"{self.kills.total()} kills in {self.runs.total()} runs {dict(self.runs)} and {seconds:.0f} s: "
              f"{dict(self.kills)}, {dict(self.moments)}")
        print(f"updates lost at a death: at most {max(self.lost, default=0)}, {sum(n > INTERVAL for n in self.lost)} "
              f"times more than the interval of {INTERVAL}")
        print(f"ended by dnn_run: {dict(self.ended_by_dnn_run)}")
        print("slowest ends: " + ", ".join(f"{end:.0f} s ({kill})" for end, kill in sorted(self.slow_ends)[:-6:-1]))
        print("\n".join(self.errors) or "all ended with the undisturbed run's parameters, and nothing is left over")


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
