"""Cutting a clip as a job for another process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.errors import MediaError
from pipeline.faces.blur import FaceBlur
from pipeline.media.apart import APART, Job
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.records import TimeSpan
from pipeline.redactions import Redactions

Spans = list[list[int]]


def cut_apart(source: Path, span: TimeSpan, out: Path, settings: ClipSettings) -> None:
    """`cut_clip` in a process of its own; MediaError also when that one dies."""
    job = Job(
        "pipeline.media.clip_job:cut",
        source,
        {
            "source": str(source.absolute()),
            "onset_ms": span.onset_ms,
            "offset_ms": span.offset_ms,
            "out": str(out.absolute()),
            "lead_ms": settings.lead_ms,
            "lag_ms": settings.lag_ms,
            "max_lines": settings.max_lines,
            "audio_track": settings.audio_track,
            "face_blur": settings.face_blur.value,
            "blackout": [[one.onset_ms, one.offset_ms] for one in settings.redactions.blackout],
            "mute": [[one.onset_ms, one.offset_ms] for one in settings.redactions.mute],
        },
    )
    try:
        APART.do(job)
    except MediaError:
        # Who dies cannot tidy up.
        for left in out.parent.glob(f"{out.stem}-*.partial"):
            left.unlink(missing_ok=True)
        raise


def cut(
    *,
    source: str,
    onset_ms: int,
    offset_ms: int,
    out: str,
    lead_ms: int,
    lag_ms: int,
    max_lines: int,
    audio_track: int,
    face_blur: str,
    blackout: Spans,
    mute: Spans,
) -> None:
    """What the other process does."""
    settings = ClipSettings(lead_ms, lag_ms, max_lines, audio_track)
    settings = replace(
        settings,
        face_blur=FaceBlur(face_blur),
        redactions=Redactions(
            tuple(TimeSpan(*one) for one in blackout), tuple(TimeSpan(*one) for one in mute)
        ),
    )
    cut_clip(Path(source), TimeSpan(onset_ms, offset_ms), Path(out), settings)
