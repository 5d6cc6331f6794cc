"""Trains, stops and resumes for a long time with everything on that a run can do, and looks at its ranks all the while:
memory, open descriptors, threads, CPU time a sample.

    soak_test.py --bin BUILD --mpiexec MPIEXEC [--minutes 1] [--every SECONDS] [--share 1] [--samples N]
                 [--epochs N] [--slower 0.25] [--log FILE] [--seed N]

A third of the time goes to runs that are stopped (SIGUSR1, SIGTERM) or crash (SIGKILL) and resume again and again, a
third to one session that nobody disturbs, a third to the first kind again. Every other disturbed run splits its model
over the ranks, each of which writes its part of the checkpoints. --share 0.4 lets the ranks work for 0.4 s of each
second only (SIGSTOP between), where the machine is others' as well. --log keeps every look as a line of JSON.

Fails where, within the long session or from the first to the last resume, memory grows, descriptors or threads
become more, or a sample takes more CPU time; and where a run ends with other parameters than the others, an exit
code is not the expected one, or files of MPI are left.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.processes import children, runs_program, send  # noqa: E402

OPTIONS = ["--defaults", "plain", "--hidden", "512,256", "--dropout", "0.2", "--batch-size", "256",
           "--normalize", "standard", "--validation", "0.1", "--optimizer", "adamw", "--weight-decay", "0.01",
           "--clip-norm", "5", "--checkpoint-every", "2s", "--verify-every", "50", "--step-log", "20",
           "--tensorboard", "histograms", "--trace", "100-120", "--log-every", "5", "--on-nonfinite", "rollback",
           "--exchange", "node"]
ENDLESS = 1000000     # epochs of the session that nobody disturbs
PATIENCE = 300        # seconds that a job may take to end when it is asked to
WARM_UP = 0.25        # of a session is left out of the judgement: buffers and logs reach their size in it
MEMORY_GROWTH = 2048  # KiB: pages that the allocator keeps, at most, whatever the time
HISTORY = 2           # KiB an epoch: rank 0 keeps the figures of each epoch, and so do its checkpoints
MOMENTARY = 2         # descriptors and threads that are there for a moment
LEAST_COSTS = 12      # to be judged, measured every 5 s


# ---------------------------------------------------------------- what is looked at

Look = collections.namedtuple("Look", "time session kind rank resident own descriptors threads cpu samples epochs")


def status_of(pid):
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon", "Threads")}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def metrics_of(path):
    """Of the OpenMetrics file: samples since the process began to train, epochs of the run."""
    values = {}
    try:
        for line in path.read_text().splitlines():
            if not line.startswith("#") and " " in line:
                name, value = line.rsplit(" ", 1)
                values[name.partition("{")[0]] = float(value)
    except OSError:
        pass
    return values.get("dnn_train_samples_total", 0), values.get("dnn_train_epochs_done", 0)


def write_table(path, rows, generator):
    names = [f"x{i}" for i in range(20)] + ["colour", "label"]
    with open(path, "w") as file:
        file.write(",".join(names) + "\n")
        for _ in range(rows):
            x = [generator.gauss(0, 1) for _ in range(20)]
            score = x[0] * x[1] + x[2] - x[3] * x[4] + generator.gauss(0, 0.3)
            cells = [f"{value:.4f}" for value in x]
            if generator.random() < 0.1:
                cells[5] = ""
            file.write(",".join([*cells, generator.choice("abc"), "low" if score < 0 else "high"]) + "\n")


# ---------------------------------------------------------------- jobs


class Soak:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="dnn_soak_"))
        self.scratch = self.work / "scratch"  # all that MPI makes
        self.scratch.mkdir()
        self.metrics = self.work / "soak.prom"
        write_table(self.work / "train.csv", arguments.samples, self.random)
        write_table(self.work / "test.csv", 2000, self.random)
        self.log = open(arguments.log, "w") if arguments.log else None
        self.looks, self.errors, self.ends = [], [], collections.Counter()
        self.sessions = 0
        self.begin = time.monotonic()
        self.hashes = collections.defaultdict(set)  # by kind: a split model is the same to rounding only

    def command(self, kind, run, epochs):
        program = [f"{self.arguments.bin}/dnn_train"]
        options = [*OPTIONS, "--epochs", str(epochs), "--data", str(self.work / "train.csv"), "--test-data",
                   str(self.work / "test.csv"), "--openmetrics", str(self.metrics), "--output", str(run)]
        if kind == "split":
            program = [f"{self.arguments.bin}/tests/parallel_run", "1"]
            options += ["--model-parallel", "2"]
        return [self.arguments.mpiexec, "-np", "2", "--bind-to", "none", *program, *options]

    def session(self, kind, run, epochs, seconds, ending):
        """One start of a run, ended by a signal after so many seconds of training if it is not done; whether it was."""
        self.sessions += 1
        self.metrics.unlink(missing_ok=True)
        with open(self.work / "output", "w+") as output:
            process = subprocess.Popen(self.command(kind, run, epochs), stdout=output, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL,
                                       env={**os.environ, "TMPDIR": str(self.scratch),
                                            "OMPI_MCA_btl_vader_backing_directory": str(self.scratch)})
            asked = self.watch(process, kind, seconds, ending)
            try:
                code = process.wait(PATIENCE if asked else 1)
            except subprocess.TimeoutExpired:
                for pid in [*children(process.pid), process.pid]:
                    send(pid, signal.SIGKILL)
                code = process.wait()
                self.errors.append(f"session {self.sessions} hung " + (f"after {ending}" if asked else "by itself"))
            output.seek(0)
            text = output.read()
        crash = asked and ending == "KILL"
        if code not in ((0, 75) if not crash else (0, 137)) or (code != 0 and not asked):
            self.errors.append(f"session {self.sessions} ({kind}) ended with {code} after {ending}:\n{text}")
        self.ends[ending if asked else "done"] += 1
        return code == 0

    def watch(self, process, kind, seconds, ending):
        """Looks at the ranks until the job ends or its time is over; whether it was asked to end. Gives up a job that
        does not come to its training, or whose ranks are not there when it is to be asked."""
        name = "parallel_run" if kind == "split" else "dnn_train"
        next_look = time.monotonic() + self.arguments.every
        given_up = time.monotonic() + PATIENCE
        begun = None
        while process.poll() is None and time.monotonic() < given_up:
            ranks = [pid for pid in children(process.pid) if runs_program(pid, name)]
            now = time.monotonic()
            if self.metrics.exists() and begun is None:
                begun = now
                given_up = now + seconds + PATIENCE
            if now >= next_look and begun is not None:
                next_look = now + self.arguments.every
                self.look(kind, ranks)
            if begun is not None and now - begun > seconds and len(ranks) == 2:
                target = process.pid if ending == "USR1" else self.random.choice(ranks)
                if send(target, getattr(signal, "SIG" + ending)):
                    return True
            self.work_and_rest(ranks if begun is not None else [])
        return False

    def work_and_rest(self, ranks):
        period = min(1, self.arguments.every / 4)
        time.sleep(period * self.arguments.share)
        if self.arguments.share < 1 and ranks:
            for pid in ranks:
                send(pid, signal.SIGSTOP)
            time.sleep(period * (1 - self.arguments.share))
            for pid in ranks:
                send(pid, signal.SIGCONT)

    def look(self, kind, ranks):
        samples, epochs = metrics_of(self.metrics)
        for rank, pid in enumerate(ranks):
            try:
                status = status_of(pid)
                look = Look(time.monotonic() - self.begin, self.sessions, kind, rank, status["VmRSS"],
                            status["RssAnon"], len(os.listdir(f"/proc/{pid}/fd")), status["Threads"],
                            cpu_seconds(pid), samples, epochs)
            except (OSError, KeyError, ValueError):
                return  # it ends
            self.looks.append(look)
            if self.log:
                print(json.dumps(look._asdict()), file=self.log, flush=True)

    def disturbed(self, end):
        """Runs that are stopped and resume, until the time is over and one of each kind has ended."""
        number = 0
        ended = set()
        while (time.monotonic() < end or len(ended) < 2) and not self.errors:
            kind = "split" if number % 2 else "plain"
            number += 1
            run = self.work / "run"
            shutil.rmtree(run, ignore_errors=True)
            done = False
            while not done and not self.errors:
                if time.monotonic() > end and len(ended) == 2:
                    return
                done = self.session(kind, run, self.arguments.epochs,
                                    self.random.uniform(1, 12) * self.arguments.every,
                                    self.random.choice(["USR1", "TERM", "KILL"]))
            if done:
                ended.add(kind)
                summary = json.loads((run / "summary.json").read_text())
                self.hashes[kind].add(summary["sha256_last"])
                if len(self.hashes[kind]) > 1:
                    self.errors.append(f"{kind} runs end with different parameters: {sorted(self.hashes[kind])}")
                self.look_for_files(run)

    def look_for_files(self, run):
        checkpoints = len(list((run / "checkpoints").glob("*.ckpt")))
        if checkpoints > 3:
            self.errors.append(f"{checkpoints} checkpoints are kept, instead of 3")
        temporary = [str(path) for path in run.rglob("*") if ".tmp" in path.name]
        if temporary:
            self.errors.append(f"left over: {temporary}")

    def run(self):
        third = 20 * self.arguments.minutes  # seconds
        self.disturbed(self.begin + third)
        self.first_half = self.sessions
        if not self.errors:
            shutil.rmtree(self.work / "long", ignore_errors=True)
            self.session("plain", self.work / "long", ENDLESS, third, "USR1")
            self.long_session = self.sessions
            self.disturbed(time.monotonic() + third)
        if not self.errors:
            self.judge()
        left = [path.name for path in self.scratch.rglob("*") if path.is_file()]
        if left:
            self.errors.append(f"left over by MPI: {left}")

    # ------------------------------------------------------------ judgement

    def judge(self):
        for rank in (0, 1):
            self.judge_session([look for look in self.looks if look.session == self.long_session and look.rank == rank])
            for kind in ("plain", "split"):
                self.judge_resumes(kind, rank)

    def judge_session(self, looks):
        """The long session of one rank: nothing grows from the first third of what follows its start to the last."""
        if len(looks) < 12:
            self.errors.append(f"only {len(looks)} looks at the long session")
            return
        looks = looks[int(WARM_UP * len(looks)):]
        rank, third = looks[0].rank, len(looks) // 3
        first, last = looks[:third], looks[-third:]
        where = f"rank {rank}, {looks[-1].time - looks[0].time:.0f} s without a stop"
        epochs = middle(last, "epochs") - middle(first, "epochs")
        allowed = MEMORY_GROWTH + (HISTORY * epochs if rank == 0 else 0)
        self.compare(where, first, last, allowed, slope([(look.time, look.own) for look in looks]))
        self.judge_rate(where, [after for before, after in zip(looks, looks[1:]) if after.samples > before.samples])

    def judge_rate(self, where, looks):
        """`looks`: the first ones at each number of samples, which is written every 5 s. CPU time a sample, the medians
        of the first and the last quarter: other work on the machine makes single stretches dearer, also in CPU time."""
        costs = [(after.cpu - before.cpu) / (after.samples - before.samples) * 1e6
                 for before, after in zip(looks, looks[1:])]
        if len(costs) < LEAST_COSTS:
            print(f"{where}: too short to judge the rate")
            return
        quarter = len(costs) // 4
        early, late = statistics.median(costs[:quarter]), statistics.median(costs[-quarter:])
        print(f"{where}: {early:.3f} us of CPU time a sample, at last {late:.3f} ({late / early - 1:+.1%})")
        if late > (1 + self.arguments.slower) * early:
            self.errors.append(f"{where}: it became slower")

    def judge_resumes(self, kind, rank):
        """The last look at each session of the disturbed runs."""
        last_look = {}
        for look in self.looks:
            if look.kind == kind and look.rank == rank and look.session != self.long_session:
                last_look[look.session] = look
        looks = list(last_look.values())
        early = [look for look in looks if look.session <= self.first_half]
        late = [look for look in looks if look.session > self.long_session]
        where = f"rank {rank}, {len(looks)} sessions of {kind} runs that resume"
        if not early or not late:
            self.errors.append(f"{where}: too few to judge")
            return
        self.compare(where, early, late, MEMORY_GROWTH, slope([(look.time, look.own) for look in looks]))

    def compare(self, where, first, last, allowed, slope_kib):
        found = {name: (middle(first, name), middle(last, name))
                 for name in ("resident", "own", "descriptors", "threads")}
        print(f"{where}: resident {found['resident'][0]:,.0f} KiB, at last {found['resident'][1]:,.0f}; "
              f"of its own {found['own'][0]:,.0f}, at last {found['own'][1]:,.0f} "
              f"({slope_kib * 3600:+,.0f} KiB an hour); "
              f"descriptors {found['descriptors'][0]:.0f}, at last {found['descriptors'][1]:.0f}; "
              f"threads {found['threads'][0]:.0f}, at last {found['threads'][1]:.0f}")
        for name in ("resident", "own"):
            if found[name][1] - found[name][0] > allowed:
                self.errors.append(f"{where}: memory ({name}) grew by {found[name][1] - found[name][0]:,.0f} KiB, "
                                   f"allowed are {allowed:,.0f}")
        for name in ("descriptors", "threads"):
            if found[name][1] > found[name][0] + MOMENTARY:
                self.errors.append(f"{where}: {name} became more")


def middle(looks, name):
    return statistics.median(getattr(look, name) for look in looks)


def slope(points):
    """The median of the slopes between all pairs of points (Theil and Sen): single peaks do not move it."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1:] if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--mpiexec", default="mpirun")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--every", type=float, default=0.5, help="seconds between looks")
    parser.add_argument("--share", type=float, default=1, help="of each second in which the ranks work")
    parser.add_argument("--samples", type=int, default=20000)
    parser.add_argument("--epochs", type=int, default=40, help="of a run that is disturbed")
    parser.add_argument("--log")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--slower", type=float, default=0.25, help="by what part a sample may become dearer")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    soak = Soak(arguments)
    try:
        soak.run()
    finally:
        shutil.rmtree(soak.work, ignore_errors=True)
    print(f"{soak.sessions} sessions in {time.monotonic() - soak.begin:.0f} s, ended by {dict(soak.ends)}")
    print("\n".join(soak.errors) or "nothing grew, nothing is left over, and all runs ended with the same parameters")
    return 1 if soak.errors else 0


sys.exit(main())
