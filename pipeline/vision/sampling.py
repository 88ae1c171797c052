"""Frames of a recording at the times of a regular grid, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import MediaError
from pipeline.records import FrameMode
from pipeline.vision.frame_folder import FolderFrames
from pipeline.vision.sampled_frame import FrameSource, SampledFrame
from pipeline.vision.video_frames import VideoFrames

__all__ = ["FrameSource", "SampledFrame", "open_frames", "sampled_frames"]


def sampled_frames(path: Path, step_ms: float) -> Iterator[SampledFrame]:
    """For each grid time k * step_ms, the frame of the video nearest to it, each frame once."""
    return VideoFrames(path, step_ms).frames()


def open_frames(
    media: Path | None,
    frames_folder: Path | None,
    step_ms: float,
    mode: FrameMode = FrameMode.EXACT,
) -> FrameSource:
    """Frames of the video if there is one, else of the folder, for which `mode` changes nothing.

    Raises MediaError when there is neither, or as `FolderFrames`.
    """
    if media is not None:
        return VideoFrames(media, step_ms, mode)
    if frames_folder is not None:
        return FolderFrames(frames_folder, step_ms)
    raise MediaError(
        "The recording has neither a video nor a folder of frames.",
        hint="Put the video under recordings/raw.",
    )
