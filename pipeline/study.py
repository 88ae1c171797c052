"""A study on disk: a ChildProject dataset with an optional study.toml.

`open_study` checks everything that can be checked before any work starts. What concerns one
recording only becomes a StageFailure and leaves the others alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath

from pipeline.config import Settings, load_settings
from pipeline.errors import StudyError
from pipeline.records import Child, Notice, Permission, Recording, StageFailure
from pipeline.textfile import CsvRow, CsvTable, read_csv

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv")
)
FRAMES_FOLDER = PurePosixPath("recordings/extracted_frames_1fps")
DAYS_PER_MONTH = 30.4375
_HASHED_PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Context:
    """Where and what, for one stretch of a recording."""

    recording_id: str
    onset_ms: int
    offset_ms: int
    location: str | None
    activity: str | None


@dataclass(frozen=True, slots=True)
class Study:
    """A checked study. `failures` and `notices` are what was wrong with single rows or files."""

    root: Path
    settings: Settings
    children: tuple[Child, ...]
    recordings: tuple[Recording, ...]
    contexts: tuple[Context, ...] = ()
    failures: tuple[StageFailure, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def name(self) -> str:
        return self.settings.study.name or self.root.name

    @property
    def derived(self) -> Path:
        return self.root / "derived"

    @property
    def annotations(self) -> Path:
        return self.root / "annotations"

    def media_file(self, recording: Recording) -> Path | None:
        """The recording's video, or None when only frames exist."""
        if recording.media_path is None:
            return None
        return self.root / "recordings" / "raw" / recording.media_path

    def frames_folder(self, recording: Recording) -> Path | None:
        """The folder of frames extracted before, or None."""
        return None if recording.frames_path is None else self.root / recording.frames_path


def open_study(root: Path) -> Study:
    """Read and check a study folder.

    Raises StudyError when the folder or its metadata cannot be used at all (no metadata, no
    recordings, duplicate ids, missing columns), SettingsError for study.toml.
    """
    root = root.expanduser().resolve()
    if not root.is_dir():
        raise StudyError(
            f"There is no folder {root.name}.",
            hint="Make a study with: python -m pipeline init FOLDER --videos VIDEOS",
        )
    settings = load_settings(root / "study.toml")
    children_csv = _with_overrides(root, "children", "child_id", ("child_id",))
    recordings_csv = _with_overrides(
        root, "recordings", "recording_filename", ("child_id", "recording_filename")
    )
    births = _birth_dates(children_csv)
    children = tuple(
        Child(row.text("child_id"), row.text("child_sex") or None)
        for row in children_csv.rows
        if row.text("child_id") in births
    )
    recordings: list[Recording] = []
    failures: list[StageFailure] = []
    seen: dict[str, int] = {}
    n_rows = 0
    for row in recordings_csv.rows:
        if row.text("discard") in ("1", "1.0"):
            continue
        n_rows += 1
        recording, failure = _recording(root, settings, births, row)
        if recording.recording_id in seen:
            raise StudyError(
                f"metadata/recordings.csv, line {row.line}: the id {recording.recording_id} is "
                f"already used in line {seen[recording.recording_id]}.",
                hint="Give each recording its own file name, or a recording_id column.",
            )
        seen[recording.recording_id] = row.line
        if failure is None:
            recordings.append(recording)
        else:
            failures.append(failure)
    if not n_rows:
        raise StudyError(
            "metadata/recordings.csv lists no recordings.",
            hint="Add a row for each video under recordings/raw.",
        )
    known = {str(r.media_path) for r in recordings if r.media_path is not None}
    notices = _latin1_notices(children_csv, recordings_csv)
    notices += _unlisted_videos(root, known | {f.recording_id for f in failures}, recordings_csv)
    contexts, context_notices = _contexts(root, {r.recording_id for r in recordings})
    return Study(
        root=root,
        settings=settings,
        children=children,
        recordings=tuple(sorted(recordings, key=lambda r: r.recording_id)),
        contexts=contexts,
        failures=tuple(failures),
        notices=notices + context_notices,
    )


def media_digest(path: Path) -> str:
    """Digest of a file's size and of its first, middle and last MiB; of names for a folder.

    Reading 2 GB of video whole would cost more than decoding its wanted frames; a camera file
    that changes keeps neither its size nor its index.
    """
    digest = hashlib.sha256()
    if path.is_dir():
        for entry in sorted(path.iterdir()):
            digest.update(f"{entry.name}:{entry.stat().st_size};".encode())
        return digest.hexdigest()[:16]
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        for position in (0, size // 2, max(0, size - _HASHED_PART_BYTES)):
            file.seek(position)
            digest.update(file.read(_HASHED_PART_BYTES))
    return digest.hexdigest()[:16]


def _metadata(root: Path, name: str, required: tuple[str, ...]) -> CsvTable:
    path = root / "metadata" / f"{name}.csv"
    if not path.is_file():
        raise StudyError(
            f"{root.name} has no metadata/{name}.csv.",
            hint="Make a study from a folder of videos with: "
            "python -m pipeline init FOLDER --videos VIDEOS",
        )
    table = read_csv(path)
    table.require(required)
    return table


def _with_overrides(root: Path, name: str, key: str, required: tuple[str, ...]) -> CsvTable:
    """metadata/NAME.csv with metadata/NAME/*.csv laid over it, as ChildProject does.

    Columns of an override replace the table's; of several, the first in the alphabet wins.
    """
    table = _metadata(root, name, required)
    overrides = sorted((root / "metadata" / name).rglob("*.csv"), key=lambda p: p.name)
    for path in reversed(overrides):
        extra = read_csv(path)
        extra.require((key,))
        by_key = {row.text(key): row for row in extra.rows}
        added = tuple(column for column in extra.columns if column != key)
        rows = []
        for row in table.rows:
            other = by_key.get(row.text(key))
            cells = {
                **row.cells,
                **{column: other.cells.get(column, "") if other else "" for column in added},
            }
            rows.append(CsvRow(row.line, cells))
        columns = table.columns + tuple(c for c in added if c not in table.columns)
        table = replace(table, columns=columns, rows=tuple(rows))
    return table


def _birth_dates(table: CsvTable) -> dict[str, date | None]:
    births: dict[str, date | None] = {}
    for row in table.rows:
        child_id = row.text("child_id")
        where = f"metadata/children.csv, line {row.line}"
        if row.text("discard") in ("1", "1.0"):
            continue
        if not child_id:
            raise StudyError(f"{where}: child_id is empty.", hint="Give every child an id.")
        if child_id in births:
            raise StudyError(
                f"{where}: the child {child_id} is listed twice.", hint="Remove one row."
            )
        births[child_id] = _date(row.text("child_dob"), f"{where}: child_dob")
    return births


def _date(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise StudyError(
            f"{where} is {text!r}.", hint="Write dates as YYYY-MM-DD, or leave the cell empty."
        ) from None


def _recording(
    root: Path, settings: Settings, births: dict[str, date | None], row: CsvRow
) -> tuple[Recording, StageFailure | None]:
    where = f"metadata/recordings.csv, line {row.line}"
    filename = PurePosixPath(row.text("recording_filename").replace("\\", "/"))
    recording_id = row.text("recording_id") or filename.stem
    child_id = row.text("child_id")
    if not recording_id:
        raise StudyError(
            f"{where}: recording_filename is empty.", hint="Name the video under recordings/raw."
        )
    if filename.is_absolute() or ".." in filename.parts or "/" in recording_id:
        raise StudyError(
            f"{where}: {row.text('recording_filename')!r} leaves the study.",
            hint="Give the path from recordings/raw downwards.",
        )

    def failure(code: str, message: str, hint: str) -> StageFailure:
        return StageFailure("study", recording_id, code, f"{where}: {message}", hint)

    recorded = _date(row.text("date_iso"), f"{where}: date_iso")
    age_days, problem = _age_days(row, recorded, births.get(child_id))
    media = root / "recordings" / "raw" / filename
    frames = PurePosixPath(row.text("frames_folder") or FRAMES_FOLDER / recording_id)
    has_frames = ".." not in frames.parts and (root / frames).is_dir()
    recording = Recording(
        recording_id=recording_id,
        child_id=child_id,
        media_path=filename if media.is_file() else None,
        frames_path=frames if has_frames else None,
        date=recorded,
        age_days=age_days,
        permission=_permission(row, settings, where),
    )
    if child_id not in births:
        return recording, failure(
            "unknown_child",
            f"child {child_id or '(empty)'} is not in metadata/children.csv.",
            "Add the child there.",
        )
    if problem:
        return recording, failure("age", problem, "Mend child_dob, date_iso or age_months.")
    if not media.is_file() and not has_frames:
        return recording, failure(
            "missing_media",
            f"recordings/raw/{filename} does not exist.",
            f"Put the video there, or its frames in {frames}, or set discard to 1.",
        )
    return recording, None


def _age_days(row: CsvRow, recorded: date | None, born: date | None) -> tuple[int | None, str]:
    """Age in days from age_days, age_months or the two dates; a reason if impossible."""
    for column, days_each in (("age_days", 1.0), ("age_months", DAYS_PER_MONTH)):
        if text := row.text(column):
            try:
                age = float(text) * days_each
            except ValueError:
                return None, f"{column} is {text!r}, not a number."
            if not 0 <= age < 40_000:
                return None, f"{column} is {text}, not an age."
            return round(age), ""
    if recorded is None or born is None:
        return None, ""
    if born > recorded:
        return None, f"the child was born on {born}, after the recording of {recorded}."
    return (recorded - born).days, ""


def _permission(row: CsvRow, settings: Settings, where: str) -> Permission:
    text = row.text("permission") or settings.study.default_permission
    try:
        return Permission(text)
    except ValueError:
        raise StudyError(
            f"{where}: permission is {text!r}.",
            hint="Choose media, excerpts or scores_only.",
        ) from None


def _latin1_notices(*tables: CsvTable) -> tuple[Notice, ...]:
    return tuple(
        Notice("latin1", f"{table.path.name} is not UTF-8 and was read as Latin-1.")
        for table in tables
        if table.is_latin1
    )


def _unlisted_videos(root: Path, known: set[str], table: CsvTable) -> tuple[Notice, ...]:
    raw = root / "recordings" / "raw"
    listed = known | {
        str(PurePosixPath(row.text("recording_filename").replace("\\", "/"))) for row in table.rows
    }
    unlisted = sorted(
        str(path.relative_to(raw).as_posix())
        for path in raw.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and path.relative_to(raw).as_posix() not in listed
    )
    if not unlisted:
        return ()
    shown = ", ".join(unlisted[:5]) + (" ..." if len(unlisted) > 5 else "")
    return (
        Notice(
            "unlisted_media",
            f"{len(unlisted)} video(s) under recordings/raw have no row in "
            f"metadata/recordings.csv and were left out: {shown}",
            len(unlisted),
        ),
    )


def _contexts(root: Path, known: set[str]) -> tuple[tuple[Context, ...], tuple[Notice, ...]]:
    path = root / "metadata" / "contexts.csv"
    if not path.is_file():
        return (), ()
    table = read_csv(path)
    table.require(("recording_id", "onset_ms", "offset_ms"))
    contexts: list[Context] = []
    n_skipped = 0
    for row in table.rows:
        try:
            onset, offset = int(row.text("onset_ms")), int(row.text("offset_ms"))
        except ValueError:
            onset = offset = 0
        if offset <= onset or row.text("recording_id") not in known:
            n_skipped += 1
            continue
        contexts.append(
            Context(
                row.text("recording_id"),
                onset,
                offset,
                row.text("location") or None,
                row.text("activity") or None,
            )
        )
    notices: tuple[Notice, ...] = ()
    if n_skipped:
        notices = (
            Notice(
                "contexts_skipped",
                f"{n_skipped} row(s) of metadata/contexts.csv name an unknown recording or have "
                "impossible times and were left out.",
                n_skipped,
            ),
        )
    return tuple(contexts), notices
