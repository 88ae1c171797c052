"""What every source of frames yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
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


FrameRun = Callable[[], Iterator[SampledFrame]]
"""Frames that follow each other in a source and can be decoded without the others."""


FRAMES_PER_RUN = 16
"""At least so many where a source can be divided anywhere; several runs wait in memory."""


class RunBrokenError(Exception):
    """A run's frames do not come out by themselves as expected; those before can be relied on."""


class FrameSource(Protocol):
    """Frames of one recording. `notices` is complete once all its frames were taken."""

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        """Frames by rising grid index and time, those whose grid index is above `after`."""

    def runs(self) -> AbstractContextManager[Sequence[FrameRun]]:
        """The same frames in runs, to be decoded side by side; together in the order of `frames`.

        A run may raise RunBrokenError; `frames` then gives what is lacking.
        """

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the person should know about the frames read so far."""
