"""Lets every file operation of a training run fail, one after the other, in every way that disks, quotas and
kills have; after each, the same command again must end with the undisturbed run's parameters.

    crash_point_test.py --program DNN_TRAIN [--arguments "..."] --library LIBRARY --mpiexec MPIEXEC [--ranks N]
                        [--all] [--every N] [--options "..."]

A first run lists its operations (see tests/support/faulty_files.cpp). Then, for each of them: a kill before it, an
error, and for some a short write or an interruption; with --all, every kind of fault at every operation, and disks
that stay full from there on. --every takes each N-th operation only. Fails on: an exit code that README.md does not
name, an error that nothing tells, a checkpoint that is damaged or read while half-written, other parameters, files
left over.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.processes import ranks_of  # noqa: E402

OPTIONS = "--defaults plain --hidden 8 --epochs 2 --checkpoint-every 10 --keep 1 --stall-timeout 20 --step-log 4"
ERRORS = ["ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES", "ENOENT"]
REASONS = {"ENOSPC": "No space left", "EIO": "Input/output error", "EDQUOT": "Disk quota exceeded",
           "EROFS": "Read-only file system", "EACCES": "Permission denied", "ENOENT": "No such file"}
PATIENCE = 60  # seconds until a run counts as hung
MOST_HANGS = 2  # of Open MPI's, which are tried again
WATCHDOG = 20  # after which the program's own (--stall-timeout, too) say where it hangs
MPI_DID_NOT_START = "the job has not come to its work"


class MpiHung(Exception):
    """Open MPI, rather than the program: it did not start, or mpiexec did not end though its ranks had."""


class Runs:
    def __init__(self, arguments):
        self.arguments = arguments
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="dnn_crash_"))
        self.expected = None
        self.steps = None  # updates in the step log
        self.hangs = []  # of Open MPI

    def run(self, folder, fault=()):
        """One run into `folder`; returns its exit code and output."""
        command = [self.arguments.program, *shlex.split(self.arguments.arguments), *shlex.split(self.arguments.options), "--output",
                   str(folder)]
        # A folder of its own for what Open MPI keeps: others that end take it away.
        sessions = pathlib.Path(f"{folder}.mpi")
        sessions.mkdir(exist_ok=True)
        surroundings = os.environ | {"OMPI_MCA_orte_tmpdir_base": str(sessions)}
        settings = {"OMP_NUM_THREADS": "1", "OMPI_MCA_osc": "^ucx", "DNN_LAUNCH_TIMEOUT": str(WATCHDOG), **dict(fault)}
        if self.arguments.ranks > 1:
            # mpiexec itself keeps the library out.
            command = [self.arguments.mpiexec, "-n", str(self.arguments.ranks), "env",
                       *(f"{name}={value}" for name, value in settings.items()), *command]
        else:
            surroundings |= settings | {"OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_pml": "ob1",
                                        "OMPI_MCA_btl": "self"}
        process = subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            ranks = ranks_of(folder, os.path.basename(self.arguments.program))
            process.kill()
            output, _ = process.communicate()
            if ranks:
                raise
            raise MpiHung(f"its ranks have ended, mpiexec has not within {PATIENCE} s:\n{output}") from None
        if MPI_DID_NOT_START in output:
            raise MpiHung(output)
        return process.returncode, output

    def fault_at(self, folder, operation, kind, onwards):
        # By its name: the dynamic linker takes a path with blanks apart.
        library = pathlib.Path(self.arguments.library)
        paths = [str(library.parent), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
        return {"LD_PRELOAD": library.name, "LD_LIBRARY_PATH": ":".join(paths), "DNN_FAULT_FOLDER": str(folder),
                "DNN_FAULT_AT": operation, "DNN_FAULT": kind, "DNN_FAULT_ON": "all" if onwards else "",
                "DNN_FAULT_LOG": f"{folder}.log"}

    def operations(self):
        """Those of an undisturbed run, in its order."""
        folder = self.work / "undisturbed"
        code, output = self.run(folder, self.fault_at(folder, "", "none", False))
        if code != 0:
            raise SystemExit(f"the undisturbed run ended with {code}:\n{output}")
        self.expected, self.steps = self.results(folder), self.steps_of(folder)
        lines = pathlib.Path(f"{folder}.log").read_text().splitlines()
        # One line of the log is like another, and how often the step log is written depends on time.
        alike = re.compile(r"write run\.log |\w+ steps\.jsonl ")
        return [line for line in dict.fromkeys(lines) if not alike.match(line) or line.endswith(" 1")]

    @staticmethod
    def results(folder):
        summary = json.loads((folder / "summary.json").read_text())
        epochs = [json.loads(line)["epoch"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
        return summary["sha256_last"], summary["sha256_best"], epochs

    @staticmethod
    def steps_of(folder):
        return [json.loads(line)["update"] for line in (folder / "steps.jsonl").read_text().splitlines()]

    @staticmethod
    def left_over(folder):
        files = {path.name for path in folder.iterdir()} | {path.name for path in (folder / "checkpoints").iterdir()}
        good = {"checkpoints", "model.dnn", "last.dnn", "metrics.jsonl", "summary.json", "confusion.csv",
                "run.log", "report.html", "evaluation.json", "steps.jsonl"}
        checkpoints = {path.name: path.read_bytes() for path in (folder / "checkpoints").glob("*.ckpt")}
        parts = {name for name in files if any(name.encode() in contents for contents in checkpoints.values())}
        return sorted(files - good - parts - set(checkpoints))

    def check_end(self, folder, what, code, output):
        """A run that has ended well."""
        if code != 0:
            return [f"{what}: ended with {code}:\n{output}"]
        found, steps = self.results(folder), self.steps_of(folder)
        errors = [f"{what}: {found} instead of {self.expected}"] if found != self.expected else []
        if steps != self.steps and "could not write the step log" not in output:
            errors.append(f"{what}: steps.jsonl has updates {steps} instead of {self.steps}")
        return errors

    def try_fault(self, number, operation, kind, onwards):
        """Returns what went wrong; tries again, once, where Open MPI did."""
        what = f"{kind} at '{operation}'" + (" and all that follow" if onwards else "")
        try:
            return self.try_once(self.work / f"run{number}", what, operation, kind, onwards)
        except MpiHung as error:
            self.hangs.append(what)
            print(f"{what}: tried again, since Open MPI hung: {error}", flush=True)
            if len(self.hangs) > MOST_HANGS:
                return [f"{what}: too many hangs: {self.hangs}"]
        try:
            return self.try_once(self.work / f"run{number}-again", what, operation, kind, onwards)
        except MpiHung as error:
            return [f"{what}: hung twice: {error}"]

    def try_once(self, folder, what, operation, kind, onwards):
        try:
            fault = self.fault_at(folder, operation, kind, onwards)
            code, output = self.run(folder, fault)
            log = pathlib.Path(f"{folder}.log")
            if operation not in log.read_text().splitlines():
                return [f"{what}: the run never came to it, and ended with {code}:\n{output}"]
            errors = self.judge(folder, operation, what, kind, onwards, code, output)
            if code != 0:
                errors += self.go_on(folder, operation, what)
            for path in (folder, f"{folder}.mpi"):
                shutil.rmtree(path, ignore_errors=True)
            log.unlink()
            return errors
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            return [f"{what}: {error!r}"]

    def go_on(self, folder, operation, what):
        """The same command after a run that did not end well."""
        code, output = self.run(folder)
        what += ", and then the same command"
        errors = self.check_end(folder, what, code, output)
        if "skipped a damaged checkpoint" in output:
            errors.append(f"{what}: there is a damaged checkpoint:\n{output}")
        log = pathlib.Path(f"{folder}.log").read_text().splitlines()
        before = log[: log.index(operation)]
        saved = any(line.startswith("rename checkpoints/step-") and ".ckpt " in line for line in before)
        finished = "is finished" in output
        if saved and not finished and "resuming from" not in output:
            errors.append(f"{what}: lost the checkpoint:\n{output}")
        left = [name for name in self.left_over(folder) if not (finished and name == ".lock")]
        return errors + ([f"{what}: left over: {left}"] if left and not errors else [])

    def judge(self, folder, operation, what, kind, onwards, code, output):
        """How the run with the fault may end."""
        if any(words in output for words in ("--stall-timeout", "DNN_LAUNCH_TIMEOUT")):
            return [f"{what}: hung, and was ended by its watchdog:\n{output}"]
        if kind.startswith("kill"):
            return [] if code != 0 else [f"{what}: was not killed"]
        if code == 0 and onwards:
            return self.check_end(folder, what, code, output)
        if code == 0:
            # A probe that cannot be removed is removed by the next start, and loses nothing.
            is_write = ".tmp " in operation and not operation.startswith("remove") or operation.startswith("rename")
            if kind in REASONS and is_write and REASONS[kind] not in output:
                return [f"{what}: nothing tells the reason:\n{output}"]
            return self.check_end(folder, what, code, output)
        if kind in ("short", "EINTR") or code not in (0, 2):
            return [f"{what}: ended with {code}:\n{output}"]
        if code == 2 and (output.count("error:") != 1 or REASONS[kind] not in output):
            return [f"{what}: does not tell the reason once:\n{output}"]
        return []


def faults(operations, everything):
    """(operation, kind, whether all that follows fails, too)"""
    for number, operation in enumerate(operations):
        verb = operation.split()[0]
        errors = ERRORS if everything else [ERRORS[number % 3]]
        kinds = ["kill-before", *errors]
        if everything:
            kinds.append("kill-after")
        if verb == "write":
            kinds.append("short")
        if verb in ("write", "open", "fsync", "close") and (everything or number % 4 == 0):
            kinds.append("EINTR")
        for kind in kinds:
            yield operation, kind, False
        if verb in ("open", "write", "mkdir") and (everything or number % 5 == 0):
            for kind in ERRORS if everything else ["ENOSPC"]:
                yield operation, kind, True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--arguments", default="")
    parser.add_argument("--library", required=True)
    parser.add_argument("--mpiexec", default="mpirun")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--options", default=OPTIONS)
    runs = Runs(parser.parse_args())
    start = time.monotonic()
    operations = runs.operations()
    chosen = list(faults(operations[:: runs.arguments.every], runs.arguments.all))
    with concurrent.futures.ThreadPoolExecutor(runs.arguments.workers) as pool:
        tried = pool.map(lambda item: runs.try_fault(item[0], *item[1]), enumerate(chosen))
        errors = [error for found in tried for error in found]
    print("\n".join(errors))
    print(f"{len(operations)} operations, {len(chosen)} faults in {time.monotonic() - start:.0f} s, "
          f"{len(errors)} errors, {len(runs.hangs)} tried again")
    if not errors:
        shutil.rmtree(runs.work, ignore_errors=True)
    return 1 if errors else 0


sys.exit(main())
