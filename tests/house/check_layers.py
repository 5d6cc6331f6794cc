"""Holds the table of layers against the code: what each layer includes, and who knows which library."""

import pathlib
import re
import sys

# header prefix -> files (beginnings of their paths inside a layer folder) that may include it
LIBRARIES = {
    "mpi.h": ("comm/", "dnn_train.h"),
    "hwloc": ("comm/numa_domain",),
    "boost/": ("model/", "checkpoint/", "files/text_encoding"),
    "iconv": ("files/utf8_conversion",),
    "dnnl": ("products/bf16_product", "products/arithmetic"),
    "Random123/": ("core/random",),
    "openssl/": ("core/sha256",),
    "fast_float/": ("tables/",),
    "zlib": ("files/gzip",),
    "archive": ("files/archive",),
    "hdf5": ("readers/hdf5_handle",),
    "httplib": ("watch/watch_server",),
    "CLI/": ("options/bash_completion", "options/command_line", "options/config_file", "options/options", "run/predict_options", "options/model_options",
             "options/watch_options"),
    "toml++/": ("options/config_file",),
}

PROGRAMS_MAY_INCLUDE = {"core", "comm", "report", "options", "run"}

# The library's interface lies in include/dnn itself: whoever uses it sees that alone, and it includes no layer.
INTERFACE = {"dnn_train.h", "dnn_train.hpp"}
MAY_INCLUDE_INTERFACE = {"library", "python"}

LAYER = re.compile(r"^dnn_add_layer\((?P<name>\w+)(?: USES (?P<uses>[\w\s]*?))?(?: EXTERNAL [^)]*|\s+EXTERNAL [^)]*)?\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def read_table(root):
    """What each layer may include: the table is CMakeLists.txt's, which links the layers by it."""
    table = {"programs": PROGRAMS_MAY_INCLUDE, "python": set()}
    for layer in LAYER.finditer((root / "CMakeLists.txt").read_text()):
        uses = set((layer["uses"] or "").split())
        if not uses <= set(table):
            raise SystemExit(f"CMakeLists.txt: {layer['name']} uses layers above it: {sorted(uses - set(table))}")
        table[layer["name"]] = uses | {layer["name"]}
    return table


def files_by_layer(root):
    for tree in ("include/dnn", "src"):
        for path in sorted([*(root / tree).rglob("*.[hc]pp"), *(root / tree).rglob("*.h")]):
            inside = path.relative_to(root / tree)
            layer = inside.parts[0] if len(inside.parts) > 1 else "programs"
            yield layer, inside, path


def main():
    root = pathlib.Path(sys.argv[1])
    may_include = read_table(root)
    errors = []
    seen = set()
    for layer, inside, path in files_by_layer(root):
        seen.add(layer)
        if layer not in may_include:
            errors.append(f"{path}: the layer {layer} is not in the table")
            continue
        for header in INCLUDE.findall(path.read_text()):
            if header.startswith("dnn/"):
                other = header.split("/")[1]
                if other in INTERFACE and layer in MAY_INCLUDE_INTERFACE:
                    continue
                if other not in may_include[layer]:
                    errors.append(f"{path}: layer {layer} must not include {header}")
            for library, allowed in LIBRARIES.items():
                if header.startswith(library) and not str(inside).startswith(allowed):
                    if layer != "programs" or library != "CLI/":
                        errors.append(f"{path}: {header} belongs to {', '.join(allowed)} alone")
        if path.suffix == ".cpp" and layer not in ("programs", "python"):
            header = inside.with_suffix(".hpp")
            if not any((root / "include/dnn" / name).exists() for name in (header, header.name)):
                errors.append(f"{path}: has no header {header}")
    missing = set(may_include) - seen
    if missing:
        errors.append(f"layers without files: {sorted(missing)}")
    print("\n".join(errors) if errors else "the layers keep to the table")
    return 1 if errors else 0


sys.exit(main())
