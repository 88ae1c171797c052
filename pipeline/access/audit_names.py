"""Names of recordings and utterances for the audit: its lines hold salted digests of them.

The lines of the audit are chained, so none can be taken out when a recording is withdrawn. What
can be taken out is the way from a digest back to its name: each name has a salt of its own, which
lies here and nowhere else, in one small file for each recording. With that file gone nobody can
tell, or find out by trying names, which recording a line was about; that somebody opened something
at that time stays.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import AuditError

FOLDER_NAME = "names"
MARK = "~"
"""Digests begin with it; what does not was written as it is."""
FORGOTTEN = "(withdrawn)"
_KEY_FILE = "key"
_RECORDING, _UTTERANCE = "recording", "utterance"


@dataclass(frozen=True, slots=True)
class AuditName:
    """A name with its salt. The recording's own `utterance_id` is empty."""

    recording_id: str
    utterance_id: str
    salt: str

    @property
    def digest(self) -> str:
        """What the lines have in its place: SHA-256 of salt, kind and names, its first 16 bytes."""
        kind = _UTTERANCE if self.utterance_id else _RECORDING
        text = json.dumps([self.salt, kind, self.recording_id, self.utterance_id])
        raw = hashlib.sha256(text.encode()).digest()[:16]
        return MARK + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def digests(folder: Path, recording_id: str, utterance_id: str) -> tuple[str, str]:
    """The digests of a recording and of an utterance of it, made when they are asked for first.

    folder: the audit's; whoever calls holds its lock. An empty id stays empty. Raises OSError.
    """
    if not recording_id:
        # An utterance is of a recording; alone it says nothing.
        return "", ""
    path = _path(folder, recording_id)
    known = {name.utterance_id: name.digest for name in _read(path)}
    new = [
        AuditName(recording_id, one, secrets.token_hex(16))
        for one in dict.fromkeys(("", utterance_id))
        if one not in known
    ]
    if new:
        _add(path, new)
        known |= {name.utterance_id: name.digest for name in new}
    return known[""], known[utterance_id] if utterance_id else ""


def names_by_digest(folder: Path) -> dict[str, str]:
    """The id behind each digest, as far as it was not withdrawn. Raises AuditError for a digest
    whose name was changed."""
    found: dict[str, str] = {}
    for path in sorted((folder / FOLDER_NAME).glob("*.jsonl")):
        for name, digest in _entries(path):
            if name.digest != digest:
                raise AuditError(
                    f"A name in {FOLDER_NAME}/{path.name} was changed.",
                    hint="Keep the folder audit as it is and look into it.",
                )
            found[digest] = name.utterance_id or name.recording_id
    return found


def name_of(names: dict[str, str], text: str) -> str:
    """What a line's id means to a reader."""
    return names.get(text, FORGOTTEN) if text.startswith(MARK) else text


def name_files(folder: Path, recording_ids: Collection[str]) -> Iterator[Path]:
    """The files that lead back to these recordings: what a withdrawal deletes."""
    if not (folder / _KEY_FILE).is_file():
        return
    for recording_id in recording_ids:
        path = _path(folder, recording_id)
        if path.is_file():
            yield path


def _path(folder: Path, recording_id: str) -> Path:
    """The file of a recording. Its name needs the study's key to be made from the id."""
    stem = hmac.new(_key(folder), recording_id.encode(), hashlib.sha256).hexdigest()[:32]
    return folder / FOLDER_NAME / f"{stem}.jsonl"


def _key(folder: Path) -> bytes:
    path = folder / _KEY_FILE
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return path.read_bytes()


def _read(path: Path) -> list[AuditName]:
    return [name for name, _ in _entries(path)]


def _entries(path: Path) -> Iterator[tuple[AuditName, str]]:
    """Names and the digests they were written with; a line that is not whole is none."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    for raw in lines:
        try:
            recording_id, utterance_id, salt, digest = json.loads(raw)
        except ValueError:
            continue  # a process died while it wrote; the name gets another salt
        yield AuditName(str(recording_id), str(utterance_id), str(salt)), str(digest)


def _add(path: Path, names: list[AuditName]) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    rows = [
        json.dumps([name.recording_id, name.utterance_id, name.salt, name.digest]) for name in names
    ]
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        is_torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        file.write(("\n" * is_torn + "\n".join(rows) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
