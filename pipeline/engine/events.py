"""What a run tells whoever is watching: plain values, no printing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.records import StageFailure


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins: `n_total` recordings, of which `n_done` were finished before."""

    stage: str
    n_total: int
    n_done: int


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """One recording of a stage is through; `failure` says why if it did not work."""

    stage: str
    recording_id: str
    failure: StageFailure | None = None
    trace: str = ""


@dataclass(frozen=True, slots=True)
class FramesSampled:
    """`n_frames` frames of the recording at hand were embedded so far; of short recordings that
    are embedded together those of all, told under the name of the first."""

    recording_id: str
    n_frames: int


@dataclass(frozen=True, slots=True)
class SpeechHeard:
    """`heard_ms` milliseconds of the recording at hand were transcribed so far."""

    recording_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for the person."""

    text: str


Event = StageStarted | RecordingFinished | FramesSampled | SpeechHeard | Said
OnEvent = Callable[[Event], None]
