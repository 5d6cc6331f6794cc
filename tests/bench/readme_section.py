"""The sections of the README that benchmarks write."""

from __future__ import annotations

from pathlib import Path


def write_section(readme: Path, name: str, lines: list[str]) -> None:
    """Replaces what is between the comments that begin and end the section `name`."""
    begin, end = f"<!-- {name}: written by tests/bench/{name}.py -->", f"<!-- end of {name} -->"
    before, rest = readme.read_text().split(begin)
    readme.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1])
