"""Which transcript and speaker files belong to which recording of a study."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SettingsError, TranscriptError
from pipeline.records import Notice
from pipeline.speech.names import RecordingNames
from pipeline.speech.readers import READERS, TranscriptReader, reader_for
from pipeline.speech.readers.reading import Reading
from pipeline.speech.rttm import SpeakerFile, SpeakerTurns, is_speaker_file, read_speaker_file
from pipeline.speech.segment import Segment
from pipeline.study import Study
from pipeline.textfile import read_csv

_HEAD_BYTES = 1 << 16
_PASSED_OVER = frozenset((".yml", ".yaml", ".md", ".log", ".gitkeep"))
_N_SHOWN = 5


@dataclass(frozen=True, slots=True)
class TranscriptSource:
    """The transcript chosen for one recording: one file, or several that cover parts of it.

    `names` are the names inside the files that mean this recording; empty = every row.
    """

    recording_id: str
    set_name: str
    paths: tuple[Path, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def label(self) -> str:
        """Set and file, as people know them: "whisperx rec01.json"."""
        others = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.set_name} {self.paths[0].name}{others}".strip()


@dataclass(frozen=True, slots=True)
class _Found:
    """One file that says something about one recording."""

    recording_id: str
    set_name: str
    path: Path
    is_converted: bool
    is_named_after_it: bool
    rank: int


class TranscriptIndex:
    """Transcripts and speaker files of a study by recording. Made by `transcript_inputs`.

    `notices` concern the study as a whole. Files that hold several recordings are read once.
    """

    def __init__(
        self,
        transcripts: dict[str, TranscriptSource],
        speakers: dict[str, TranscriptSource],
        names: RecordingNames,
        cache: _FileCache,
        notices: tuple[Notice, ...],
    ) -> None:
        self._transcripts = transcripts
        self._speakers = speakers
        self._names = names
        self._cache = cache
        self.notices = notices

    def transcript_for(self, recording_id: str) -> TranscriptSource | None:
        """The transcript to import for a recording, or None."""
        return self._transcripts.get(recording_id)

    def speaker_source_for(self, recording_id: str) -> TranscriptSource | None:
        """The set of speaker files used for a recording, or None."""
        return self._speakers.get(recording_id)

    def speaker_files_for(self, recording_id: str) -> tuple[Path, ...]:
        """The speaker files used for a recording, perhaps none."""
        source = self._speakers.get(recording_id)
        return source.paths if source else ()

    def inputs_for(self, recording_id: str) -> tuple[Path, ...]:
        """Every file whose content decides what the utterances of a recording are."""
        transcript = self._transcripts.get(recording_id)
        paths = transcript.paths if transcript else ()
        return tuple(dict.fromkeys((*paths, *self.speaker_files_for(recording_id))))

    def read_transcript(self, recording_id: str, path: Path) -> Reading:
        """Rows of one file that belong to a recording; TranscriptError if it cannot be read."""
        reading = self._cache.transcript(path)
        named = {segment.belongs_to for segment in reading.segments}
        mine = _names_of(named, recording_id, path, self._names)
        if mine == named:
            return reading
        kept = tuple(segment for segment in reading.segments if segment.belongs_to in mine)
        return Reading(kept, reading.row_noun, reading.is_latin1)

    def read_turns(self, recording_id: str, path: Path) -> tuple[SpeakerFile, list[SpeakerTurns]]:
        """A speaker file and its turns of one recording; TranscriptError if it cannot be read."""
        file = self._cache.speakers(path)
        named = {turns.belongs_to for turns in file.recordings}
        mine = _names_of(named, recording_id, path, self._names)
        return file, [turns for turns in file.recordings if turns.belongs_to in mine]


class _FileCache:
    """Content of files that hold several recordings, so that each is read at most once."""

    def __init__(self) -> None:
        self._readings: dict[Path, Reading] = {}
        self._speakers: dict[Path, SpeakerFile] = {}

    def transcript(self, path: Path) -> Reading:
        if path in self._readings:
            return self._readings[path]
        reader = reader_for(_head(path))
        if reader is None:
            raise TranscriptError(
                f"{path.name} is no longer a transcript Coview can read.",
                hint="It changed while Coview ran; run the command again.",
            )
        reading = reader.read(path)
        if len({segment.belongs_to for segment in reading.segments}) > 1:
            self._readings[path] = reading
        return reading

    def speakers(self, path: Path) -> SpeakerFile:
        if path in self._speakers:
            return self._speakers[path]
        file = read_speaker_file(path)
        if len(file.recordings) > 1:
            self._speakers[path] = file
        return file


def transcript_inputs(study: Study) -> TranscriptIndex:
    """Find what lies under annotations/ and which recording each file belongs to.

    Files are matched by name ("rec01.json", "rec01.whisperx.json"), by metadata/annotations.csv,
    or by the names inside (raw_filename, the file column of RTTM). Sets in speech.transcripts
    are preferred in that order, then the alphabet. Raises SettingsError when that setting names
    a set that does not exist.
    """
    names = RecordingNames(study.recordings)
    cache = _FileCache()
    files = [_Located.of(path, study.annotations) for path in _files(study.annotations)]
    sets = sorted({file.set_name for file in files if file.set_name})
    _check_preferred(study.settings.speech.transcripts, sets)
    imported = _imported_by_childproject(study)
    transcripts: list[_Found] = []
    speakers: list[_Found] = []
    unread: list[str] = []
    unmatched: list[str] = []
    notices: list[Notice] = []
    for file in files:
        if not file.path.exists():
            unread.append(f"{file.path.name} (a link to nothing: fetch its content)")
            continue
        head = _head(file.path)
        reader = reader_for(head)
        is_speakers = reader is None and is_speaker_file(head)
        if reader is None and not is_speakers:
            unread.append(file.path.name)
            continue
        own = imported.get((file.set_name, file.is_converted, file.inner_path))
        own = own or names.match(file.path.name)
        try:
            ids = [own] if own else _recordings_inside(file.path, is_speakers, names, cache)
        except TranscriptError as problem:
            notices.append(Notice("unreadable_annotations", str(problem)))
            continue
        if not ids:
            unmatched.append(file.path.name)
        for recording_id in ids:
            found = _Found(
                recording_id,
                file.set_name,
                file.path,
                file.is_converted,
                own is not None,
                _rank(reader),
            )
            (speakers if is_speakers else transcripts).append(found)
    notices += _listed("unread_annotations", "not of a kind Coview reads", unread)
    notices += _listed("unmatched_annotations", "not named after any recording", unmatched)
    preferred = study.settings.speech.transcripts
    return TranscriptIndex(
        _chosen(transcripts, preferred, "transcript"),
        _chosen(speakers, preferred, "speaker"),
        names,
        cache,
        tuple(notices),
    )


@dataclass(frozen=True, slots=True)
class _Located:
    """A file under annotations/: annotations/SET/raw/..., annotations/SET/converted/..., or
    anywhere else there.
    """

    path: Path
    set_name: str
    inner_path: str
    is_converted: bool

    @staticmethod
    def of(path: Path, root: Path) -> _Located:
        parts = path.relative_to(root).parts
        kind = next((p for p in ("converted", "raw") if p in parts[1:-1]), "")
        depth = parts.index(kind, 1) if kind else len(parts) - 1
        inner = parts[depth + 1 :] if kind else parts[depth:]
        return _Located(path, "/".join(parts[:depth]), "/".join(inner), kind == "converted")


def _files(folder: Path) -> list[Path]:
    """Files under a folder in a fixed order, dangling links too, without hidden ones."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.rglob("*")
        if not path.is_dir()
        and path.suffix.lower() not in _PASSED_OVER
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _head(path: Path) -> str:
    """The beginning of a file as text; "" when it cannot be opened or is not text."""
    try:
        with path.open("rb") as file:
            raw = file.read(_HEAD_BYTES)
    except OSError:
        return ""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    else:
        text = raw.decode("utf-8-sig", errors="replace")
    return "" if "\0" in text else text.replace("\r\n", "\n").replace("\r", "\n")


def _rank(reader: TranscriptReader | None) -> int:
    return READERS.index(reader) if reader else 0


def _check_preferred(preferred: Sequence[str], sets: Sequence[str]) -> None:
    for name in preferred:
        if name not in sets:
            near = difflib.get_close_matches(name, sets, n=1)
            has = f"annotations/ has: {', '.join(sets) or 'no sets'}."
            raise SettingsError(
                f"study.toml: speech.transcripts names the set {name!r}, which does not exist.",
                hint=f"Did you mean {near[0]}?" if near else has,
            )


def _imported_by_childproject(study: Study) -> dict[tuple[str, bool, str], str]:
    """Recording by (set, is converted, file), as metadata/annotations.csv says.

    A file it lists for several recordings is left to the names inside it.
    """
    path = study.root / "metadata" / "annotations.csv"
    if not path.is_file():
        return {}
    table = read_csv(path)
    names = RecordingNames(study.recordings)
    listed: dict[tuple[str, bool, str], set[str]] = {}
    for row in table.rows:
        recording_id = names.match(row.text("recording_filename"))
        if recording_id is None:
            continue
        for column, is_converted in (("annotation_filename", True), ("raw_filename", False)):
            if inner := row.text(column):
                listed.setdefault((row.text("set"), is_converted, inner), set()).add(recording_id)
    return {key: next(iter(ids)) for key, ids in listed.items() if len(ids) == 1}


def _recordings_inside(
    path: Path, is_speakers: bool, names: RecordingNames, cache: _FileCache
) -> list[str]:
    inside: Iterable[str]
    if is_speakers:
        inside = (turns.belongs_to for turns in cache.speakers(path).recordings)
    else:
        inside = {segment.belongs_to for segment in cache.transcript(path).segments}
    return sorted({found for name in inside if (found := names.match(name)) is not None})


def _names_of(named: set[str], recording_id: str, path: Path, names: RecordingNames) -> set[str]:
    """Which of the names inside a file mean the recording.

    A file named after the recording that names only one thing inside is all about it, whatever
    that name is: tools often write the name of a converted audio file there.
    """
    mine = {name for name in named if names.match(name) == recording_id}
    if mine or len(named) > 1:
        return mine
    return named if not any(names.match(name) for name in named) else set()


def _chosen(
    found: Sequence[_Found], preferred: Sequence[str], what: str
) -> dict[str, TranscriptSource]:
    by_recording: dict[str, list[_Found]] = {}
    for entry in found:
        by_recording.setdefault(entry.recording_id, []).append(entry)
    return {
        recording_id: _choose(recording_id, entries, preferred, what)
        for recording_id, entries in by_recording.items()
    }


def _choose(
    recording_id: str, entries: Sequence[_Found], preferred: Sequence[str], what: str
) -> TranscriptSource:
    sets = sorted({entry.set_name for entry in entries})
    wanted = [name for name in preferred if name in sets]
    set_name = wanted[0] if wanted else sets[0]
    notices: list[Notice] = []
    if len(sets) > 1 and not wanted:
        others = ", ".join(name or "annotations/" for name in sets[1:])
        notices.append(
            Notice(
                f"several_{what}_sets",
                f"{recording_id} has {what} files in several sets; used {set_name or 'those'} "
                f"and not {others}. Name the one to use in speech.transcripts.",
                len(sets) - 1,
            )
        )
    of_set = [entry for entry in entries if entry.set_name == set_name]
    if converted := [entry for entry in of_set if entry.is_converted]:
        # ChildProject writes one converted file for each annotated part of a recording.
        paths = tuple(sorted(entry.path for entry in converted))
        return TranscriptSource(recording_id, set_name, paths, tuple(notices))
    of_set.sort(key=lambda e: (not e.is_named_after_it, e.rank, len(e.path.name), e.path.name))
    first, *rest = of_set
    # One run of a transcriber leaves several formats of the same text; that needs no notice.
    if same := [e.path.name for e in rest if e.rank == first.rank]:
        notices.append(
            Notice(
                f"several_{what}_files",
                f"{recording_id} has several {what} files in one set; used {first.path.name} "
                f"and not {', '.join(same)}.",
                len(same),
            )
        )
    return TranscriptSource(recording_id, set_name, (first.path,), tuple(notices))


def _listed(code: str, why: str, files: Sequence[str]) -> Iterator[Notice]:
    if files:
        shown = ", ".join(files[:_N_SHOWN]) + (" ..." if len(files) > _N_SHOWN else "")
        yield Notice(
            code,
            f"{len(files)} file(s) under annotations/ are {why} and were not used: {shown}",
            len(files),
        )


__all__ = ["Segment", "TranscriptIndex", "TranscriptSource", "transcript_inputs"]
