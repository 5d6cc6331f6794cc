#!/usr/bin/env python3
"""Completes command lines in an interactive bash, as a user does.

    completion_test.py --bin FOLDER --completions FOLDER

--bin: of the programs. --completions: of the scripts that the build made. Each command line is typed into bash, readline
inserts all completions of its last word, and the line that results is compared.
"""

import argparse
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile

HANG = 60  # seconds
WORK = "a user's files"
PROGRAMS = ["dnn_train", "dnn_predict", "dnn_model", "dnn_watch", "dnn_run"]
FILES = ["a.csv", "my model.dnn", "runs/001/model.dnn"]

# Command line, and the line with all completions of its last word.
CASES = [
    ("dnn_train --exch", "dnn_train --exchange "),
    ("dnn_train --label-s", "dnn_train --label-separator --label-smoothing "),
    ("dnn_train --exchange ", "dnn_train --exchange allreduce auto node overlap tree "),
    ("dnn_train --exchange o", "dnn_train --exchange overlap "),
    ("dnn_train --exchange=n", "dnn_train --exchange=node "),
    ("dnn_train --resume n", "dnn_train --resume never "),
    ("dnn_train --resume r", "dnn_train --resume runs "),
    ("dnn_train --checkpoint-every o", "dnn_train --checkpoint-every off "),
    ("dnn_train --data a", "dnn_train --data a.csv "),
    ("dnn_train --data m", r"dnn_train --data my\ model.dnn "),
    ("dnn_train --output ", "dnn_train --output runs "),
    ("dnn_train --epochs ", "dnn_train --epochs "),
    ("dnn_train --quiet --over", "dnn_train --quiet --overwrite "),
    ("dnn_predict --logit-ensemble a.csv m", r"dnn_predict --logit-ensemble a.csv my\ model.dnn "),
    ("dnn_predict --ensemble-average p", "dnn_predict --ensemble-average probabilities "),
    ("dnn_model ", "dnn_model compare export hash info report verify "),
    ("dnn_model ex", "dnn_model export "),
    ("dnn_model export --f", "dnn_model export --format "),
    ("dnn_model export --format ", "dnn_model export --format header npz onnx safetensors "),
    ("dnn_model info m", r"dnn_model info my\ model.dnn "),
    ("dnn_model report ", "dnn_model report runs "),
    ("dnn_model --ver", "dnn_model --version "),
    ("dnn_watch r", "dnn_watch runs "),
    ("dnn_watch --te", "dnn_watch --text "),
    ("dnn_run --re", "dnn_run --restarts "),
    ("dnn_run --restarts 3 --gr", "dnn_run --restarts 3 --grace "),
    ("dnn_run --restarts=3 --gr", "dnn_run --restarts=3 --grace "),
    ("dnn_run dnn_mod", "dnn_run dnn_model "),
]
WITH_BASH_COMPLETION = [
    ("dnn_run --grace 5 mpirun -n 2 dnn_train --exchange t", "dnn_run --grace 5 mpirun -n 2 dnn_train --exchange tree "),
]
FRAMEWORK = pathlib.Path("/usr/share/bash-completion/bash_completion")


class Bash:
    """An interactive bash with the completions of `scripts`, in `folder`."""

    def __init__(self, folder, programs, scripts):
        read, write = os.pipe()
        rc = folder / "rc"
        rc.write_text("\n".join([
            "PS1= PS2=",
            f'PATH="{programs}:$PATH"',
            *[f"source '{script}'" for script in scripts],
            "bind 'set enable-bracketed-paste off'",
            r"""bind '"\C-xa": insert-completions'""",
            rf"""bind -x '"\C-xp": printf "%s\0" "$READLINE_LINE" >&{write}; READLINE_LINE='""",
        ]) + "\n")
        self.process, self.keys = pty.fork()
        if self.process == 0:
            os.set_inheritable(write, True)
            os.chdir(folder / WORK)
            os.execvpe("bash", ["bash", "--noprofile", "--rcfile", str(rc), "-i"], {**os.environ, "TERM": "dumb"})
        os.close(write)
        self.answers = read

    def complete(self, line):
        """`line` with all completions of its last word."""
        os.write(self.keys, line.encode() + b"\x18a\x18p")
        answer, shown = b"", b""
        while not answer.endswith(b"\0"):
            ready, _, _ = select.select([self.answers, self.keys], [], [], HANG)
            if not ready:
                raise SystemExit(f"bash does not answer to {line!r}; its terminal shows {shown!r}")
            if self.answers in ready:
                got = os.read(self.answers, 1 << 16)
                if not got:
                    raise SystemExit(f"bash has ended; its terminal shows {shown!r}")
                answer += got
            else:
                shown += os.read(self.keys, 1 << 16)
        return answer[:-1].decode()

    def close(self):
        os.write(self.keys, b"exit\r")
        os.waitpid(self.process, 0)


def options_of(program, bin_folder):
    path = bin_folder / program
    shown = subprocess.run([path, "--help-all" if program == "dnn_model" else "--help"], capture_output=True, text=True,
                           check=True).stdout
    return set(re.findall(r"^ +(?:-\w, ?)?(--[a-z][a-z0-9-]*)", shown, re.MULTILINE))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--completions", type=pathlib.Path, required=True)
    options = parser.parse_args()
    if not FRAMEWORK.exists():
        print("SKIP bash-completion is missing: apt-get install bash-completion")
        return 77
    failed = 0
    # bash itself completes no commands of folders whose names have a quote.
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        programs = folder / "bin"
        programs.mkdir()
        launcher = pathlib.Path(__file__).resolve().parents[2] / "launch/dnn_run"
        for program in PROGRAMS:
            (programs / program).symlink_to(launcher if program == "dnn_run" else options.bin.resolve() / program)
        for file in FILES:
            path = folder / WORK / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (folder / "scripts").symlink_to(options.completions.resolve())
        for framework, cases in (([], CASES), ([FRAMEWORK], CASES + WITH_BASH_COMPLETION)):
            bash = Bash(folder, programs, [*framework, *[f"../scripts/{program}" for program in PROGRAMS]])
            for line, expected in cases:
                found = bash.complete(line)
                if found != expected:
                    print(f"FAIL {line!r}: {found!r} instead of {expected!r}")
                    failed += 1
            bash.close()
        for program in PROGRAMS:
            script = (options.completions / program).read_text()
            missing = [option for option in options_of(program, programs) if not re.search(rf"{option}\b", script)]
            if missing or len(options_of(program, programs)) < 5:
                print(f"FAIL {program}: the completion lacks {missing}")
                failed += 1
    print(f"{2 * len(CASES) + len(WITH_BASH_COMPLETION)} command lines completed, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
