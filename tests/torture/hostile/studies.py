"""Studies whose metadata name what they should not: each is opened, or refused in words."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

NAMES = (
    "../secret.mp4",
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\secret.mp4",
    "C:\\secret.mp4",
    "sub/../../../secret.mp4",
    "link.mp4",
    "folder-link/inside.mp4",
    ".",
    "..",
    "",
    "   ",
    "NUL",
    "CON.mp4",
    "a" * 300 + ".mp4",
    "a" * 5_000,
    "new\nline.mp4",
    "tab\there.mp4",
    "nul\u0000l.mp4",
    "right\u202eleft.mp4",
    "f\u0456lm.mp4",
    "e\u0301.mp4",
    "%2e%2e%2fsecret.mp4",
    "file:///etc/passwd",
    "http://127.0.0.1:9/film.mp4",
    "concat:a.mp4|b.mp4",
    "pipe:0",
    "=1+1.mp4",
    "'; DROP TABLE utterances; --.mp4",
    "<script>alert(1)</script>.mp4",
    "~root/x.mp4",
    "$HOME.mp4",
    "-rf.mp4",
    "\U0001f476.mp4",
)
"""As file names, and as ids of recordings and children."""


def make_studies(folder: Path) -> Iterator[Path]:
    """A study for each name in each place where metadata take one."""
    for number, name in enumerate(NAMES):
        for place in ("file", "recording_id", "child_id", "frames_folder"):
            root = folder / f"{place}-{number}"
            _make(root, name, place)
            yield root
    for kind, text in _SPOILT_TABLES.items():
        root = folder / kind
        _make(root, "good.mp4", "file")
        (root / "metadata" / "recordings.csv").write_bytes(text)
        yield root


_HEAD = b"child_id,recording_filename,date_iso\n"
_SPOILT_TABLES = {
    "no-rows": _HEAD,
    "empty": b"",
    "nulls": bytes(1_000),
    "short-rows": _HEAD + b"c1\nc1,good.mp4\n",
    "long-rows": _HEAD + b"c1,good.mp4,2021-01-01,1,2,3\n",
    "no-dates": _HEAD + b"c1,good.mp4,31-31-9999999999\n",
    "far-dates": _HEAD + b"c1,good.mp4,9999-12-31\n",
    "twice": _HEAD + b"c1,good.mp4,2021-01-01\nc1,good.mp4,2021-01-01\n",
    "big-cell": _HEAD + b"c1,good.mp4," + b"2" * 10_000_000 + b"\n",
    "utf16": b"\xff\xfe" + (_HEAD + b"c1,good.mp4,2021-01-01\n").decode().encode("utf-16-le"),
    "open-quote": _HEAD + b'c1,"good.mp4,2021-01-01\n',
    "bad-numbers": b"child_id,recording_filename,age_days,discard\nc1,good.mp4,1e999,nan\n",
}


def _make(root: Path, name: str, place: str) -> None:
    raw, metadata = root / "recordings" / "raw", root / "metadata"
    raw.mkdir(parents=True)
    metadata.mkdir()
    outside = root.parent / "outside"
    outside.mkdir(exist_ok=True)
    for secret in (root.parent / "secret.mp4", outside / "inside.mp4", raw / "good.mp4"):
        secret.write_bytes(b"not a video")
    (raw / "link.mp4").symlink_to(outside / "inside.mp4")
    (raw / "folder-link").symlink_to(outside, target_is_directory=True)
    child = name if place == "child_id" else "c1"
    file = name if place == "file" else "good.mp4"
    recording = name if place == "recording_id" else ""
    with (metadata / "children.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("child_id", "child_dob"), (child, "2020-01-01")])
    with (metadata / "recordings.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(
            [
                ("child_id", "recording_filename", "recording_id", "date_iso", "frames_folder"),
                (child, file, recording, "2021-01-01", name if place == "frames_folder" else ""),
            ]
        )
