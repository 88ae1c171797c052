"""What the lab itself put into the study: metadata, transcripts, annotations, videos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.access.audit_names import name_files
from pipeline.errors import StudyError, TranscriptError
from pipeline.export_marker import EXPORT_MARKER
from pipeline.pending_withdrawal import FOLDER
from pipeline.speech.annotation_files import AnnotationFile
from pipeline.speech.file_cache import FileCache
from pipeline.speech.formats import said_formats
from pipeline.speech.tiers import tier_speakers
from pipeline.textfile import read_csv
from pipeline.withdrawal.doomed import Cut, Doomed, DoomedFile
from pipeline.withdrawal.table_rows import json_cut, rttm_cut, table_cut
from pipeline.withdrawal.target import Target

_TABLES = frozenset((".csv", ".tsv"))
AUDIT = "audit"
"""Who opened what when. Its lines are chained and none can be taken out, but the names that their
digests stand for can."""
_OWN_FOLDERS = frozenset(("derived", "people", "recordings", AUDIT, FOLDER))
_NORMS = ("metadata", "norms")
"""Tables of words, not of recordings: a child called "bear" must not cost the word its norm."""
_ROWS_IN_METADATA = "rows of metadata"
_ROWS_IN_ANNOTATIONS = "rows of transcripts and annotations"
_FILES = "transcripts and annotations"
_BYTES_OF_HEAD = 1 << 16


def doomed_given(root: Path, target: Target) -> Doomed:
    """Rows and files about what is withdrawn, outside of derived/ and people/.

    Raises StudyError for a file that is about recordings that go and others, in a format that
    cannot be parted.
    """
    files: list[DoomedFile] = []
    cuts: list[Cut] = []
    exported = {marker.parent for marker in _all_files(root) if marker.name == EXPORT_MARKER}
    listed = _listed_annotations(root, target)
    inside = _Inside(root)
    for path in _all_files(root):
        parts = path.relative_to(root).parts
        if not exported.isdisjoint(path.parents):
            files.append(DoomedFile(path, "exports"))
        elif parts[0] != "annotations":
            if path.suffix.lower() in _TABLES and parts[:2] != _NORMS:
                cuts += table_cut(path, target, _ROWS_IN_METADATA)
            elif path.suffix.lower() == ".json":
                cuts += json_cut(path, target, _ROWS_IN_METADATA)
        elif path in listed or target.names_gone(path.name):
            files.append(DoomedFile(path, _FILES))
        elif found := _cuts_of(path, target):
            cuts += found
        elif not target.names_other(path.name) and inside.is_about(path, target):
            files.append(DoomedFile(path, _FILES))
    files += [
        DoomedFile(p, "names in the audit") for p in name_files(root / AUDIT, target.gone_ids)
    ]
    return Doomed(tuple(files), tuple(cuts), _audit_left(root)) + _media(root, target)


def _audit_left(root: Path) -> tuple[str, ...]:
    if not (root / AUDIT).is_dir():
        return ()
    return (
        f"{AUDIT}/ keeps that somebody opened something and when: its lines are chained, so none "
        "can be taken out. What was opened can no longer be told from them.",
    )


def _all_files(root: Path) -> Iterator[Path]:
    for top in sorted(root.iterdir()):
        if top.name in _OWN_FOLDERS:
            continue
        inner = sorted(top.rglob("*")) if top.is_dir() and not top.is_symlink() else [top]
        yield from (path for path in inner if path.is_symlink() or path.is_file())


def _cuts_of(path: Path, target: Target) -> list[Cut]:
    suffix = path.suffix.lower()
    if suffix in _TABLES or suffix == ".txt":
        return table_cut(path, target, _ROWS_IN_ANNOTATIONS)
    if suffix == ".rttm":
        return rttm_cut(path, target, _ROWS_IN_ANNOTATIONS)
    if suffix == ".json":
        return json_cut(path, target, _ROWS_IN_ANNOTATIONS)
    return []


def _listed_annotations(root: Path, target: Target) -> set[Path]:
    """Files that metadata/annotations.csv says are about nothing but what goes."""
    table = root / "metadata" / "annotations.csv"
    if not table.is_file():
        return set()
    gone: set[Path] = set()
    others: set[Path] = set()
    for row in read_csv(table).rows:
        is_gone = target.names_gone(row.text("recording_filename"))
        for column, kind in (("annotation_filename", "converted"), ("raw_filename", "raw")):
            if inner := row.text(column):
                path = root / "annotations" / row.text("set") / kind / inner
                (gone if is_gone else others).add(path)
    return gone - others


class _Inside:
    """Looks into annotation files that are named after no recording."""

    def __init__(self, root: Path) -> None:
        self._cache = FileCache(tier_speakers({}), said_formats(root / "annotations"))

    def is_about(self, path: Path, target: Target) -> bool:
        """Whether the names inside mean what goes, and nothing else.

        Raises StudyError when they mean recordings that stay as well.
        """
        names = self._names(path)
        if not any(map(target.names_gone, names)):
            return False
        if any(map(target.names_other, names)):
            raise StudyError(
                f"{path.name} is about recordings that are withdrawn and others, and Coview cannot "
                "part it.",
                hint="Split it into one file for each recording, or delete it, then withdraw.",
            )
        return True

    def _names(self, path: Path) -> set[str]:
        head = AnnotationFile(path, "", path.name, False).head()
        try:
            if self._cache.transcript_rank(path, head) is not None:
                return {*self._cache.transcript(path).by_name, *_media_named(head)}
            if self._cache.is_speaker_file(path, head):
                return {turns.belongs_to for turns in self._cache.speakers(path).recordings}
        except TranscriptError:
            pass
        return _media_named(head)


_MEDIA = re.compile(r"(?:MEDIA_URL|RELATIVE_MEDIA_URL)=\"([^\"]+)\"|^@Media:\s*([^,\n]+)", re.M)


def _media_named(head: str) -> set[str]:
    """The media that ELAN's and CHAT's headers name."""
    found = {part for match in _MEDIA.finditer(head) for part in match.groups() if part}
    return {name.strip().replace("\\", "/").rpartition("/")[2] for name in found}


def _media(root: Path, target: Target) -> Doomed:
    """Videos, their conversions and extracted frames: they go when that was asked for."""
    folder = root / "recordings"
    frames = {root / r.frames for r in target.gone if r.frames}
    found = [
        path
        for path in (sorted(folder.rglob("*")) if folder.is_dir() else ())
        if (path.is_symlink() or path.is_file())
        and (
            target.names_gone(path.relative_to(folder).as_posix())
            or _is_of_gone(path, folder, target)
            or not frames.isdisjoint(path.parents)
        )
    ]
    if not found:
        return Doomed()
    if target.is_media_deleted:
        left = tuple(
            f"{path.relative_to(root).as_posix()} is a link: the file it leads to lies outside "
            "the study and stays."
            for path in found
            if path.is_symlink()
        )
        return Doomed(tuple(DoomedFile(path, "videos and frames") for path in found), (), left)
    return Doomed(
        left=(
            f"{len(found)} file(s) under recordings/ stay, because --delete-media was not given: "
            + ", ".join(path.relative_to(root).as_posix() for path in found[:5])
            + (" ..." if len(found) > 5 else ""),
        )
    )


def _is_of_gone(path: Path, folder: Path, target: Target) -> bool:
    """Whether a path below recordings/ is a recording's own place, a conversion of it under
    converted/PROFILE/, or lies in a folder of frames named after it."""
    inner = path.relative_to(folder).parts
    tails = {"/".join(inner[1:]), "/".join(inner[2:])}
    return any(target.names_gone(tail) for tail in tails if tail) or any(
        part in target.gone_ids for part in inner[1:-1]
    )
