"""A decoder that truly crashes, never ends or takes all memory, by the name of the file."""

from __future__ import annotations

import os
from pathlib import Path

_HOOK = """
import ctypes
import time
from pathlib import Path

import pipeline.media_file

whole = pipeline.media_file.in_hand


class CrashingHand:
    def __init__(self, path):
        self.path, self.note = path, whole(path)

    def __enter__(self):
        self.note.__enter__()
        if "deadly" in self.path.name:
            ctypes.string_at(0)
        if "endless" in self.path.name:
            Path(self.path.parent, "begun").touch()
            time.sleep(60)
        if "greedy" in self.path.name:
            bytearray(64 << 30)

    def __exit__(self, *problem):
        return self.note.__exit__(*problem)


pipeline.media_file.in_hand = CrashingHand
"""
_ROOT = Path(__file__).resolve().parents[3]


def python_path(folder: Path) -> str:
    """PYTHONPATH of processes whose decoder crashes as soon as "deadly" files are opened, sleeps
    over "endless" ones and takes 64 GiB for "greedy" ones; `folder` is made for it."""
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(_HOOK)
    return f"{folder}{os.pathsep}{_ROOT}"
