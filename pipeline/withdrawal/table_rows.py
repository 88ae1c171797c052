"""Tables, RTTM and JSON files without the rows of a withdrawn recording; all else stays as it is,
byte for byte."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.withdrawal.doomed import Cut
from pipeline.withdrawal.target import Target

_RECORDING_COLUMNS = frozenset(
    (
        "recording_id",
        "recording_filename",
        "recording_name",
        "recording",
        "raw_filename",
        "annotation_filename",
        "video_id",
        "video_name",
        "video_path",
        "video_filename",
        "video",
        "media_path",
        "media",
        "audio_filename",
        "clip_id",
        "filename",
        "file_name",
        "file",
    )
)
_CHILD_COLUMNS = frozenset(("child_id", "child", "subject_id", "subject"))
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class _Text:
    """A file's text with its line ends as they are, and how to write it again."""

    text: str
    codec: str


def table_cut(path: Path, target: Target, why: str) -> list[Cut]:
    """The cut of a table by its columns of recordings and children; empty when nothing goes."""
    read = _read(path)
    if read is None:
        return []
    lines = list(io.StringIO(read.text, newline=""))
    first = next((line for line in lines if line.strip()), "")
    reader = csv.reader(lines, delimiter=max(",;\t", key=first.count))
    kept: list[str] = []
    n_gone = n_read = 0
    columns: list[str] = []
    try:
        for cells in reader:
            own, n_read = lines[n_read : reader.line_num], reader.line_num
            if not columns and any(cell.strip() for cell in cells):
                columns = [cell.strip().lower().replace(" ", "_") for cell in cells]
                kept += own
            elif _is_gone(columns, cells, target):
                n_gone += 1
            else:
                kept += own
    except csv.Error:
        return []
    return _cut(path, why, n_gone, "".join(kept), read.codec)


def rttm_cut(path: Path, target: Target, why: str) -> list[Cut]:
    """The cut of an RTTM file, whose second word names the recording."""
    read = _read(path)
    if read is None:
        return []
    lines = list(io.StringIO(read.text, newline=""))
    kept = [
        line
        for line in lines
        if not (len(words := line.split()) > 1 and target.names_gone(words[1]))
    ]
    return _cut(path, why, len(lines) - len(kept), "".join(kept), read.codec)


def json_cut(path: Path, target: Target, why: str) -> list[Cut]:
    """The cut of a JSON file: entries of lists that name the recording, and keys that do."""
    read = _read(path)
    if read is None:
        return []
    try:
        content = json.loads(read.text)
    except ValueError:
        return []
    kept, n_gone = _without(content, target)
    indent = 1 if "\n" in read.text.strip() else None
    text = json.dumps(kept, ensure_ascii=False, indent=indent) if n_gone else ""
    return _cut(path, why, n_gone, text, read.codec)


def _without(content: object, target: Target) -> tuple[object, int]:
    if isinstance(content, list):
        pairs = [_without(entry, target) for entry in content if not _entry_gone(entry, target)]
        n_own = len(content) - len(pairs)
        return [kept for kept, _ in pairs], n_own + sum(n for _, n in pairs)
    if isinstance(content, dict):
        kept = {}
        n_gone = 0
        for name, value in content.items():
            if target.names_gone(name) or (name in target.children and target.child_id):
                n_gone += 1
                continue
            kept[name], n = _without(value, target)
            n_gone += n
        return kept, n_gone
    return content, 0


def _entry_gone(entry: object, target: Target) -> bool:
    if not isinstance(entry, dict):
        return False
    columns = [str(name).lower().replace(" ", "_") for name in entry]
    return _is_gone(columns, [str(value) for value in entry.values()], target)


def _is_gone(columns: list[str], cells: list[str], target: Target) -> bool:
    for column, cell in zip(columns, cells, strict=False):
        value = cell.strip()
        if column in _RECORDING_COLUMNS and target.names_gone(value):
            return True
        if column in _CHILD_COLUMNS and target.child_id and value == target.child_id:
            return True
    return False


def _cut(path: Path, why: str, n_gone: int, text: str, codec: str) -> list[Cut]:
    if not n_gone:
        return []
    return [Cut(path, why, n_gone, partial(_write, text=text, codec=codec))]


def _write(path: Path, *, text: str, codec: str) -> None:
    path.write_bytes(text.encode(codec))


def _read(path: Path) -> _Text | None:
    """None for what cannot be read or is no text."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    if raw.startswith(_UTF16_MARKS):
        codec = "utf-16"
    else:
        codec = "utf-8-sig" if raw.startswith(_UTF8_MARK) else "utf-8"
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        codec = "latin-1"
        text = raw.decode(codec)
    return None if "\0" in text else _Text(text, codec)
