"""Frames of a recording as the models and the dashboard want them, prepared while a model works."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from PIL import Image

from pipeline.records import Crop
from pipeline.vision.crops import model_inputs, resized
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.sampled_frame import (
    FrameSource,
    RunBrokenError,
    SampledFrame,
)
from pipeline.vision.side_by_side import Run, side_by_side

WAITING = 16
"""So many frames of a run wait at most."""

_THUMBNAIL_QUALITY = 80


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame after decoding and resizing; a few hundred kB, so that many can wait."""

    grid_index: int
    time_ms: int
    thumbnail: bytes
    inputs: dict[Crop, list[UInt8Array]]


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is made of each frame: squares of `size_px` for the crops, and a thumbnail."""

    crops: Sequence[Crop]
    size_px: int
    thumbnail_px: int

    def __call__(self, frame: SampledFrame) -> PreparedFrame:
        return PreparedFrame(
            frame.grid_index,
            frame.time_ms,
            thumbnail_jpeg(frame.image, self.thumbnail_px),
            model_inputs(frame.image, self.crops, self.size_px),
        )


def prepared_frames(
    source: FrameSource, preparation: Preparation, n_threads: int
) -> Generator[PreparedFrame, None, None]:
    """The source's frames in their order, decoded and prepared in up to `n_threads` threads.

    When a part of the source does not decode by itself as expected, the rest is decoded in order,
    in one thread. Raises what the source raises.
    """
    last = -1
    try:
        with source.runs() as runs:
            parts = [partial(_prepared, run, preparation) for run in runs]
            with side_by_side(parts, n_threads, WAITING) as frames:
                for frame in frames:
                    last = frame.grid_index
                    yield frame
    except RunBrokenError:
        rest = partial(_prepared, partial(source.frames, after=last), preparation)
        with side_by_side([rest], 1, WAITING) as frames:
            yield from frames


def _prepared(
    run: Run[SampledFrame], prepare: Callable[[SampledFrame], PreparedFrame]
) -> Iterator[PreparedFrame]:
    return map(prepare, run())


def thumbnail_jpeg(image: UInt8Array, short_side_px: int) -> bytes:
    """JPEG of a whole frame (h, w, 3), its short side at most `short_side_px`."""
    height_px, width_px = image.shape[:2]
    scale = min(1.0, short_side_px / min(height_px, width_px))
    if scale < 1.0:
        image = resized(image, round(width_px * scale), round(height_px * scale))
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=_THUMBNAIL_QUALITY)
    return buffer.getvalue()
