#!/usr/bin/env python3
"""The batch scripts of launch/, with stubs for the batch systems' commands and for what they start.

    batch_scripts_test.py SOURCE
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

# Says what it was called with, then does what the environment says: DO_NAME.
STUB = """#!/bin/sh
name=${0##*/}
echo "$name called: $*" >&2
eval "$(eval echo "\\"\\$DO_$name\\"")"
"""
COMMANDS = ("dnn_train", "dnn_run", "mpirun", "srun", "scontrol", "qstat", "qsub", "flux", "ompi_info")
BATCH = {"SLURM_JOB_ID": "7", "PBS_JOBID": "7", "LSB_JOBID": "7", "PBS_NODEFILE": "nodes"}
# Stops with a checkpoint when the script tells it to; and one that lets the script be warned that its time is nearly up.
STOPS = "trap 'exit 75' USR1; while :; do sleep 0.05; done"
WARNED = "trap 'exit 75' USR1; sleep 0.3; kill -USR1 $PPID; " + STOPS
# The scripts that start dnn_run, and how they go back into the queue; LSF does it by the exit code.
SYSTEMS = {"slurm.sbatch": "scontrol called: requeue 7", "pbs.sh": "qsub called: ", "lsf.sh": ""}
AGAIN = "flux called: --parent batch"


class Place:
    """A folder with the scripts and the stubs, as a user has them."""

    def __init__(self, source, folder):
        self.folder = pathlib.Path(folder)
        self.bin = self.folder / "programs/bin"
        self.bin.mkdir(parents=True)
        shutil.copytree(source / "launch", self.folder / "copy", ignore=shutil.ignore_patterns("dnn_run"))
        for name in COMMANDS:
            self.stub(name)
        # What the scripts need besides, so that no real command of a batch system is found.
        for name in ("bash", "sh", "sed", "grep", "sleep", "env", "cat"):
            (self.folder / "tools").mkdir(exist_ok=True)
            (self.folder / "tools" / name).symlink_to(shutil.which(name))

    def stub(self, name):
        path = self.bin / name
        path.write_text(STUB)
        path.chmod(0o755)

    def run(self, script, *arguments, **environment):
        """The exit code (124: it hangs) and what was said."""
        with open(self.folder / "log", "wb") as log:  # no pipe, whose end would wait for what a script leaves behind
            process = subprocess.run(
                [shutil.which("timeout"), "30", "bash", self.folder / "copy" / script, *arguments], cwd=self.folder,
                stdout=log, stderr=subprocess.STDOUT, check=False,
                env={"PATH": f"{self.bin}:{self.folder}/tools", "PBS_O_WORKDIR": str(self.folder), **BATCH,
                     "DO_qstat": "echo '    Resource_List.walltime = 08:00:00'",
                     "DO_flux": 'case $1 in getattr) echo f7;; resource) echo 2;; run) eval "$DO_run";; esac',
                     **environment})
        return process.returncode, (self.folder / "log").read_text()


def expect(name, result, code, *said, never=()):
    """What is wrong with the result of a script, if anything."""
    missing = [text for text in said if text not in result[1]] + [f"not {text}" for text in never if text in result[1]]
    if result[0] != code or missing:
        yield f"{name}: exit code {result[0]} instead of {code}, or not said: {missing}\n{result[1]}"


def input_errors(place):
    """What is missing or wrong is named before anything starts."""
    for script in SYSTEMS:
        never = ["dnn_run called"]
        missing = place.run(script, DNN_TRAIN="/no/dnn_train")
        yield from expect(script, missing, 2, f"{script}: no /no/dnn_train in the PATH or ./build", never=never)
        (place.bin / "dnn_run").rename(place.folder / "hidden")
        yield from expect(script, place.run(script), 2, f"{script}: no dnn_run in the PATH", never=["no dnn_train"])
        (place.folder / "beside").mkdir(exist_ok=True)
        for name in ("dnn_train", "dnn_run"):
            shutil.copy(place.folder / "hidden", place.folder / "beside" / name)
        found = place.run(script, DNN_TRAIN=f"{place.folder}/beside/dnn_train")
        yield from expect(f"{script}: dnn_run beside the program", found, 0, "dnn_run called")
        (place.folder / "hidden").rename(place.bin / "dnn_run")
    for script, variable in (("slurm.sbatch", "DNN_REQUEUES"), ("pbs.sh", "DNN_REQUEUES"), ("flux.sh", "DNN_REQUEUES"),
                             ("pbs.sh", "DNN_RESTART_COUNT"), ("flux.sh", "DNN_RESTART_COUNT")):
        result = place.run(script, **{variable: "abc"})
        yield from expect(script, result, 2, f"{script}: {variable}=abc is no whole number", never=["dnn_run called"])
    for script in ("pbs.sh", "flux.sh"):
        result = place.run(script, DNN_SCRIPT="/no/script")
        yield from expect(script, result, 2, f"{script}: /no/script is not there", never=["dnn_run called"])


def requeue_errors(place):
    """After the warning they go back into the queue, and keep 75 where that fails; nothing else does that."""
    for script, again in SYSTEMS.items():
        yield from expect(f"{script}: warned", place.run(script, DO_dnn_run=WARNED), 75, again)
        stopped = place.run(script, DO_dnn_run="exit 75")
        yield from expect(f"{script}: not warned", stopped, 143 if script == "lsf.sh" else 75, never=["requeue", "qsub"])
        if again:
            fails = {f"DO_{again.split()[0]}": "exit 1"}
            result = place.run(script, DO_dnn_run=WARNED, **fails)
            yield from expect(f"{script}: refused", result, 75, f"{again.split()[0]} failed; submit it again to resume")
            often = place.run(script, DO_dnn_run=WARNED, SLURM_RESTART_COUNT="20", DNN_RESTART_COUNT="20")
            yield from expect(f"{script}: often enough", often, 75, "it has been 20 times", never=[again])


def slurm_errors(place):
    shows = {"DO_srun": "echo pmix", "DO_dnn_run": 'echo "cores: $SRUN_CPUS_PER_TASK"'}
    yield from expect("srun", place.run("slurm.sbatch", SLURM_CPUS_PER_TASK="4", **shows), 0, "cores: 4\n",
                      "dnn_run called: --grace 90 srun --mpi=pmix ")
    yield from expect("srun", place.run("slurm.sbatch", SRUN_CPUS_PER_TASK="2", SLURM_CPUS_PER_TASK="4", **shows), 0,
                      "cores: 2\n")


def pbs_errors(place):
    """The next job is like this one, as far as qstat tells."""
    says = ("Job: 7\\n    Account_Name = us\\n    Resource_List.place = scatter\\n    Resource_List.select = 2:ncpus=4:"
            "\\n\\tmpiprocs=4\\n    Resource_List.walltime = 00:02:01\\n    queue = routed")
    result = place.run("pbs.sh", DO_qstat=f"printf '{says}\\n'", DO_dnn_run=STOPS, PBS_O_QUEUE="day")
    yield from expect("pbs.sh: at its time's end", result, 75,
                      f"qsub called: -V -q day -A us -l select=2:ncpus=4:mpiprocs=4 -l place=scatter "
                      f"-l walltime=00:02:01 {place.folder}/copy/pbs.sh")
    for qstat in ("exit 1", "echo", "echo '    Resource_List.walltime = 00:01:00'"):
        unknown = place.run("pbs.sh", DO_qstat=qstat, DO_dnn_run="sleep 0.2; echo trained")
        yield from expect("pbs.sh: no walltime", unknown, 0, "no walltime of more than two minutes is known", "trained")
    # No sleep of eight hours is left, when the job is done.
    left = subprocess.run(["pgrep", "-fx", "sleep 28680"], stdout=subprocess.PIPE, check=False).stdout.split()
    place.run("pbs.sh", DO_dnn_run="sleep 0.5")
    now = subprocess.run(["pgrep", "-fx", "sleep 28680"], stdout=subprocess.PIPE, check=False).stdout.split()
    if set(now) - set(left):
        yield f"pbs.sh: leaves {len(set(now) - set(left))} sleep behind"


def flux_errors(place):
    for code, again in ((0, False), (2, False), (75, False), (126, False), (127, False), (1, True), (134, True)):
        result = place.run("flux.sh", "--output", "run", DO_run=f"exit {code}")
        yield from expect(f"flux.sh: {code}", result, code, *[AGAIN] if again else [], never=[] if again else [AGAIN])
    warned = place.run("flux.sh", "--output", "run", DO_run="sleep 0.3; kill -USR1 $PPID; sleep 0.3; exit 75")
    yield from expect("flux.sh: warned", warned, 75, f"DNN_JOB=flux-f7 {place.folder}/copy/flux.sh --output run")
    fails = "case $1 in getattr) echo f7;; run) exit 1;; --parent) exit 3;; esac"
    yield from expect("flux.sh: refused", place.run("flux.sh", DO_flux=fails), 1, "flux batch failed; submit it again")


def main():
    source = pathlib.Path(sys.argv[1]).resolve()
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        place = Place(source, folder)
        for check in (input_errors, requeue_errors, slurm_errors, pbs_errors, flux_errors):
            errors += check(place)
    print("\n".join(errors) or "the batch scripts do what they say")
    return 1 if errors else 0


sys.exit(main())
