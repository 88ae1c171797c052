"""Formats by name: for people who say what a file is, and for sets where they said so."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import SettingsError, TranscriptError
from pipeline.speech.readers import TranscriptReader
from pipeline.speech.speaker_files import SPEAKER_READERS, SpeakerFileReader
from pipeline.spreadsheet import CsvWriter
from pipeline.textfile import read_csv

FORMATS_FILE = ".formats.csv"
"""In the folder of an annotation set: which format a file was said to be (file, format)."""


def format_key(name: str) -> str:
    """What people type for a reader's name: "BabyView tokens" is babyview-tokens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def check_format(key: str, known: Sequence[str]) -> None:
    """Raise SettingsError naming all formats unless `key` is one of them."""
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        listed = f"Formats: {', '.join(known)}."
        raise SettingsError(
            f"There is no format {key!r}.",
            hint=f"Did you mean {near[0]}? {listed}" if near else listed,
        )


def transcript_reader(
    key: str, head: str, readers: Sequence[TranscriptReader]
) -> TranscriptReader | None:
    """The reader with that key; with no key, the one that recognises the head of the file."""
    if key:
        return next((reader for reader in readers if format_key(reader.name) == key), None)
    return next((reader for reader in readers if reader.recognises(head)), None)


def speaker_reader(key: str, head: str) -> SpeakerFileReader | None:
    """As `transcript_reader`, for files that say who spoke without saying what."""
    if key:
        return next((r for r in SPEAKER_READERS if format_key(r.name) == key), None)
    return next((r for r in SPEAKER_READERS if r.recognises(head)), None)


def said_formats(annotations: Path) -> dict[Path, str]:
    """Format keys of the files below annotations/ for which somebody said the format."""
    said: dict[Path, str] = {}
    for listing in sorted(annotations.rglob(FORMATS_FILE)):
        table = read_csv(listing)
        table.require(("file", "format"), TranscriptError)
        for row in table.rows:
            said[listing.parent / row.text("file")] = row.text("format")
    return said


def said_formats_text(formats: Mapping[str, str]) -> str:
    """Content of FORMATS_FILE: format keys by file, relative to the set's folder."""
    text = io.StringIO()
    writer = CsvWriter(text)
    writer.writerow(("file", "format"))
    writer.writerows(sorted(formats.items()))
    return text.getvalue()
