"""What an exported folder says of its set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.validation.files.export import SET_FILE, settings_of


def set_beside(path: Path, set_name: str) -> Mapping[str, object]:
    """What set.json beside a file says of this set; empty where there is none."""
    file = path.with_name(SET_FILE)
    if not file.is_file():
        return {}
    found = settings_of(file.read_text("utf-8", errors="replace"))
    return found if found.get("name") == set_name else {}
