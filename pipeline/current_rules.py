"""What may be shown of a recording now: its permission and its redactions, read from metadata/.

A store says what held when it was built. Whatever shows pictures, sound or clips asks here as
well, so that a change of metadata/recordings.csv or metadata/redactions.csv holds from the next
request on. What cannot be read is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from pipeline.config import load_settings
from pipeline.errors import CoviewError, MediaError
from pipeline.metadata_tables import is_discarded, metadata_table
from pipeline.records import Permission
from pipeline.redactions import NOTHING, Redactions, merged, read_redactions, redactions_path


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one recording."""

    recording_id: str
    permission: Permission
    redactions: Redactions


class StudyRules:
    """The rules of all recordings, by id and by video."""

    def __init__(self, by_id: dict[str, Rule], by_media: dict[str, Rule]) -> None:
        self._by_id = by_id
        self._by_media = by_media

    @property
    def wordless(self) -> tuple[str, ...]:
        """Recordings whose words, pictures and sound may not be shown."""
        return tuple(name for name, r in self._by_id.items() if not r.permission.may_be_shown)

    def shown(self, recording_id: str) -> Rule:
        """The rule of a recording whose pictures and sound may be shown; MediaError if not."""
        return _allowed(self._by_id.get(recording_id), recording_id)

    def shown_media(self, media_path: str) -> Rule:
        """`shown` for a video, named by its path relative to recordings/raw."""
        return _allowed(self._by_media.get(media_path), media_path)


def rules_now(study_root: Path) -> StudyRules:
    """The rules as the metadata say now. MediaError when they cannot be read: then nothing of the
    study may be shown."""
    try:
        return _read(study_root, metadata_state(study_root))
    except (CoviewError, OSError) as problem:
        raise MediaError(
            "What may be shown of this study cannot be read, so nothing is shown.",
            hint=str(problem),
        ) from problem


def _stricter(one: Rule, other: Rule) -> Rule:
    """What holds for a video that two rows are about."""
    both = Redactions(
        merged((*one.redactions.blackout, *other.redactions.blackout)),
        merged((*one.redactions.mute, *other.redactions.mute)),
    )
    order = (Permission.EXCERPTS, Permission.MEDIA, Permission.SCORES_ONLY)
    permission = max(one.permission, other.permission, key=order.index)
    return Rule(one.recording_id, permission, both)


def _allowed(rule: Rule | None, name: str) -> Rule:
    if rule is None:
        raise MediaError(
            f"{name} is not in metadata/recordings.csv, so it is not shown.",
            hint="Add its row, then run the study again.",
        )
    if not rule.permission.may_be_shown:
        raise MediaError(
            f"{rule.recording_id} may not be shown: its permission is scores_only.",
            hint="The column permission of metadata/recordings.csv says so.",
        )
    return rule


def metadata_state(study_root: Path) -> tuple[tuple[str, int, int], ...]:
    """Numbers that change whenever a file that `rules_now` reads does."""
    metadata = study_root / "metadata"
    paths = [
        study_root / "study.toml",
        metadata / "recordings.csv",
        redactions_path(study_root),
        *sorted((metadata / "recordings").rglob("*.csv")),
    ]
    found = []
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


@lru_cache(maxsize=8)
def _read(study_root: Path, state: tuple[tuple[str, int, int], ...]) -> StudyRules:
    default = load_settings(study_root / "study.toml").study.default_permission
    table = metadata_table(
        study_root, "recordings", "recording_filename", ("child_id", "recording_filename")
    )
    redactions = read_redactions(study_root)
    by_id: dict[str, Rule] = {}
    by_media: dict[str, Rule] = {}
    for row in table.rows:
        if is_discarded(row):
            continue
        media = PurePosixPath(row.text("recording_filename").replace("\\", "/"))
        recording_id = row.text("recording_id") or media.stem
        text = row.text("permission") or default
        known = {permission.value for permission in Permission}
        rule = Rule(
            recording_id,
            Permission(text) if text in known else Permission.SCORES_ONLY,
            redactions.get(recording_id, NOTHING),
        )
        by_id[recording_id] = rule
        by_media[str(media)] = _stricter(by_media.get(str(media), rule), rule)
    return StudyRules(by_id, by_media)
