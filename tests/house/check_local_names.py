"""Units of a folder that compile as one (DNN_UNITY) share their file-local names: none may define another's.

Two functions of a name would be overloads, of which a call may silently take the wrong one.
"""

import collections
import pathlib
import re
import sys

LOCAL = re.compile(r"^namespace \{\n(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
# What is defined at a line's beginning: a function, a variable or a type; aliases may repeat.
DEFINITION = re.compile(
    r"^(?=[A-Za-z_\[])(?!using |namespace |TEST|template|TYPED_TEST|INSTANTIATE|static_assert)(?:struct |class |enum class )?(?:[\w:<>,*&\[\] ]*[ *&])?(\w+)(?:\(|\{|;|\[| =| \{|$)",
    re.MULTILINE)


def units(root):
    """The units of each folder that compile together."""
    together = collections.defaultdict(list)
    for path in sorted(root.glob("src/*/*.cpp")):
        together[path.parent].append(path)
    for path in sorted(root.glob("tests/*/*_test.cpp")):
        if not path.name.endswith("_mpi_test.cpp"):
            together[path.parent].append(path)
    return together


def local_names(path):
    names = set()
    for block in LOCAL.finditer(path.read_text()):
        names.update(name for name in DEFINITION.findall(block[1]) if name not in ("public", "private"))
    return names


def main():
    root = pathlib.Path(sys.argv[1])
    errors = []
    for paths in units(root).values():
        where = collections.defaultdict(list)
        for path in paths:
            for name in local_names(path):
                where[name].append(path)
        errors += [f"{files[0]} and {files[1]}: both define a file-local {name}; rename one, or share it"
                   for name, files in where.items() if len(files) > 1]
    print("\n".join(errors) or "no two units of a folder define the same file-local name")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
