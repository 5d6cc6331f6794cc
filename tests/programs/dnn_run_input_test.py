#!/usr/bin/env python3
"""What launch/dnn_run makes of its input: configurations, command lines, signals. What it starts are stubs, so that this
takes seconds.

    dnn_run_input_test.py SOURCE
"""

import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time

# In the place of dnn_train, and of mpirun: counts its starts, then does what the environment says.
STUB = """#!/bin/sh
echo start >>"$STARTS"
eval "$DO"
"""

# A batch system's job may be on several hosts.
OUTSIDE_JOBS = {name: value for name, value in os.environ.items()
                if name not in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "FLUX_JOB_ID", "JOB_ID")}


class Case:
    """A folder with stubs, in which dnn_run is started."""

    def __init__(self, source, folder):
        self.dnn_run = source / "launch/dnn_run"
        self.folder = pathlib.Path(folder)
        self.starts = self.folder / "starts"
        for name in ("dnn_train", "mpirun", "srun"):
            path = self.folder / name
            path.write_text(STUB)
            path.chmod(0o755)

    def begin(self, *arguments, do, **environment):
        self.starts.write_text("")
        return subprocess.Popen(
            [sys.executable, self.dnn_run, "--pause", "0", *arguments], cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**OUTSIDE_JOBS, "PATH": f"{self.folder}:{os.environ['PATH']}",
                                           "STARTS": str(self.starts), "DO": do, **environment})

    def run(self, *arguments, do="exit 75", **environment):
        """The exit code, how often the job was started, and what was said."""
        process = self.begin(*arguments, do=do, **environment)
        output = process.communicate(timeout=60)[0].decode(errors="replace")
        return process.returncode, self.starts.read_text().count("start"), output

    def use_older_python(self):
        """From now on dnn_run is as a Python without tomllib runs it."""
        text = self.dnn_run.read_text()
        assert "    import tomllib\n" in text
        text = text.replace("    import tomllib\n", "    raise ImportError\n")
        self.dnn_run = self.folder / "dnn_run"
        self.dnn_run.write_text(text)


def expect(name, result, code, starts, *said):
    """What is wrong with the result of a run, if anything."""
    if result[0] != code or result[1] != starts or any(text not in result[2] for text in said) or "Traceback" in result[2]:
        yield f"{name}: exit code {result[0]} instead of {code}, {result[1]} starts instead of {starts}, or not {said}:\n" \
              f"{result[2]}"


def config_errors(case):
    """A time limit and an output are found however TOML writes them, so that the limit ends the job."""
    config = case.folder / "run.toml"
    for output in ('"run"', '"run" # a comment', "'run'", "'run'  # a comment"):
        for limit in ("2", "2.5", "'2'", '"0:02"  # a comment'):
            config.write_text(f"hidden = [8]\n\ttime-limit = {limit}\noutput = {output}\n")
            yield from expect(f"output = {output}, time-limit = {limit}", case.run("dnn_train", "--config", config), 75, 1)
    config.write_text('time-limit = ""\n[section]\noutput = "run"\ntime-limit = 2\n')
    if case.dnn_run.parent != case.folder and sys.version_info >= (3, 11):  # the sections are told apart by tomllib
        yield from expect("keys of a section", case.run("dnn_train", "--config", config), 2, 0, "needs --output")
    config.write_bytes(b'\xef\xbb\xbfoutput = "r\xc3\xbcn\xff"\n')
    run = case.folder / os.fsdecode(b"r\xc3\xbcn\xff")
    run.mkdir(exist_ok=True)
    (run / "stop").touch()
    for locale in ({}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        yield from expect("bytes that are no UTF-8", case.run("dnn_train", "--config", config, **locale), 75, 1)
    yield from expect("a folder", case.run("dnn_train", "--config", case.folder), 2, 0, "needs --output")


def command_errors(case):
    """Options before the program are the launcher's."""
    wrong = case.run("srun", "--output=log.txt", "dnn_train", "--epochs", "1")
    yield from expect("srun --output", wrong, 2, 0, "needs --output")
    limit = case.run("--restarts", "1", "srun", "--time-limit", "5", "dnn_train", "--output=run")
    yield from expect("srun --time-limit", limit, 75, 2, "given up")
    yield from expect("--", case.run("--", "dnn_train", "--output", "run", do="exit 0"), 0, 1)
    hosts = case.run("mpirun", "--hostfile", case.folder, "dnn_train", "--output", "run", do="exit 2")
    yield from expect("a folder as hostfile", hosts, 2, 1)
    none = case.run("mpirun", "dnn_train", "--output", "run", do="exit 0", TMPDIR="/no/such/folder")
    yield from expect("no temporary folder", none, 0, 1)
    piped = subprocess.run(f"{shlex.quote(str(case.dnn_run))} --bash-completion | true", shell=True, capture_output=True, check=False)
    if piped.stderr:
        yield f"--bash-completion | true: {piped.stderr.decode()}"


def restart_errors(case):
    """A stop that a restart would only repeat is final, wherever the time limit was given; another one is not."""
    (case.folder / "run").mkdir(exist_ok=True)
    for reason, starts in (("the time limit", 1), ("the file run/stop", 1), ("SIGTERM", 3)):
        do = f'echo "stopped by {reason}; checkpoint x; repeat" >>run/run.log; exit 75'
        result = case.run("--restarts", "2", "sh", "-c", "dnn_train", "--output", "run", do=do)
        yield from expect(f"stopped by {reason}", result, 75, starts)
    # What an earlier job was stopped by says nothing.
    (case.folder / "run/run.log").write_text("stopped by the time limit; checkpoint x; repeat\n")
    yield from expect("an old stop", case.run("--restarts", "2", "dnn_train", "--output", "run"), 75, 3)
    # A program that cannot be started under an mpirun of this host.
    yield from expect("misspelt", case.run("mpirun", "dnn_trian", "--output", "new", do="exit 134"), 134, 2, "misspelt")
    yield from expect("begun", case.run("mpirun", "dnn_train", "--output", "run", do="exit 134"), 134, 6, "given up")


def interrupt_errors(case):
    """The first Ctrl-C asks the job for a checkpoint, the second one ends it."""
    up = case.folder / "up"
    takes = f'trap "exit 75" USR1; touch {up}; while :; do sleep 0.05; done'
    ignores = f'trap "" USR1; touch {up}; while :; do sleep 0.05; done'
    again = "stopped by SIGINT; repeat the command"
    for name, do, more, signals, code, said in (
            ("one", takes, (), 1, 75, f"{again} to resume"),
            ("overwriting", takes, ("--overwrite",), 1, 75, f"{again} without --overwrite to resume"),
            ("two", ignores, (), 2, 130, "interrupted: ending it")):
        up.unlink(missing_ok=True)
        process = case.begin("mpirun", "dnn_train", "--output", "run", *more, do=do)
        end = time.monotonic() + 60
        while not up.exists() and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output = b""
        for line in process.stdout if signals > 1 else ():
            output += line
            if b"a second Ctrl-C" in line:
                process.send_signal(signal.SIGINT)
                break
        output = (output + process.communicate(timeout=60)[0]).decode()
        yield from expect(f"{name} Ctrl-C", (process.returncode, 1, output), code, 1, said)


def main():
    source = pathlib.Path(sys.argv[1]).resolve()
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        case = Case(source, folder)
        for check in (config_errors, command_errors, restart_errors, interrupt_errors):
            errors += check(case)
        case.use_older_python()
        errors += [f"without tomllib: {error}" for error in config_errors(case)]
    print("\n".join(errors) or "dnn_run takes its input as it is meant")
    return 1 if errors else 0


sys.exit(main())
