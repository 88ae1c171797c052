"""python -m tests.torture.hostile.reading_child FOLDER: reads files named on its standard input.

A line in names a kind of file and a path; a line out tells the file's name, how it went and how
many seconds it took. The process may not take more memory than MAX_BYTES, so that what would take
more fails here and not on the machine.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.clock import LATEST_MS
from pipeline.contexts import read_contexts
from pipeline.errors import CoviewError
from pipeline.media.apart_server import limit_memory
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.norm_tables import read_table_lines
from pipeline.recording_names import RecordingNames
from pipeline.records import FrameMode, Recording, TimeSpan
from pipeline.speech.annotation_files import AnnotationFile
from pipeline.speech.audio import audio_blocks
from pipeline.speech.checks import check_segments
from pipeline.speech.readers import reader_for
from pipeline.speech.speaker_files import speaker_reader_for
from pipeline.study import open_study
from pipeline.validation.files.import_report import ImportOptions
from pipeline.validation.files.take import import_files
from pipeline.vision.frame_folder import read_picture
from pipeline.vision.probe import probe_media
from pipeline.vision.sampling import open_frames
from tests.torture.hostile.databases import check_people

MAX_BYTES = 2 << 30
_MAX_FRAMES = 100_000
_MAX_SOUND_S = 48 * 3_600
_NAMES = RecordingNames([Recording("rec01", "c1", None)])


class WrongError(Exception):
    """The reading came to an end, but not to the right one."""


def _recording(path: Path, folder: Path) -> None:
    """What a run and a clip do with a file: probe, frames both ways, sound, a clip."""
    out = folder / "clip.mp4"
    span = TimeSpan(1_200, 2_000)
    for read in (
        lambda: probe_media(path),
        lambda: _frames(path, FrameMode.EXACT),
        lambda: _frames(path, FrameMode.KEYFRAMES),
        lambda: _sound(path),
        lambda: cut_clip(path, span, out, ClipSettings()),
    ):
        _or_refused(path, read)
    out.unlink(missing_ok=True)
    left = [one.name for one in folder.iterdir() if one.name.endswith(".partial")]
    if left:
        raise WrongError(f"left {left[0]} behind")


def _frames(path: Path, mode: FrameMode) -> None:
    before_ms = -1
    for n, frame in enumerate(open_frames(path, None, 500.0, mode).frames()):
        if frame.time_ms <= before_ms:
            raise WrongError(f"{mode.value} frames: {frame.time_ms} ms after {before_ms} ms")
        before_ms = frame.time_ms
        if n > _MAX_FRAMES:
            raise WrongError(f"{mode.value} frames without end")


def _sound(path: Path) -> None:
    heard_s = 0.0
    for block in audio_blocks(path):
        heard_s += len(block.samples) / 16_000
        if heard_s > _MAX_SOUND_S:
            raise WrongError(f"{heard_s:.0f} s of sound in {path.stat().st_size} bytes")


def _picture(path: Path, folder: Path) -> None:
    """A picture of a folder of frames; its own reader turns these into a sentence."""
    try:
        read_picture(path)
    except (OSError, ValueError, SyntaxError):
        return


def _annotations(path: Path, folder: Path) -> None:
    """By what the file says of itself, as a run does."""
    head = AnnotationFile(path, "", path.name, False).head()
    if reader := reader_for(head):
        segments = reader.read(path).segments
        for segment in check_segments(segments, "f", "line", skip_bad_rows=True).segments:
            if segment.onset_ms is None or segment.offset_ms is None:
                raise WrongError("a segment without times passed")
            if not 0 <= segment.onset_ms < segment.offset_ms <= LATEST_MS:
                raise WrongError(f"{segment.onset_ms} to {segment.offset_ms} ms passed")
            segment.text.encode("utf-8")
    elif speakers := speaker_reader_for(head):
        for turns in speakers.read(path).recordings:
            if ((turns.onset_ms < 0) | (turns.offset_ms < turns.onset_ms)).any():
                raise WrongError("turns end before they begin")


def _contexts(path: Path, folder: Path) -> None:
    for context in read_contexts(path, _NAMES).contexts:
        if not 0 <= context.onset_ms < context.offset_ms <= LATEST_MS:
            raise WrongError(f"{context.onset_ms} to {context.offset_ms} ms passed")


def _table(path: Path, folder: Path) -> None:
    for _ in read_table_lines(path).rows:
        pass


def _study(path: Path, folder: Path) -> None:
    study = open_study(path)
    inside = os.path.normpath(path.resolve())
    for recording in study.recordings:
        for file in (study.media_file(recording), study.frames_folder(recording)):
            # Links that lie in the folder of recordings are how labs share them, and are followed.
            if file is not None and not os.path.normpath(file).startswith(inside):
                raise WrongError(f"{recording.recording_id!r} is read from outside the study")


def _rating_files(path: Path, folder: Path) -> None:
    import_files(folder / "empty-study", path, ImportOptions(is_trial=True))


KINDS: Mapping[str, Callable[[Path, Path], None]] = {
    "recording": _recording,
    "picture": _picture,
    "annotations": _annotations,
    "contexts": _contexts,
    "table": _table,
    "study": _study,
    "rating files": _rating_files,
    "people": check_people,
}


def _or_refused(path: Path, read: Callable[[], object]) -> None:
    """A refusal names the file and says what to do."""
    try:
        read()
    except CoviewError as refusal:
        if not refusal.hint or not refusal.message:
            raise WrongError(f"refused without a hint: {refusal}") from refusal
        if path.is_file() and path.suffix != ".zip" and path.name not in refusal.message:
            raise WrongError(f"refused without the file's name: {refusal}") from refusal


def verdict(kind: str, path: Path, folder: Path) -> str:
    """ "right", or what went wrong in one line."""
    try:
        _or_refused(path, lambda: KINDS[kind](path, folder))
    except Exception as problem:  # noqa: BLE001 - whatever comes is what is looked for
        told = f"{type(problem).__name__}: {str(problem)[:300]}"
        return told.replace("\n", " ").replace("\t", " ")
    return "right"


def main(folder: Path) -> None:
    limit_memory(MAX_BYTES)
    (folder / "empty-study").mkdir(parents=True, exist_ok=True)
    for line in sys.stdin:
        kind, _, name = line.rstrip("\n").partition("\t")
        started = time.monotonic()
        told = verdict(kind, Path(name), folder)
        sys.stdout.write(f"{told}\t{time.monotonic() - started:.2f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
