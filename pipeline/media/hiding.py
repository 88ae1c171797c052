"""Black pictures and silence where a recording is redacted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.media.source import Sound
from pipeline.records import TimeSpan
from pipeline.redactions import Redactions

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_INTERLACED_MS = 100.0
"""De-interlacing mixes neighbouring pictures: those so close to a stretch are hidden with it."""
_BLACK_LUMA, _NO_COLOUR = 16, 128


def hidden_marked(
    frames: Iterable[tuple[float, VideoFrame]], blackout: Sequence[TimeSpan]
) -> Iterator[tuple[float, VideoFrame, bool]]:
    """Each frame with its time in ms and whether any of the time it is on the screen is blacked
    out; the last is taken to stay for ever."""
    before: tuple[float, VideoFrame] | None = None
    for entry in frames:
        if before is not None:
            yield (*before, _is_hidden(before, entry[0], blackout))
        before = entry
    if before is not None:
        yield (*before, _is_hidden(before, math.inf, blackout))


def _is_hidden(
    shown: tuple[float, VideoFrame], until_ms: float, blackout: Sequence[TimeSpan]
) -> bool:
    time_ms, frame = shown
    margin = _INTERLACED_MS if blackout and frame.interlaced_frame else 0.0
    return any(
        time_ms - margin < span.offset_ms and until_ms + margin > span.onset_ms for span in blackout
    )


def black_like(picture: VideoFrame) -> VideoFrame:
    """A black picture of the same size, in yuv420p."""
    import av

    rows, width = picture.height, picture.width
    planes = np.full((rows * 3 // 2, width), _NO_COLOUR, np.uint8)
    planes[:rows] = _BLACK_LUMA
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def silence(heard: Sound, span: TimeSpan, redactions: Redactions) -> None:
    """Make the sound of `span` silent, in place, where it is muted."""
    per_ms = heard.rate_hz / 1000.0
    for muted in redactions.mute:
        low = math.floor((muted.onset_ms - span.onset_ms) * per_ms)
        high = math.ceil((muted.offset_ms - span.onset_ms) * per_ms)
        heard.samples[:, max(0, low) : max(0, high)] = 0.0
