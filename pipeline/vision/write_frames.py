"""Writing sampled frames as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pipeline.vision.sampled_frame import FrameSource

_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class WrittenFrame:
    """One sampled frame; `path` is its picture, None when nothing was to be written."""

    grid_index: int
    time_ms: int
    path: Path | None


def write_frames(source: FrameSource, out_dir: Path | None) -> Iterator[WrittenFrame]:
    """Write each frame as out_dir/%05d.jpg, numbered by grid index, and yield it once written.

    Without `out_dir` the frames are only listed.
    """
    if out_dir is not None:
        out_dir.mkdir(parents=True, exist_ok=True)
    for frame in source.frames():
        path = None
        if out_dir is not None:
            path = out_dir / f"{frame.grid_index:05d}.jpg"
            Image.fromarray(frame.image).save(path, quality=_JPEG_QUALITY)
        yield WrittenFrame(frame.grid_index, frame.time_ms, path)
