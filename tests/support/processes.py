"""Processes of a job that a test watches and signals."""

import os
import pathlib


def children(pid):
    """Those that a process has started; none where it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def runs_program(pid, *names):
    """Whether the process runs one of these programs. A rank is a copy of mpirun until it does."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) in names
    except OSError:
        return False


def mpirun_of(pid):
    """The mpirun that dnn_run has started; 0: none."""
    for child in children(pid):
        try:
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() in ("mpirun", "mpiexec", "orterun", "prterun"):
                return child
        except OSError:
            continue
    return 0


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


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def send(pid, number):
    """Sends a signal; whether there was a process to take it. 0 is no process."""
    try:
        if pid:
            os.kill(pid, number)
        return bool(pid)
    except ProcessLookupError:
        return False


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def ranks_of(folder, program="dnn_train"):
    """The processes of a program that train into a folder: the ranks of a job, on any host of this machine."""
    words_of = {int(pid): command_line(pid).split("\0") for pid in filter(str.isdigit, os.listdir("/proc"))}
    return [pid for pid, words in words_of.items() if os.path.basename(words[0]) == program and str(folder) in words]


def writes_below(pid, folder):
    """Whether a process has a file in a folder open, with a name or without, and has written some of it."""
    try:
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            if (os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith(f"{folder}/") and
                    "pos:\t0\n" not in pathlib.Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text()):
                return True
    except OSError:
        pass  # it has ended, or closed that file
    return False
