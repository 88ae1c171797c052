"""What is withdrawn: the recordings, under every name that files know them by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import duckdb

from pipeline.errors import StoreError, StudyError
from pipeline.metadata_tables import metadata_table
from pipeline.pending_withdrawal import pending_path
from pipeline.recording_names import RecordingNames
from pipeline.records import Recording
from pipeline.store.layout import Stage, file_stem
from pipeline.store.locate import stores_folder
from pipeline.store.shards import write_atomically

_MIN_SEARCHED = 3


@dataclass(frozen=True, slots=True)
class KnownRecording:
    """A recording as the metadata or an older store name it; `media` is relative to
    recordings/raw, "" when no store or row says."""

    recording_id: str
    child_id: str
    media: str
    frames: str = ""


@dataclass(frozen=True)
class Target:
    """Who is withdrawn (`child_id` "" for a recording alone), and which recordings with it.

    `others` are the recordings that stay, whether usable or not. `siblings` are those of the
    same child that stay: their chance level was drawn from frames that go.
    """

    child_id: str
    gone: tuple[KnownRecording, ...]
    others: tuple[KnownRecording, ...]
    is_media_deleted: bool = False

    @cached_property
    def gone_ids(self) -> frozenset[str]:
        return frozenset(recording.recording_id for recording in self.gone)

    @cached_property
    def children(self) -> frozenset[str]:
        """The children whose shared results (chance levels, mean vectors) go."""
        return frozenset(recording.child_id for recording in self.gone) | (
            {self.child_id} if self.child_id else frozenset()
        )

    @property
    def siblings(self) -> frozenset[str]:
        return frozenset(r.recording_id for r in self.others if r.child_id in self.children)

    @cached_property
    def _names(self) -> RecordingNames:
        return RecordingNames([_as_record(r) for r in (*self.others, *self.gone)])

    def names_gone(self, name: str) -> bool:
        """Whether a file name, or a name inside a file, means a recording that goes."""
        return bool(name) and self._names.match(name) in self.gone_ids

    def names_other(self, name: str) -> bool:
        """Whether a name means a recording that stays."""
        found = self._names.match(name) if name else None
        return found is not None and found not in self.gone_ids

    @cached_property
    def identifiers(self) -> tuple[str, ...]:
        """Ids and file names to look for, longest first."""
        found = {self.child_id} if self.child_id else set()
        for recording in self.gone:
            found |= {recording.recording_id, file_stem(recording.recording_id)}
            if recording.media:
                media = PurePosixPath(recording.media)
                found |= {recording.media, media.name, media.stem}
        return tuple(sorted(filter(None, found), key=lambda text: (-len(text), text)))

    @cached_property
    def searched(self) -> tuple[str, ...]:
        """The identifiers that mean something wherever they stand: no bare numbers, not too
        short."""
        return tuple(
            text for text in self.identifiers if len(text) >= _MIN_SEARCHED and not text.isdigit()
        )

    @cached_property
    def mention(self) -> re.Pattern[str]:
        """Finds any of `searched` where it is not part of a longer word; matches nothing when
        there are none."""
        if not self.searched:
            return re.compile(r"(?!)")
        either = "|".join(re.escape(text) for text in self.searched)
        return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])")


def find_target(
    root: Path, *, child_id: str = "", recording_id: str = "", is_media_deleted: bool = False
) -> Target:
    """What a withdrawal of a child or a recording is about.

    Older stores are asked, too: a recording whose row was taken out of the metadata before may
    still have shards. Raises StudyError when neither the metadata nor a store knows the id.
    """
    known = known_recordings(root)
    if child_id:
        gone = [r for r in known.values() if r.child_id == child_id]
        if not gone and child_id not in _children(root):
            raise _unknown("child", child_id)
    else:
        if recording_id not in known:
            raise _unknown("recording", recording_id)
        gone = [known[recording_id]]
    ids = {r.recording_id for r in gone}
    return Target(
        child_id,
        tuple(sorted(gone, key=lambda r: r.recording_id)),
        tuple(r for r in known.values() if r.recording_id not in ids),
        is_media_deleted,
    )


def known_recordings(root: Path) -> dict[str, KnownRecording]:
    """Every recording that the metadata (discarded ones, too) or a store of the study names, by
    its id. Raises StudyError when the metadata cannot be read."""
    known = _of_metadata(root)
    for recording in _of_stores(root):
        known.setdefault(recording.recording_id, recording)
    return known


def write_pending(root: Path, target: Target) -> None:
    """Leave the mark with everything needed to go on after an interruption."""
    content = {
        "child_id": target.child_id,
        "is_media_deleted": target.is_media_deleted,
        "gone": [asdict(recording) for recording in target.gone],
        "others": [asdict(recording) for recording in target.others],
    }
    text = json.dumps(content, ensure_ascii=False)
    write_atomically(pending_path(root), lambda path: _write(path, text))


def read_pending(root: Path) -> Target | None:
    """What an unfinished withdrawal was about; None when there is none. StoreError if the mark
    is damaged."""
    path = pending_path(root)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Target(
            str(content["child_id"]),
            tuple(KnownRecording(**entry) for entry in content["gone"]),
            tuple(KnownRecording(**entry) for entry in content["others"]),
            bool(content["is_media_deleted"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StoreError(
            f"{path.parent.name}/{path.name} is damaged.",
            hint="Delete it and give the withdrawal again from its start.",
        ) from problem


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _of_metadata(root: Path) -> dict[str, KnownRecording]:
    """Every row, discarded ones too."""
    table = metadata_table(
        root, "recordings", "recording_filename", ("child_id", "recording_filename")
    )
    found = {}
    for row in table.rows:
        media = row.cells["recording_filename"].strip().replace("\\", "/")
        media = "" if media == "NA" else media
        recording_id = row.text("recording_id") or PurePosixPath(media).stem
        if recording_id:
            found[recording_id] = KnownRecording(
                recording_id, row.text("child_id"), media, row.text("frames_folder")
            )
    return found


def _children(root: Path) -> set[str]:
    return {row.text("child_id") for row in metadata_table(root, "children", "child_id", ()).rows}


def _of_stores(root: Path) -> Iterable[KnownRecording]:
    for path in sorted(stores_folder(root).glob("store-*.duckdb"), reverse=True):
        try:
            with duckdb.connect(str(path), read_only=True) as con:
                rows = con.execute(
                    "SELECT recording_id, child_id, coalesce(media_path, ''), "
                    "coalesce(frames_path, '') FROM recordings"
                ).fetchall()
        except duckdb.Error:
            continue  # It is deleted all the same.
        yield from (KnownRecording(*(str(cell) for cell in row)) for row in rows)


def _as_record(known: KnownRecording) -> Recording:
    media = PurePosixPath(known.media) if known.media else None
    return Recording(known.recording_id, known.child_id, media)


def _unknown(what: str, name: str) -> StudyError:
    return StudyError(
        f"The study has no {what} {name}.",
        hint=f"Give the {what}'s id as metadata/recordings.csv writes it. What was withdrawn "
        "before is listed under withdrawals/.",
    )


STAGE_FOLDERS = tuple(stage.value for stage in Stage)
