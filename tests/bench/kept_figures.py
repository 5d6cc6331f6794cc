"""Figures of other programs, which benchmarks make once and keep in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


class KeptFigures:
    """Figures by name. Without a file they are kept in memory alone."""

    def __init__(self, path: Path | None):
        self.path = path
        self.kept = json.loads(path.read_text()) if path and path.exists() else {}

    def get(self, name: str, make: Callable[[], dict]) -> dict:
        """The figures kept under `name`; made and kept where there are none."""
        if name not in self.kept:
            self.kept[name] = make()
            if self.path:
                self.path.write_text(json.dumps(self.kept, indent=1))
        return self.kept[name]
