"""Builds the examples as projects of their own against an installed prefix that was moved, and runs them: C++ with the
shared and the static library, C, Fortran and Python end with the same parameters, at several numbers of ranks. So too
a program in Fortran whose calls fail."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
HASH = re.compile(r"^[0-9a-f]{64}$", re.MULTILINE)
LEAST_R2 = 0.97
RANKS = {"C++": [1, 2, 3, 4], "C": [1, 3], "Fortran": [2, 4], "Python": [1, 3]}


def run(command, quiet=False, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    own = r"step \d+: loss [\d.]+|R2 of .*|[0-9a-f]{64}"  # the examples' lines
    if quiet and (done.stderr or not all(re.fullmatch(own, line) for line in done.stdout.splitlines())):
        sys.exit(f"{' '.join(map(str, command))}: a library prints nothing, but: {done.stdout}{done.stderr}")
    return done.stdout


def installed(build, work):
    """The library's files, installed and then moved: nothing in them may know where they were."""
    first, prefix = work / "first", work / "elsewhere"
    for component in ("library", "development"):
        run(["cmake", "--install", build, "--prefix", first, "--component", component])
    first.rename(prefix)
    return prefix


def check_headers(prefix, work, mpicxx, mpicc):
    """The public headers compile alone, without a warning, and name no library but MPI."""
    headers = sorted((prefix / "include/dnn").glob("*.h*"))
    assert [h.name for h in headers] == ["dnn_train.h", "dnn_train.hpp"], headers
    for header in headers:
        includes = set(re.findall(r"^#include <([^>]+)>", header.read_text(), re.MULTILINE))
        assert not [i for i in includes if "/" in i or i.endswith(".h") and i not in
                    ("mpi.h", "stddef.h", "stdint.h")], includes
        assert not re.findall(r'^#include "', header.read_text(), re.MULTILINE)
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only",
              "-DOMPI_SKIP_MPICXX", "-DMPICH_SKIP_MPICXX", f"-I{prefix}/include"]
    source = work / "alone.cpp"
    for header in ("dnn_train.hpp", "dnn_train.h"):
        source.write_text(f"#include <dnn/{header}>\n#include <dnn/{header}>\n")
        for standard in ("c++17", "c++20"):
            run([mpicxx, *strict, f"-std={standard}", source])
    source = work / "alone.c"
    source.write_text("#include <dnn/dnn_train.h>\n#include <dnn/dnn_train.h>\nint unused;\n")
    run([mpicc, *strict, "-std=c99", source])


def check_symbols(prefix):
    """The shared library shows its interface and nothing of what it is made of."""
    library = next(prefix.glob("lib*/**/libdnn_train.so.*.*.*"))
    strange = []
    for line in run(["nm", "-D", "-C", "--defined-only", library]).splitlines():
        name = line.split(maxsplit=2)[2]
        if not re.match(r"((typeinfo|typeinfo name|vtable) for )?dnn_train(::|_)", name):
            strange.append(line)
    assert not strange, "\n".join(strange[:20])
    assert "SONAME" in run(["objdump", "-p", library])


def build_project(source, binary, prefix):
    run(["cmake", "-S", source, "-B", binary, f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release"])
    run(["cmake", "--build", binary])
    return [binary / "heat"]


def build_example(name, prefix, work, static=False):
    source = HERE / name
    if static:
        source = work / "static-source"
        shutil.copytree(HERE / name, source)
        project = source / "CMakeLists.txt"
        project.write_text(project.read_text().replace("dnn_train::dnn_train", "dnn_train::static"))
    return build_project(source, work / f"build-{name}{'-static' if static else ''}", prefix)


def build_fortran_errors(prefix, work):
    """The project of the example in Fortran with the test's program in its place."""
    source = work / "fortran-errors"
    source.mkdir()
    shutil.copy(HERE / "fortran/CMakeLists.txt", source)
    shutil.copy(HERE.parent / "library/fortran_errors.f90", source / "heat.f90")
    return build_project(source, work / "build-fortran-errors", prefix)


def build_c(prefix, work, mpicc):
    pc = next(prefix.glob("lib*/**/pkgconfig/dnn_train.pc")).parent
    environment = dict(os.environ, PKG_CONFIG_PATH=str(pc))
    flags = run(["pkg-config", "--cflags", "--libs", "dnn_train"], env=environment).split()
    program = work / "heat-c"
    run([mpicc, "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", HERE / "c/heat.c", *flags, "-o", program])
    return [program]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build folder")
    parser.add_argument("--mpiexec", required=True)
    parser.add_argument("--mpicxx", required=True)
    parser.add_argument("--mpicc", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dnn_examples_") as folder:
        work = pathlib.Path(folder)
        prefix = installed(arguments.build, work)
        check_headers(prefix, work, arguments.mpicxx, arguments.mpicc)
        check_symbols(prefix)
        programs = {
            "C++": build_example("cpp", prefix, work),
            "C++, static": build_example("cpp", prefix, work, static=True),
            "C": build_example("c", prefix, work),
            "C by pkg-config": build_c(prefix, work, arguments.mpicc),
            "Fortran": build_example("fortran", prefix, work),
            "Python": [sys.executable, HERE / "python/train.py"],
        }
        library = next(prefix.glob("lib*/**/libdnn_train.so")).parent
        environment = dict(os.environ, LD_LIBRARY_PATH=str(library), PYTHONPATH=str(arguments.build / "python"))
        errors = build_fortran_errors(prefix, work)
        for ranks in (1, 2):
            run([arguments.mpiexec, "-n", ranks, *errors], cwd=work, env=environment)
        hashes = {}
        for name, command in programs.items():
            for ranks in RANKS.get(name, [2]):
                text = run([arguments.mpiexec, "-n", ranks, *command], quiet=True, env=environment)
                r2 = float(re.search(r"R2 .*: ([\d.]+)", text)[1])
                assert r2 > LEAST_R2, f"{name}, {ranks} ranks: {text}"
                hashes[f"{name}, {ranks} ranks"] = HASH.search(text)[0]
        assert len(set(hashes.values())) == 1, "\n".join(f"{name}: {h}" for name, h in hashes.items())
        print(f"{len(hashes)} runs, R2 {r2}, one hash: {set(hashes.values()).pop()}")


main()
