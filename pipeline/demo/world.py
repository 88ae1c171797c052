"""The vocabulary of the toy world's plan: what is said, what is seen, where and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from pipeline.demo.voices import BankLine
from pipeline.records import Speaker, TimeSpan

FRAME_MS = 100
"""Length of one video frame; everything visible starts and ends on a frame."""


class Case(str, Enum):
    """How an utterance relates to what the camera saw. `truth.csv` uses these words.

    CENTER: the named object is in the middle square during the whole utterance. EDGE: it is in
    view during the whole utterance, but wholly above or below the middle square, and not in that
    square within 3 s. LAGGED: it is in the middle for one second only, 1-2 s before the onset or
    after the offset. ABSENT: named, and not in view within 3 s. NONE: nothing visible is named.
    """

    CENTER = "center"
    EDGE = "edge"
    LAGGED = "lagged"
    ABSENT = "absent"
    NONE = "none"


class Zone(str, Enum):
    """Where in the portrait frame an object is. The middle square is what a centre crop keeps."""

    TOP = "top"
    MIDDLE = "middle"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Appearance:
    """One object in view during `span`, held at one place but for a slight sway.

    Places and width are fractions as in `scenes.Placement`; `phase` (radians) sets the sway.
    """

    span: TimeSpan
    word: str
    design: str
    zone: Zone
    center_x: float
    center_y: float
    width: float
    angle_deg: float
    phase: float


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One utterance of the plan: `bank_line` is the sound, `case` what one could see."""

    span: TimeSpan
    speaker: Speaker
    case: Case
    bank_line: BankLine
    glimpse: TimeSpan | None = None

    @property
    def text(self) -> str:
        return self.bank_line.text

    @property
    def named_word(self) -> str | None:
        return self.bank_line.named_word


@dataclass(frozen=True, slots=True)
class Script:
    """What is said in one recording, in order of time, and how long the recording runs."""

    lines: tuple[SpokenLine, ...]
    duration_ms: int


@dataclass(frozen=True, slots=True)
class RoomVisit:
    """A stretch of the recording in one room. `backdrop_seed` is the same for a family's room."""

    span: TimeSpan
    room: str
    activity: str
    backdrop_seed: int


@dataclass(frozen=True, slots=True)
class Sounding:
    """One object sounding during `span`, in view or not; `loudness` is 1 for the usual level."""

    span: TimeSpan
    word: str
    loudness: float


@dataclass(frozen=True, slots=True)
class DemoRecording:
    """The whole plan of one recording: sound, picture and place."""

    recording_id: str
    child_id: str
    recorded: date
    start_time: str
    duration_ms: int
    lines: tuple[SpokenLine, ...]
    appearances: tuple[Appearance, ...]
    visits: tuple[RoomVisit, ...]
    soundings: tuple[Sounding, ...] = ()

    @property
    def n_frames(self) -> int:
        return self.duration_ms // FRAME_MS


@dataclass(frozen=True, slots=True)
class DemoChild:
    """One invented child."""

    child_id: str
    sex: str
    born: date


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """All children and recordings of the demo, for one seed."""

    seed: int
    children: tuple[DemoChild, ...]
    recordings: tuple[DemoRecording, ...]

    def recordings_of(self, child_id: str) -> tuple[DemoRecording, ...]:
        return tuple(r for r in self.recordings if r.child_id == child_id)


def in_view(recording: DemoRecording, word: str, zones: frozenset[Zone], span: TimeSpan) -> bool:
    """Whether `word` is in one of the zones at any moment of the span."""
    return any(
        a.word == word and a.zone in zones and a.span.overlap_ms(span) > 0
        for a in recording.appearances
    )
