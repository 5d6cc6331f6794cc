"""Virtual environments for tests that use other programs' Python packages."""

import os
import subprocess
import sys


def enter(environment, packages):
    """Runs this script again with the environment's Python, which has the packages; exits 77 where PyPI cannot be had."""
    python = environment / "bin/python3"
    ready = environment / "ready"
    if not ready.exists() or ready.read_text() != packages:
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)  # of python3-venv
        try:
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages.split()], check=True)
        except (OSError, subprocess.CalledProcessError):
            print(f"SKIP no {packages}: pip finds no way to PyPI")
            sys.exit(77)
        ready.write_text(packages)
    os.execv(python, [python, *sys.argv, "--inside"])
