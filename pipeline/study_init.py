"""Make a study out of a plain folder of videos."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from pipeline.errors import StudyError
from pipeline.spreadsheet import CsvWriter
from pipeline.study import VIDEO_SUFFIXES

TRANSCRIPT_SUFFIXES = frozenset((".srt", ".vtt", ".json", ".csv", ".cha", ".eaf", ".textgrid"))
SPEAKER_SUFFIXES = frozenset((".rttm", ".its"))

_STUDY_TOML = """\
# Settings of this study. Every key has a default; docs/settings.md lists them.

[study]
name = {name}
# What the families allow: "media" lets the dashboard play the recordings on this machine;
# "scores_only" shows numbers only. The column "permission" of metadata/recordings.csv
# overrides it for single recordings.
default_permission = "media"

# Scores of other texts (the nouns only, "a photo of a NOUN") and with hubs taken out, each as a
# scorer of its own beside the plain score; each takes as much room again.
# [align]
# settings = ["hub", "nouns", "photo", "nouns+hub", "photo+hub"]
"""


@dataclass(frozen=True, slots=True)
class InitSummary:
    """What `init_study` made."""

    root: Path
    n_recordings: int
    children: tuple[str, ...]
    n_transcripts: int


@dataclass(frozen=True, slots=True)
class _Found:
    video: Path
    filename: PurePosixPath
    child_id: str
    recorded: str
    age_months: str


def init_study(
    root: Path, videos: Path, *, child_pattern: str = "", is_copy: bool = False
) -> InitSummary:
    """Write a ChildProject-layout study whose recordings point at the videos of a folder.

    A child's id is the name of the sub-folder a video lies in; with `child_pattern`, a regular
    expression searched in the path from `videos` on, it is the group named child (groups date,
    as YYYY-MM-DD, and age_months are used too). Videos are linked, or copied with `is_copy`.
    Transcripts and speaker files of the same stem beside a video are copied in.

    Raises StudyError when there is nothing to do, the study exists, or an id cannot be found.
    """
    root, videos = root.expanduser(), videos.expanduser()
    if not videos.is_dir():
        raise StudyError(f"There is no folder {videos.name}.", hint="Name the folder of videos.")
    if (root / "metadata").exists():
        raise StudyError(
            f"{root.name} is a study already.", hint="Choose another folder, or add rows to it."
        )
    paths = sorted(
        path
        for path in videos.rglob("*")
        if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES
    )
    if not paths:
        raise StudyError(
            f"{videos.name} holds no videos.",
            hint=f"Looked for {', '.join(sorted(VIDEO_SUFFIXES))}, also in sub-folders.",
        )
    matcher = _compiled(child_pattern)
    found = [_identified(path, videos, matcher) for path in paths]
    _refuse_equal_stems(found)
    n_transcripts = 0
    for entry in found:
        _bring(entry.video, root / "recordings" / "raw" / entry.filename, is_copy)
        n_transcripts += _bring_sidecars(entry.video, root)
    children = tuple(sorted({entry.child_id for entry in found}))
    _write_metadata(root, found, children)
    return InitSummary(root, len(found), children, n_transcripts)


def _compiled(pattern: str) -> re.Pattern[str] | None:
    if not pattern:
        return None
    try:
        matcher = re.compile(pattern)
    except re.error as problem:
        raise StudyError(
            f"The pattern {pattern!r} is not a regular expression: {problem}.",
            hint=r"For example: (?P<child>S\d+)_(?P<date>\d{4}-\d\d-\d\d)",
        ) from problem
    if "child" not in matcher.groupindex:
        raise StudyError(
            f"The pattern {pattern!r} has no group named child.",
            hint=r"For example: (?P<child>S\d+)_",
        )
    return matcher


def _identified(path: Path, videos: Path, matcher: re.Pattern[str] | None) -> _Found:
    relative = PurePosixPath(path.relative_to(videos).as_posix())
    if matcher is None:
        child_id = relative.parts[-2] if len(relative.parts) > 1 else "child"
        return _Found(path, relative, child_id, "", "")
    match = matcher.search(str(relative))
    if match is None or not match["child"]:
        raise StudyError(
            f"No child id found in {relative}.", hint="Change the pattern, or rename the file."
        )
    groups = match.groupdict()
    recorded = groups.get("date") or ""
    if recorded:
        try:
            date.fromisoformat(recorded)
        except ValueError:
            raise StudyError(
                f"The date {recorded!r} in {relative} is not YYYY-MM-DD.",
                hint="Leave the group date out of the pattern and fill in date_iso by hand.",
            ) from None
    return _Found(path, relative, match["child"], recorded, groups.get("age_months") or "")


def _refuse_equal_stems(found: list[_Found]) -> None:
    by_stem: dict[str, _Found] = {}
    for entry in found:
        other = by_stem.setdefault(entry.filename.stem, entry)
        if other is not entry:
            raise StudyError(
                f"{other.filename} and {entry.filename} would both be the recording "
                f"{entry.filename.stem}.",
                hint="Give the two files different names.",
            )


def _bring(source: Path, target: Path, is_copy: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not is_copy:
        try:
            target.symlink_to(source.resolve())
        except OSError:
            # Windows allows links to administrators only; a hard link needs no rights.
            os.link(source.resolve(), target)
        return
    shutil.copy2(source, target)


def _bring_sidecars(video: Path, root: Path) -> int:
    n_transcripts = 0
    for path in sorted(video.parent.glob(f"{_glob_safe(video.stem)}.*")):
        suffix = path.suffix.lower()
        if suffix in TRANSCRIPT_SUFFIXES | SPEAKER_SUFFIXES:
            folder = "imported" if suffix in TRANSCRIPT_SUFFIXES else "speakers"
            target = root / "annotations" / folder / "raw" / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
            n_transcripts += suffix in TRANSCRIPT_SUFFIXES
    return n_transcripts


def _glob_safe(text: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", text)


def _write_metadata(root: Path, found: list[_Found], children: tuple[str, ...]) -> None:
    metadata = root / "metadata"
    metadata.mkdir(parents=True, exist_ok=True)
    experiment = re.sub(r"\W+", "_", root.name)
    _write_csv(
        metadata / "children.csv",
        ("experiment", "child_id", "child_dob"),
        [(experiment, child_id, "") for child_id in children],
    )
    _write_csv(
        metadata / "recordings.csv",
        (
            "experiment",
            "child_id",
            "date_iso",
            "start_time",
            "recording_device_type",
            "recording_filename",
            "age_months",
        ),
        [
            (experiment, e.child_id, e.recorded, "NA", "unknown", str(e.filename), e.age_months)
            for e in found
        ],
    )
    name = '"' + root.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    (root / "study.toml").write_text(_STUDY_TOML.format(name=name), encoding="utf-8")


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(columns)
        writer.writerows(rows)
