"""Files of lines that lose those that name a withdrawn recording."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from pipeline.withdrawal.doomed import Cut
from pipeline.withdrawal.target import Target


def lines_cut(path: Path, target: Target, why: str) -> list[Cut]:
    """The cut of a log of JSON lines; empty when no line names what goes."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if not _mentions(line, target)]
    if len(kept) == len(lines):
        return []
    return [Cut(path, why, len(lines) - len(kept), partial(_write, lines=kept))]


def _mentions(line: str, target: Target) -> bool:
    if target.mention.search(line):
        return True
    try:
        content = json.loads(line)
    except ValueError:
        return False
    return _names(content, target)


def _names(content: object, target: Target) -> bool:
    """Whether a text anywhere inside names what goes; JSON may spell letters as escapes."""
    if isinstance(content, str):
        return content in target.identifiers or bool(target.mention.search(content))
    if isinstance(content, dict):
        return any(_names(part, target) for pair in content.items() for part in pair)
    if isinstance(content, list):
        return any(_names(part, target) for part in content)
    return False


def _write(path: Path, *, lines: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
