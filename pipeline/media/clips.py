"""Cut the stretch of a recording around an utterance into a small mp4 that every browser plays.

The clip is always encoded anew (H.264 and AAC): copying packets could only start at a keyframe,
seconds before the utterance, and many browsers cannot play HEVC.
"""

from __future__ import annotations

import errno
import uuid
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pipeline.errors import DiskFullError, MediaError
from pipeline.faces.blur import FaceBlur
from pipeline.media.encode import ClipWriter
from pipeline.media.face_hiding import FaceHider
from pipeline.media.hiding import hidden_marked, silence
from pipeline.media.picture import upright_size
from pipeline.media.source import Sound, open_source, sound, video_frames, video_stream
from pipeline.records import TimeSpan
from pipeline.redactions import NOTHING, Redactions

MAX_CLIP_MS = 120_000
"""Longer utterances are shown up to here: they are faults of segmentation, not speech."""
CLIP_FORMAT = 2
"""Raised when the same settings would give another file."""
_STILL_PICTURE_MS = 2_000
"""A last picture older than this, with no sound after it, means that the recording is over."""


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """How much before and after the utterance, how the clip is encoded, which stretches of
    the recording are black or silent in it, and whether faces are hidden."""

    lead_ms: int = 1_000
    lag_ms: int = 1_000
    max_lines: int = 540
    audio_track: int = 0
    redactions: Redactions = NOTHING
    face_blur: FaceBlur = FaceBlur.OFF

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("lead_ms", self.lead_ms, 0, 60_000),
            ("lag_ms", self.lag_ms, 0, 60_000),
            ("max_lines", self.max_lines, 64, 4_320),
            ("audio_track", self.audio_track, 0, 31),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; {low} to {high} needed")


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """A clip that was cut: the stretch of the recording it shows, and its pictures."""

    path: Path
    span: TimeSpan
    width_px: int
    height_px: int
    has_audio: bool


def clip_span(span: TimeSpan, settings: ClipSettings) -> TimeSpan:
    """The utterance with its lead-in and lead-out, not before the recording, not endless."""
    onset_ms = max(0, span.onset_ms - settings.lead_ms)
    return TimeSpan(onset_ms, min(span.offset_ms + settings.lag_ms, onset_ms + MAX_CLIP_MS))


def cut_clip(source: Path, span: TimeSpan, out: Path, settings: ClipSettings) -> ClipInfo:
    """Write the clip of an utterance at `span` of `source` to `out` (.mp4).

    Time 0 of the clip is the start of `clip_span(span, settings)`. `out` appears only when the
    clip is whole. Raises MediaError when `source` cannot be read, has no pictures, or ends
    before the clip would begin, and DiskFullError.
    """
    wanted = clip_span(span, settings)
    heard = _heard(source, wanted, settings.audio_track)
    if heard is not None:
        silence(heard, wanted, settings.redactions)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.stem}-{uuid.uuid4().hex[:8]}.partial")
    try:
        info = _write(source, wanted, heard, partial, settings)
        partial.replace(out)
    except (MediaError, OSError) as problem:
        for cause in (problem, problem.__cause__):
            if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError(
                    "The disk is full: no clip could be written.",
                    hint="Free some space and try again.",
                ) from problem
        raise
    finally:
        partial.unlink(missing_ok=True)
    return ClipInfo(out, info.span, info.width_px, info.height_px, info.has_audio)


def _heard(source: Path, wanted: TimeSpan, audio_track: int) -> Sound | None:
    with open_source(source) as container:
        tracks = container.streams.audio
        if not tracks:
            return None
        track = tracks[audio_track] if audio_track < len(tracks) else tracks[0]
        heard = sound(container, track, wanted)
    return heard if heard.samples.size else None


def _write(
    source: Path,
    wanted: TimeSpan,
    heard: Sound | None,
    partial: Path,
    settings: ClipSettings,
) -> ClipInfo:
    with open_source(source) as container, ExitStack() as opened:
        stream = video_stream(container, source)
        faces = None
        if settings.face_blur is FaceBlur.OFF:
            frames = video_frames(container, stream, wanted)
        else:
            faces = opened.enter_context(closing(FaceHider(stream, wanted, settings.face_blur)))
            frames = faces.frames(container)
        first, second = next(frames, None), next(frames, None)
        went_on = second is not None or (heard and heard.heard_until_ms > wanted.onset_ms)
        if first is None or (not went_on and first[0] < wanted.onset_ms - _STILL_PICTURE_MS):
            raise MediaError(
                f"{source.name} ends before {wanted.onset_ms / 1000:.1f} s.",
                hint="The file may be cut short, or its transcript may belong to another file.",
            )
        size = upright_size(first[1], stream, settings.max_lines)
        with closing(ClipWriter(partial, wanted, size, heard, faces)) as writer:
            played = chain((first,), (second,) if second is not None else (), frames)
            for time_ms, frame, is_hidden in hidden_marked(played, settings.redactions.blackout):
                writer.add(time_ms, frame, is_hidden)
            if faces is not None:
                faces.look_on()
            length_ms = writer.finish()
    shown = TimeSpan(wanted.onset_ms, wanted.onset_ms + max(1, round(length_ms)))
    return ClipInfo(partial, shown, size.width_px, size.height_px, heard is not None)
