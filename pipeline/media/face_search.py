"""Where faces are in a stretch of a recording, or in one picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

from pipeline.faces.boxes import FaceBox
from pipeline.faces.detector import ALL_VIEWS, LONG_SIDE_PX, FaceView, find_faces
from pipeline.faces.scan import UInt8Array
from pipeline.faces.tracks import FacesOverTime, FollowSettings, Sighting
from pipeline.media.picture import PictureSize, Upright, plane_pixels, upright_size
from pipeline.media.source import open_source, video_frames, video_stream
from pipeline.records import TimeSpan

FACES_FORMAT = 1
"""Raised when other faces would be found in the same film."""
STEP_MS = 200.0
"""Pictures this far apart are searched."""
VIEWS_IN_TURN: tuple[tuple[FaceView, ...], ...] = (
    (FaceView.FRONT, FaceView.LEFT_SIDE),
    (FaceView.RIGHT_SIDE, FaceView.TILTED_LEFT),
    (FaceView.FRONT, FaceView.RIGHT_SIDE),
    (FaceView.LEFT_SIDE, FaceView.TILTED_RIGHT),
)
"""A film shows a face many times: each picture is searched for some of the views."""
_MAX_THREADS = 2
_AROUND_PICTURE_MS = 600


def faces_in(source: Path, span: TimeSpan) -> FacesOverTime:
    """Faces of a recording during `span`; those seen shortly before and after it count, too.

    Raises MediaError when `source` cannot be read or has no pictures.
    """
    settings = FollowSettings()
    hold_ms = round(settings.hold_ms)
    wider = TimeSpan(max(0, span.onset_ms - hold_ms), span.offset_ms + hold_ms)
    return FacesOverTime(sightings(_pictures(source, wider), VIEWS_IN_TURN), settings)


def faces_at(source: Path, time_ms: int) -> tuple[FaceBox, ...]:
    """Faces of the picture at `time_ms`, followed through the film around it."""
    around = TimeSpan(max(0, time_ms - _AROUND_PICTURE_MS), time_ms + _AROUND_PICTURE_MS)
    found = FacesOverTime(sightings(_pictures(source, around), (ALL_VIEWS,)), FollowSettings())
    return found.at(time_ms)


def faces_of(grey: UInt8Array) -> tuple[FaceBox, ...]:
    """Faces of a single grey picture (h, w), with the margin that is hidden around them."""
    margin = FollowSettings().margin
    return tuple(box.grown(margin) for box in find_faces(grey))


def _pictures(source: Path, span: TimeSpan) -> Iterator[tuple[float, UInt8Array]]:
    """Small upright grey pictures of the span, STEP_MS apart, with their times."""
    with open_source(source) as container:
        stream = video_stream(container, source)
        next_ms = float("-inf")
        for time_ms, frame in video_frames(container, stream, span):
            if time_ms < next_ms:
                continue
            next_ms = time_ms + STEP_MS - 1.0
            upright = Upright(_small(upright_size(frame, stream, frame.height)))
            for picture in (*upright.turn(frame), *upright.finish()):
                yield time_ms, plane_pixels(picture.planes[0]).copy()


def _small(size: PictureSize) -> PictureSize:
    scale = min(1.0, LONG_SIDE_PX / max(size.width_px, size.height_px))
    wide, high = (
        max(2, 2 * round(length * scale / 2)) for length in (size.width_px, size.height_px)
    )
    return PictureSize(wide, high)


def sightings(
    pictures: Iterable[tuple[float, UInt8Array]], views_in_turn: tuple[tuple[FaceView, ...], ...]
) -> list[Sighting]:
    """What is found in small grey pictures (time in ms, picture), searched in two threads."""
    found: list[tuple[float, Future[tuple[FaceBox, ...]]]] = []
    with ThreadPoolExecutor(_MAX_THREADS) as pool:
        for (time_ms, grey), views in zip(pictures, cycle(views_in_turn), strict=False):
            found.append((time_ms, pool.submit(find_faces, grey, views)))
    return [Sighting(time_ms, boxes.result()) for time_ms, boxes in found]
