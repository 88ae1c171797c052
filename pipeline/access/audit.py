"""Who opened which clip, picture or export when, and who was refused: lines that are only added.

Every line carries the digest of the line before, so that a line cannot be changed or taken out
without all that follow ceasing to fit. `head.json` beside them says how many there are, so that
none can be cut off the end. Somebody who may write to the folder can make the whole chain anew:
against that, keep the last digest, which the command `audit` prints, somewhere else.

Recordings and utterances stand in the lines as salted digests (`pipeline.access.audit_names`), so
that a withdrawal can take the names away and the chain still holds.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.access.audit_names import digests, name_of, names_by_digest
from pipeline.errors import AuditError

FOLDER_NAME = "audit"
MAX_FILE_BYTES = 20_000_000
"""Then a new file is begun; about 80,000 lines. Files are never deleted by Coview."""
MAX_AT_ONCE = 4
"""Lines that are written together."""
_FIRST = "0" * 64
_LOCK_S = 10.0
_TAIL_BYTES = 65_536
_FIELDS = ("number", "time", "who", "role", "what", "recording_id", "utterance_id", "detail")


@dataclass(frozen=True, slots=True)
class Opened:
    """One thing that was opened. `what`: clip, picture, sound, export, confirmed or refused.

    `detail` is a few words of Coview's own, never what was said in a recording.
    """

    who: str
    role: str
    what: str
    recording_id: str = ""
    utterance_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An opening as it was written: its number from 1, and its time in UTC (ISO 8601)."""

    number: int
    time: str
    opened: Opened


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds. `problem` says where it breaks; `digest` is the last line's."""

    n_lines: int
    n_files: int
    digest: str
    problem: str = ""

    @property
    def holds(self) -> bool:
        return not self.problem


@dataclass(frozen=True, slots=True)
class _Head:
    number: int
    digest: str


def audit_folder(study_root: Path) -> Path:
    return study_root / FOLDER_NAME


def write_opened(study_root: Path, opened: Opened) -> None:
    """Add one line and wait until the disk has it. Processes and threads may do so at once.

    Raises AuditError when it cannot be written: then what was asked for may not be shown.
    """
    write_all_opened(study_root, (opened,))


def write_all_opened(study_root: Path, several: Sequence[Opened]) -> None:
    """`write_opened` for several at once: the disk is waited for once."""
    folder = audit_folder(study_root)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with FileLock(folder / "lock", timeout=_LOCK_S, thread_local=False):
            _append(folder, [_digested(folder, _bounded(opened)) for opened in several])
    except (OSError, Timeout) as problem:
        raise AuditError(
            "Who opens this cannot be written down, so it is not shown.",
            hint=f"Make the folder {FOLDER_NAME} of the study writable, with room on its disk.",
        ) from problem


def read_lines(study_root: Path) -> Iterator[AuditLine]:
    """All lines in their order, as far as they can be read; `verify` tells what is wrong.

    What was withdrawn since then has no name any more.
    """
    folder = audit_folder(study_root)
    try:
        names = names_by_digest(folder)
    except AuditError:
        names = {}
    for path in _files(folder):
        with path.open("rb") as file:
            for raw in file:
                parsed = _parse(raw)
                if parsed is not None:
                    yield _named(parsed[0], names)


def verify(study_root: Path) -> Verdict:
    """Follow the chain from its first line to its last.

    Notices a line that was changed, taken out, put in or moved, a file that is missing, and lines
    cut off the end.
    """
    folder = audit_folder(study_root)
    files = _files(folder)
    before, number = _FIRST, 0
    for path in files:
        with path.open("rb") as file:
            for place, raw in enumerate(file, 1):
                parsed = _parse(raw)
                where = f"{path.name}, line {place}"
                if parsed is None:
                    if not raw.endswith(b"\n") and path == files[-1]:
                        break  # a process died while it wrote; the next line sets it aside
                    return Verdict(number, len(files), before, f"{where} is damaged")
                line, previous, digest = parsed
                if line.number != number + 1:
                    return Verdict(
                        number,
                        len(files),
                        before,
                        f"{where} has number {line.number} where {number + 1} is due",
                    )
                if previous != before or digest != _digest(line, previous):
                    return Verdict(number, len(files), before, f"{where} was changed")
                before, number = digest, number + 1
    problem = _end_problem(folder, number, before) or _names_problem(folder)
    return Verdict(number, len(files), before, problem)


def _names_problem(folder: Path) -> str:
    try:
        names_by_digest(folder)
    except AuditError as problem:
        return problem.message.rstrip(".")
    return ""


def _end_problem(folder: Path, number: int, digest: str) -> str:
    """What is wrong at the end: fewer lines than the head says, or others."""
    try:
        head = _read_head(folder)
    except AuditError as problem:
        return problem.message.rstrip(".")
    if head is None:
        # Only the very first lines may lie there without a head: their writer died in between.
        return "head.json is missing" if number > MAX_AT_ONCE else ""
    if head.number > number:
        return f"{head.number - number} line(s) are missing at the end"
    if head.number == number and head.digest != digest:
        return "the last line is not the one that was written"
    # A few lines may be ahead of the head: their writer died in between.
    return "lines were added by hand" if number - head.number > MAX_AT_ONCE else ""


def _append(folder: Path, several: Sequence[Opened]) -> None:
    files = _files(folder)
    path = files[-1] if files else folder / "opened-0001.jsonl"
    n_torn = _set_torn_aside(path) if files else 0
    last = _last_line(folder, files)
    if n_torn:
        torn = Opened("", "", "torn", detail=f"{n_torn} bytes of a line that was not finished")
        last = _write(folder, path, last, (torn,))
    if path.is_file() and path.stat().st_size >= MAX_FILE_BYTES:
        path = folder / f"opened-{len(files) + 1:04}.jsonl"
    for first in range(0, len(several), MAX_AT_ONCE):
        last = _write(folder, path, last, several[first : first + MAX_AT_ONCE])


def _write(folder: Path, path: Path, last: _Head, several: Sequence[Opened]) -> _Head:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    head, texts = last, []
    for opened in several:
        line = AuditLine(head.number + 1, now, opened)
        digest = _digest(line, head.digest)
        texts.append(json.dumps(_values(line) | {"previous": head.digest, "digest": digest}))
        head = _Head(line.number, digest)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write("".join(f"{text}\n" for text in texts).encode())
        file.flush()
        os.fsync(file.fileno())
    partial = folder / "head.json.partial"
    with partial.open("w", encoding="utf-8") as file_of_head:
        json.dump({"number": head.number, "digest": head.digest}, file_of_head)
        file_of_head.flush()
        os.fsync(file_of_head.fileno())
    partial.replace(folder / "head.json")
    return head


def _last_line(folder: Path, files: list[Path]) -> _Head:
    """Number and digest to go on from. A chain whose end was cut off is not mended: it goes on
    from the head, so that `verify` shows the gap."""
    head = _read_head(folder) or _Head(0, _FIRST)
    for path in reversed(files):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            raw = file.read().splitlines(keepends=True)
        parsed = _parse(raw[-1]) if raw else None
        if parsed is not None and parsed[0].number > head.number:
            return _Head(parsed[0].number, parsed[2])
        if raw:
            break
    return head


def _set_torn_aside(path: Path) -> int:
    """Cut a line that a dying process left unfinished; how many bytes of it there were."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
        n_torn = len(tail) - (tail.rfind(b"\n") + 1)
        if n_torn:
            file.truncate(size - n_torn)
    return n_torn


def _read_head(folder: Path) -> _Head | None:
    try:
        values = json.loads((folder / "head.json").read_text(encoding="utf-8"))
        return _Head(int(values["number"]), str(values["digest"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise AuditError(
            "head.json is damaged.", hint="Keep the folder audit as it is and look into it."
        ) from problem


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("opened-*.jsonl"))


def _parse(raw: bytes) -> tuple[AuditLine, str, str] | None:
    """A line, the digest of the one before, and its own; None when it is none."""
    try:
        values = json.loads(raw)
        number, time, *texts = (values[name] for name in _FIELDS)
        previous, digest = values["previous"], values["digest"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(number, int) or not all(
        isinstance(text, str) for text in (time, previous, digest, *texts)
    ):
        return None
    if not raw.endswith(b"\n") or len(values) != len(_FIELDS) + 2:
        return None
    return AuditLine(number, time, Opened(*texts)), previous, digest


def _values(line: AuditLine) -> dict[str, int | str]:
    one = line.opened
    texts = (one.who, one.role, one.what, one.recording_id, one.utterance_id, one.detail)
    return dict(zip(_FIELDS, (line.number, line.time, *texts), strict=True))


def _digest(line: AuditLine, previous: str) -> str:
    body = json.dumps([previous, *_values(line).values()], ensure_ascii=True)
    return hashlib.sha256(body.encode()).hexdigest()


def _bounded(opened: Opened) -> Opened:
    """No line can grow without end."""
    return replace(
        opened,
        who=opened.who[:200],
        recording_id=opened.recording_id[:300],
        utterance_id=opened.utterance_id[:300],
        detail=opened.detail[:300],
    )


def _digested(folder: Path, opened: Opened) -> Opened:
    """The opening as its line has it: with digests for names."""
    recording, utterance = digests(folder, opened.recording_id, opened.utterance_id)
    return replace(opened, recording_id=recording, utterance_id=utterance)


def _named(line: AuditLine, names: dict[str, str]) -> AuditLine:
    one = line.opened
    return replace(
        line,
        opened=replace(
            one,
            recording_id=name_of(names, one.recording_id),
            utterance_id=name_of(names, one.utterance_id),
        ),
    )
