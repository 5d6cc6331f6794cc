#!/usr/bin/env python3
"""Checks the recipes for other packagers: the environment module is loaded by Tcl; the recipes for Spack and the definition
for Apptainer, which are not run, are taken apart and compared with what the build needs.

    recipes_test.py SOURCE
"""

import ast
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# What Spack calls the libraries whose development packages cmake/DnnDependencies.cmake names.
SPACK_NAMES = {
    "libopenmpi-dev": "mpi", "libboost-serialization-dev": "boost", "libcli11-dev": "cli11",
    "nlohmann-json3-dev": "nlohmann-json", "libfmt-dev": "fmt", "libssl-dev": "openssl", "zlib1g-dev": "zlib-api",
    "libarchive-dev": "libarchive", "libdnnl-dev": "onednn", "libhwloc-dev": "hwloc",
    "libfast-float-dev": "fast-float", "librandom123-dev": "random123", "libtomlplusplus-dev": "tomlplusplus",
    "libcpp-httplib-dev": "cpp-httplib", "libhdf5-dev": "hdf5", "g++": "cxx",
}

# The commands of Environment Modules and Lmod that the module file uses; they print what they are told.
TCL = r"""
set ModulesCurrentModulefile [lindex $argv 0]
proc module-whatis {text} { puts "whatis $text" }
proc conflict {name} { puts "conflict $name" }
proc prepend-path {name folder} { puts "prepend $name $folder" }
source $ModulesCurrentModulefile
ModulesHelp
"""


def needed_packages(source):
    """The Debian packages that the build itself, without tests and benchmarks, needs."""
    text = (source / "cmake/DnnDependencies.cmake").read_text()
    text = re.sub(r"^if\(DNN_(TESTS|BENCH)\)\n.*?^endif\(\)\n", "", text, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^ *dnn_require\(([\w+-]+) ", text, re.MULTILINE)) | \
        set(re.findall(r'^ *dnn_find\(.* ([\w+-]+)(?: "[^"]*")?\)$', text, re.MULTILINE))


def project_version(source):
    return re.search(r"project\(dnn_train VERSION (\S+)", (source / "CMakeLists.txt").read_text())[1]


def spack_errors(source):
    recipes = source / "cmake/packages/spack/spack_repo/dnn/packages"
    found = {}
    for path in recipes.glob("*/package.py"):
        tree = ast.parse(path.read_text(), str(path))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        name = "".join(word.capitalize() for word in path.parent.name.split("_"))
        if [node.name for node in classes] != [name]:
            yield f"{path}: Spack looks for the class {name}"
            continue
        found[path.parent.name] = {
            call: [node.args[0].value for node in ast.walk(classes[0])
                   if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == call]
            for call in ("version", "depends_on")}
    if set(found) != {"dnn_train", "cpp_httplib"}:
        yield f"{recipes}: has recipes for {sorted(found)}"
        return
    if found["dnn_train"]["version"] != [project_version(source)]:
        yield f"dnn_train: version {found['dnn_train']['version']} instead of {project_version(source)}"
    dependencies = {re.split("[@+~ ]", spec)[0] for spec in found["dnn_train"]["depends_on"]}
    for package in sorted(needed_packages(source)):
        if SPACK_NAMES.get(package) not in dependencies:
            yield f"dnn_train: nothing for {package}, which the build needs"


def apptainer_errors(source):
    """Each stage has a header and sections; each script is one that sh understands."""
    stages = re.split(r"^Bootstrap:", (source / "cmake/packages/apptainer.def").read_text(), flags=re.MULTILINE)[1:]
    expected = [("build", ["files", "post"]), ("final", ["files", "post", "test", "runscript", "labels", "help"])]
    if len(stages) != len(expected):
        yield f"apptainer.def: {len(stages)} stages"
        return
    for stage, (name, sections) in zip(stages, expected):
        header, *parts = re.split(r"^%", stage, flags=re.MULTILINE)
        if f"\nStage: {name}\n" not in header or "\nFrom: debian:12\n" not in header:
            yield f"apptainer.def: the header of stage {name} is {header!r}"
        names = [part.split("\n", 1)[0].split()[0] for part in parts]
        if names != sections:
            yield f"apptainer.def: stage {name} has the sections {names}"
        for part in parts:
            section, body = part.split("\n", 1)
            if section in ("post", "test", "runscript"):
                check = subprocess.run(["sh", "-n"], input=body, capture_output=True, text=True)
                if check.returncode != 0 or not body.strip():
                    yield f"apptainer.def: %{section} of stage {name}: {check.stderr}"
    used = re.findall(r"(?:launch|cmake)/[\w.]+", stages[0])
    for path in [*used, "launch/common.sh"]:
        if not (source / path).exists():
            yield f"apptainer.def: there is no {path}"
    arrays = re.findall(r"\$\{(\w+)\[@\]\}", stages[0])
    common = (source / "launch/common.sh").read_text()
    if arrays != ["build_packages", "package_packages"] or any(f"\n{array}=(" not in common for array in arrays):
        yield f"apptainer.def: installs {arrays} of launch/common.sh"


def module_errors(source):
    if not shutil.which("tclsh"):
        yield "the module file is not checked: apt-get install tcl"
        return
    with tempfile.TemporaryDirectory(prefix="dnn's ü ") as name:
        prefix = pathlib.Path(name).resolve() / "moved"
        place = prefix / "share/dnn_train/modulefiles/dnn_train/1.2.3"
        place.parent.mkdir(parents=True)
        shutil.copy(source / "cmake/packages/modulefile", place)
        script = pathlib.Path(name) / "load.tcl"
        script.write_text(TCL)
        loaded = subprocess.run(["tclsh", script, place], capture_output=True, text=True)
        for expected in ("whatis dnn_train 1.2.3: ", "conflict dnn_train\n", f"prepend PATH {prefix}/bin\n"):
            if expected not in loaded.stdout:
                yield f"modulefile: no {expected!r} in {loaded.stdout!r} {loaded.stderr!r}"
        if f"Installed in {prefix};" not in loaded.stderr:
            yield f"modulefile: its help is {loaded.stderr!r}"


def main():
    source = pathlib.Path(sys.argv[1])
    errors = [*spack_errors(source), *apptainer_errors(source), *module_errors(source)]
    print("\n".join(f"FAIL {error}" for error in errors) or "PASS the recipes are what the build needs")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
