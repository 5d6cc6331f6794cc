#!/usr/bin/env python3
"""Makes the Debian package of a build and checks what it says of itself and what it holds.

    deb_test.py --build FOLDER --cpack COMMAND
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = ["dnn_train", "dnn_predict", "dnn_model", "dnn_watch", "dnn_run"]
# Packages of libraries that the programs are linked with, by the beginnings of their names in any Debian or Ubuntu, and
# those of the programs that they start.
DEPENDS = ["libc6", "libstdc\\+\\+6", "libfmt\\d+", "libboost-serialization", "libhwloc\\d+", "libdnnl\\d+", "libarchive13",
           "libcpp-httplib", "libssl3", "zlib1g", "libgomp1", "(libopenmpi\\d+|libmpich\\d+)", "(openmpi-bin|mpich)$", "python3$"]
FILES = [f"usr/bin/{program}" for program in PROGRAMS] + \
        [f"usr/share/man/man1/{program}.1.gz" for program in PROGRAMS] + \
        [f"usr/share/bash-completion/completions/{program}" for program in PROGRAMS] + \
        [f"usr/share/dnn_train/{name}" for name in ("slurm.sbatch", "model_parallel.sbatch", "pbs.sh", "lsf.sh", "flux.sh",
                                                    "example.toml", "fashion_mnist.toml", "to_mlflow.py")] + \
        ["usr/share/doc/dnn_train/README.md", "usr/share/doc/dnn_train/LICENSE", "usr/share/doc/dnn-train/copyright"]


def run(*command, **keywords):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **keywords)
    if result.returncode != 0:
        raise SystemExit(f"FAIL {' '.join(map(str, command))}: exit code {result.returncode}\n{result.stdout}")
    return result.stdout


def errors_of(package, version, folder):
    field = {name: run("dpkg-deb", "--field", package, name).strip()
             for name in ("Package", "Version", "Section", "Maintainer", "Architecture", "Depends", "Description")}
    for name, expected in (("Package", "dnn-train"), ("Version", version), ("Section", "science"),
                           ("Maintainer", "dnn_train developers"),
                           ("Architecture", run("dpkg", "--print-architecture").strip())):
        if field[name] != expected:
            yield f"{name} is {field[name]!r} instead of {expected!r}"
    summary, *text = field["Description"].splitlines()
    if summary != "MPI-native trainer of dense neural networks" or len(" ".join(text)) < 200 or \
            any(len(line) > 80 or not line.startswith(" ") for line in text):
        yield f"Description is {field['Description']!r}"
    depends = [entry.split()[0] for entry in field["Depends"].split(",")]
    for expected in DEPENDS:
        if not any(re.match(expected, name) for name in depends):
            yield f"Depends has nothing for {expected}: {depends}"
    run("dpkg-deb", "--extract", package, folder)
    for name in FILES:
        if not (folder / name).is_file():
            yield f"{name} is not in the package"
    if not list((folder / "usr/share/dnn_train/modulefiles/dnn_train").glob(version.split("-")[0])):
        yield "the module file is not in the package"
    for program in PROGRAMS:
        path = folder / "usr/bin" / program
        if not os.access(path, os.X_OK):
            yield f"{program} is not executable"
        if program == "dnn_run":
            continue
        if ".symtab" in run("objdump", "-h", path) or re.search("RPATH|RUNPATH", run("objdump", "-p", path)):
            yield f"{program} has symbols or a run path"
    for path in folder.rglob("*"):
        if path.is_file() and path.parts[len(folder.parts)] != "usr":
            yield f"{path} lies outside /usr"


def errors_of_library(packages, version):
    """The packages of the library: that they are there, and hold what belongs to them."""
    held = {"libdnn-train0": [r"usr/lib/([^/]+/)?libdnn_train\.so\.\d+$"],
            "libdnn-train-dev": ["usr/include/dnn/dnn_train.hpp$", "usr/include/dnn/dnn_train.h$", "usr/include/dnn/dnn_train.f90$",
                                 r"usr/lib/([^/]+/)?libdnn_train\.(so|a)$", "cmake/dnn_train/dnn_train-config.cmake$", r"pkgconfig/dnn_train\.pc$"],
            "python3-dnn-train": ["usr/lib/python3/dist-packages/dnn_train/__init__.py$", r"dist-packages/dnn_train/_core\..*\.so$"]}
    for name, files in held.items():
        found = sorted(packages.glob(f"{name}_*.deb"))
        if len(found) != 1:
            yield f"packages {name}: {found}"
            continue
        listing = [line.split()[5].removeprefix("./") for line in run("dpkg-deb", "--contents", found[0]).splitlines()]
        for pattern in files:
            if not any(re.search(pattern, entry) for entry in listing):
                yield f"{name} has no {pattern}"
        depends = run("dpkg-deb", "--field", found[0], "Depends")
        for expected in {"libdnn-train-dev": [rf"libdnn-train0 \(= {re.escape(version)}\)", "libopenmpi-dev"],
                         "python3-dnn-train": ["python3-numpy", "libopenmpi|libmpich"]}.get(name, ["libopenmpi|libmpich", "libfmt"]):
            if not re.search(expected, depends):
                yield f"{name} depends on nothing like {expected}: {depends}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cpack", required=True)
    options = parser.parse_args()
    missing = [package for tool, package in (("dpkg-shlibdeps", "dpkg-dev"), ("file", "file"), ("help2man", "help2man"))
               if not shutil.which(tool)]
    if missing:
        print(f"SKIP no package can be made: apt-get install {' '.join(missing)}")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # As with Ninja: with make, cpack would first build again what other tests are running.
        run(options.cpack, "--config", options.build.resolve() / "CPackConfig.cmake", "-D", "CPACK_CMAKE_GENERATOR=Ninja",
            "-B", folder / "packages", cwd=folder)
        packages = sorted((folder / "packages").glob("dnn-train_*.deb"))
        if len(packages) != 1:
            print(f"FAIL packages: {packages}")
            return 1
        version = packages[0].name.split("_")[1]
        errors = list(errors_of(packages[0], version, folder / "tree"))
        errors += errors_of_library(folder / "packages", version)
        print("\n".join(f"FAIL {error}" for error in errors) or f"PASS {packages[0].name}")
        return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
