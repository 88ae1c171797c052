"""A study on disk: a ChildProject dataset with an optional study.toml.

`open_study` checks everything that can be checked before any work starts. What concerns one
recording only becomes a StageFailure and leaves the others alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote

from pipeline.config import Settings, load_settings
from pipeline.contexts import Context as Context
from pipeline.contexts import read_contexts
from pipeline.errors import StudyError
from pipeline.metadata_tables import is_discarded, metadata_table
from pipeline.pending_withdrawal import refuse_while_pending
from pipeline.recording_names import RecordingNames
from pipeline.records import Child, Notice, Permission, Recording, StageFailure
from pipeline.redactions import NOTHING, read_redactions, redactions_text
from pipeline.textfile import CsvRow, CsvTable

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv")
)
FRAMES_FOLDER = PurePosixPath("recordings/extracted_frames_1fps")
DAYS_PER_MONTH = 30.4375
_HASHED_PART_BYTES = 1 << 20
_LONGEST_PATH = 1_000
_LONGEST_ID = 160
"""Characters of an id as file names write it: they add a digest, and systems allow 255."""


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
    redactions: str = ""
    """What metadata/redactions.csv takes away, as `redactions_text` writes it."""

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
    recordings, duplicate ids, missing columns), SettingsError for study.toml, StoreError while a
    withdrawal is unfinished.
    """
    root = root.expanduser().resolve()
    if not root.is_dir():
        raise StudyError(
            f"There is no folder {root.name}.",
            hint="Make a study with: python -m pipeline init FOLDER --videos VIDEOS",
        )
    refuse_while_pending(root)
    settings = load_settings(root / "study.toml")
    children_csv = metadata_table(root, "children", "child_id", ("child_id",))
    recordings_csv = metadata_table(
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
    discarded = {row.text("child_id") for row in children_csv.rows if is_discarded(row)} - {*births}
    n_rows = n_of_discarded = n_without_file = 0
    for row in recordings_csv.rows:
        if is_discarded(row):
            continue
        n_rows += 1
        if row.text("child_id") in discarded:
            n_of_discarded += 1
            continue
        if row.cells.get("recording_filename", "").strip() == "NA" and not row.text("recording_id"):
            n_without_file += 1
            continue
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
    notices += _left_out(n_of_discarded, n_without_file)
    notices += _unlisted_videos(root, known | {f.recording_id for f in failures}, recordings_csv)
    contexts, context_notices = _contexts(root, recordings)
    redactions = read_redactions(root, seen.keys())
    hidden = {recording.recording_id: NOTHING for recording in recordings} | redactions
    recordings = [
        replace(r, blackout=hidden[r.recording_id].blackout, mute=hidden[r.recording_id].mute)
        for r in recordings
    ]
    return Study(
        root=root,
        settings=settings,
        children=children,
        recordings=tuple(sorted(recordings, key=lambda r: r.recording_id)),
        contexts=contexts,
        failures=tuple(failures),
        notices=notices + context_notices,
        redactions=redactions_text(redactions),
    )


def media_digest(path: Path) -> str:
    """Digest of a file's size and of its first, middle and last MiB; of names for a folder.

    Reading 2 GB of video whole would cost more than decoding its wanted frames; a camera file
    that changes keeps neither its size nor its index. Raises OSError, also for what is neither: a
    pipe would keep its reader waiting for ever.
    """
    digest = hashlib.sha256()
    if not (path.is_dir() or path.is_file()):
        raise OSError(f"{path.name} is no file")
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


def _check_id(text: str, where: str) -> None:
    """Raise StudyError for what cannot be the beginning of a file's name or shown on one line."""
    # Joiners belong to the spelling of many languages; what turns a line around does not.
    if not all(character.isprintable() or character in "\u200c\u200d" for character in text):
        raise StudyError(
            f"{where} {text[:40]!r} has characters that cannot be seen, such as a line end.",
            hint="Rename it, and its file, without them.",
        )
    if len(quote(text)) > _LONGEST_ID:
        raise StudyError(
            f"{where} {text[:40]!r}... is too long for names of files ({len(text)} characters).",
            hint="Give it a shorter one in the column recording_id, or rename its file.",
        )


def _check_length(path: PurePosixPath, where: str) -> None:
    if len(str(path)) > _LONGEST_PATH or any(len(part.encode()) > 255 for part in path.parts):
        raise StudyError(
            f"{where}: {str(path)[:40]!r}... is too long for a file's name.",
            hint="Shorten the name of the file, and here.",
        )


def _leaves(path: PurePosixPath) -> bool:
    """Whether a relative path of the metadata leads out of the folder it is meant for."""
    on_windows = PureWindowsPath(path)
    return bool(path.is_absolute() or ".." in path.parts or on_windows.drive or on_windows.root)


def _birth_dates(table: CsvTable) -> dict[str, date | None]:
    births: dict[str, date | None] = {}
    for row in table.rows:
        child_id = row.text("child_id")
        where = f"metadata/children.csv, line {row.line}"
        if is_discarded(row):
            continue
        if not child_id:
            raise StudyError(f"{where}: child_id is empty.", hint="Give every child an id.")
        _check_id(child_id, f"{where}: the child's id")
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
    _check_id(recording_id, f"{where}: the recording's id")
    _check_length(filename, where)
    if _leaves(filename) or "/" in recording_id:
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
    _check_length(frames, where)
    if _leaves(frames):
        raise StudyError(
            f"{where}: frames_folder {str(frames)!r} leaves the study.",
            hint="Give the path from the study's folder downwards.",
        )
    has_frames = (root / frames).is_dir()
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
        if media.is_symlink():
            return recording, failure(
                "missing_media",
                f"recordings/raw/{filename} is a link to a file that is not here.",
                "Fetch its content, for example with: datalad get recordings/raw",
            )
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


def _left_out(n_of_discarded: int, n_without_file: int) -> tuple[Notice, ...]:
    counts = (
        ("discarded_child", n_of_discarded, "of children that metadata/children.csv discards"),
        ("no_recording_file", n_without_file, "whose recording_filename is NA"),
    )
    return tuple(
        Notice(code, f"{count} recording(s) {which} were left out.", count)
        for code, count, which in counts
        if count
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


def context_files(root: Path) -> list[Path]:
    """metadata/contexts.csv and the tables in metadata/contexts/, in a fixed order."""
    folder = root / "metadata" / "contexts"
    single = folder.with_suffix(".csv")
    return [*([single] if single.is_file() else []), *sorted(folder.rglob("*.csv"))]


def _contexts(
    root: Path, recordings: Sequence[Recording]
) -> tuple[tuple[Context, ...], tuple[Notice, ...]]:
    contexts: list[Context] = []
    notices: list[Notice] = []
    if paths := context_files(root):
        names = RecordingNames(recordings)
        for path in paths:
            found = read_contexts(path, names)
            contexts += found.contexts
            notices += found.notices(path.relative_to(root).as_posix())
    return tuple(contexts), tuple(notices)
