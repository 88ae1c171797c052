"""What every source of frames yields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.records import Notice
from pipeline.vision.orientation import UInt8Array


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """One frame of the grid: `image` is uint8 (h, w, 3) RGB, upright.

    `time_ms` is the frame's own timestamp from the start of the recording, not grid_index times
    the step.
    """

    grid_index: int
    time_ms: int
    image: UInt8Array


class FrameSource(Protocol):
    """Frames of one recording. `notices` is complete once `frames` is exhausted."""

    def frames(self) -> Iterator[SampledFrame]:
        """Frames by rising grid index and time."""

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the person should know about the frames read so far."""
