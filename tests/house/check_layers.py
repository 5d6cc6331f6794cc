"""Holds the table of layers against the code: what each layer includes, and who knows which library."""

import pathlib
import re
import sys

MAY_INCLUDE = {
    "core": {"core"},
    "comm": {"core", "comm"},
    "data": {"core", "data"},
    "nn": {"core", "nn"},
    "optim": {"core", "optim"},
    "parallel": {"core", "comm", "nn", "parallel"},
    "train": {"core", "comm", "data", "nn", "optim", "parallel", "train"},
    "programs": {"train", "comm"},
}

# header prefix -> files (beginnings of their paths inside a layer folder) that may include it
LIBRARIES = {
    "mpi.h": ("comm/",),
    "boost/": ("train/model_file", "train/checkpoint", "train/description_archive"),
    "dnnl": ("nn/matrix_product", "nn/bf16_product", "nn/arithmetic"),
    "cblas": ("nn/matrix_product",),
    "Random123/": ("core/random",),
    "openssl/": ("core/sha256",),
    "zlib": ("data/bytes",),
    "CLI/": ("train/",),
    "toml++/": ("train/config_file",),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def files_by_layer(root):
    for tree in ("include/dnn", "src"):
        for path in sorted((root / tree).rglob("*.[hc]pp")):
            inside = path.relative_to(root / tree)
            layer = inside.parts[0] if len(inside.parts) > 1 else "programs"
            yield layer, inside, path


def main():
    root = pathlib.Path(sys.argv[1])
    errors = []
    seen = set()
    for layer, inside, path in files_by_layer(root):
        seen.add(layer)
        if layer not in MAY_INCLUDE:
            errors.append(f"{path}: the layer {layer} is not in the table")
            continue
        for header in INCLUDE.findall(path.read_text()):
            if header.startswith("dnn/"):
                other = header.split("/")[1]
                if other not in MAY_INCLUDE[layer]:
                    errors.append(f"{path}: layer {layer} must not include {header}")
            for library, allowed in LIBRARIES.items():
                if header.startswith(library) and not str(inside).startswith(allowed):
                    if layer != "programs" or library != "CLI/":
                        errors.append(f"{path}: {header} belongs to {', '.join(allowed)} alone")
        if path.suffix == ".cpp" and layer != "programs":
            header = root / "include/dnn" / inside.with_suffix(".hpp")
            if not header.exists():
                errors.append(f"{path}: has no header {header}")
    missing = set(MAY_INCLUDE) - seen
    if missing:
        errors.append(f"layers without files: {sorted(missing)}")
    print("\n".join(errors) if errors else "the layers keep to the table")
    return 1 if errors else 0


sys.exit(main())
