"""python -m tests.torture.hostile.media_child FOLDER: reads files named on its standard input.

One line comes back for each file: its name, how it went and how long it took. The process may not
take more memory than a run's share, so that what would take more fails here and not on the machine.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from pipeline.errors import CoviewError
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.records import FrameMode, TimeSpan
from pipeline.speech.audio import audio_blocks
from pipeline.vision.probe import probe_media
from pipeline.vision.sampling import open_frames

MAX_BYTES = 2 << 30
_MAX_FRAMES = 100_000
_MAX_SOUND_S = 48 * 3_600


class WrongError(Exception):
    """The reading came to an end, but not to the right one."""


def read_all(path: Path, folder: Path) -> None:
    """What a run and a clip do with a file: probe, frames both ways, sound, a clip."""
    _or_refused(path, lambda: probe_media(path))
    for mode in FrameMode:
        _or_refused(path, lambda mode=mode: _frames(path, mode))
    _or_refused(path, lambda: _sound(path))
    out = folder / "clip.mp4"
    _or_refused(path, lambda: cut_clip(path, TimeSpan(1_200, 2_000), out, ClipSettings()))
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


def _or_refused(path: Path, read) -> None:  # type: ignore[no-untyped-def]
    try:
        read()
    except CoviewError as refusal:
        if path.name not in refusal.message or not refusal.hint:
            raise WrongError(f"refused without a name or a hint: {refusal}") from refusal


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
    for name in sys.stdin:
        path = Path(name.rstrip("\n"))
        started = time.monotonic()
        try:
            read_all(path, folder)
            verdict = "right"
        except Exception as problem:  # noqa: BLE001 - whatever comes is what is looked for
            verdict = f"{type(problem).__name__}: {problem}".replace("\n", " ")
        sys.stdout.write(f"{path.name}\t{verdict}\t{time.monotonic() - started:.2f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
