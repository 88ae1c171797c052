"""Choosing where a recording's frames come from, and writing frames to a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pipeline.errors import MediaError
from pipeline.vision.frame_folder import FolderFrames
from pipeline.vision.sampling import FrameSource, VideoFrames

_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class WrittenFrame:
    """One frame written as a picture."""

    grid_index: int
    time_ms: int
    path: Path


def open_frames(media: Path | None, frames_folder: Path | None, step_ms: float) -> FrameSource:
    """Frames of the video if there is one, else of the folder.

    Raises MediaError when there is neither, or as `FolderFrames`.
    """
    if media is not None:
        return VideoFrames(media, step_ms)
    if frames_folder is not None:
        return FolderFrames(frames_folder, step_ms)
    raise MediaError(
        "The recording has neither a video nor a folder of frames.",
        hint="Put the video under recordings/raw.",
    )


def write_frames(source: FrameSource, out_dir: Path) -> Iterator[WrittenFrame]:
    """Write each frame as out_dir/%05d.jpg, numbered by grid index, and yield it once written."""
    out_dir.mkdir(parents=True, exist_ok=True)
    for frame in source.frames():
        path = out_dir / f"{frame.grid_index:05d}.jpg"
        Image.fromarray(frame.image).save(path, quality=_JPEG_QUALITY)
        yield WrittenFrame(frame.grid_index, frame.time_ms, path)
