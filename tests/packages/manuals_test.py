#!/usr/bin/env python3
"""Checks the man pages that the build made: mandoc finds nothing wrong, and each option of --help has its paragraph.

    manuals_test.py --bin FOLDER --pages FOLDER
"""

import argparse
import gzip
import pathlib
import re
import shutil
import subprocess
import sys

# help2man's date, "November 2026", is not one of those that mandoc takes apart.
ACCEPTED = re.compile("cannot parse date")
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"]


def options_of(command):
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^ +(?:-\w, ?)?(--[a-z][a-z0-9-]*)", shown, re.MULTILINE))


def errors_of(program, command, page):
    text = gzip.decompress(page.read_bytes()).decode()
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=text, capture_output=True, text=True)
    for line in (lint.stdout + lint.stderr).splitlines():
        if not ACCEPTED.search(line):
            yield line
    for section in SECTIONS:
        if not re.search(rf'^\.SH "?{section}"?$', text, re.MULTILINE):
            yield f"no section {section}"
    plain = text.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
    options = options_of(command)
    if len(options) < 5:
        yield f"--help shows few options: {options}"
    # A paragraph (.TP), the option, a line end, the description.
    for option in sorted(options):
        if not re.search(rf"^\.TP\n(?:-\w, ?)?{option}(?:[ =][^\n]*)?\n\S", plain, re.MULTILINE):
            yield f"{option} has no paragraph"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--pages", type=pathlib.Path, required=True)
    options = parser.parse_args()
    missing = [tool for tool in ("mandoc", "help2man") if not shutil.which(tool)]
    if missing:
        print(f"SKIP man pages are not checked: apt-get install {' '.join(missing)}")
        return 77
    launcher = pathlib.Path(__file__).resolve().parents[2] / "launch/dnn_run"
    failed = False
    for program, help_option in (("dnn_train", "--help"), ("dnn_predict", "--help"), ("dnn_model", "--help-all"),
                                 ("dnn_watch", "--help"), ("dnn_run", "--help")):
        page = options.pages / f"{program}.1.gz"
        path = launcher if program == "dnn_run" else options.bin / program
        errors = list(errors_of(program, [path, help_option], page))
        for error in errors:
            print(f"FAIL {page.name}: {error}")
        failed = failed or bool(errors)
        if not errors:
            print(f"PASS {page.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
