"""Where faces are in a stretch of a recording, or in one picture."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.faces.boxes import FaceBox
from pipeline.faces.detector import ALL_VIEWS, LONG_SIDE_PX, FaceView, find_faces
from pipeline.faces.scan import UInt8Array
from pipeline.faces.tracks import FacesOverTime, FollowSettings, Sighting
from pipeline.media.picture import PictureSize, Upright, plane_pixels, upright_size
from pipeline.media.source import open_source, video_frames, video_stream
from pipeline.records import TimeSpan

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

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
_FOLLOW = FollowSettings()
_MAX_THREADS = 2
_AROUND_PICTURE_MS = 600


class FaceSearch:
    """Searches a film for faces while it is decoded, in threads of its own."""

    def __init__(
        self,
        stream: VideoStream,
        views_in_turn: tuple[tuple[FaceView, ...], ...] = VIEWS_IN_TURN,
    ) -> None:
        self._stream = stream
        self._views = cycle(views_in_turn)
        self._next_ms = self._looked_ms = float("-inf")
        self._pool = ThreadPoolExecutor(_MAX_THREADS)
        self._found: deque[tuple[float, Future[tuple[FaceBox, ...]]]] = deque()
        self._faces = FacesOverTime((), _FOLLOW)

    def look(self, time_ms: float, frame: VideoFrame) -> None:
        """Take note of the film's next frame; some of them, STEP_MS apart, are searched."""
        self._looked_ms = time_ms
        if time_ms < self._next_ms:
            return
        self._next_ms = time_ms + STEP_MS - 1.0
        upright = Upright(_small(upright_size(frame, self._stream, frame.height)))
        for picture in (*upright.turn(frame), *upright.finish()):
            grey = plane_pixels(picture.planes[0]).copy()
            self._found.append((time_ms, self._pool.submit(find_faces, grey, next(self._views))))

    @property
    def known_until_ms(self) -> float:
        """Later frames change nothing that is hidden up to this time of the film."""
        return self._looked_ms - _FOLLOW.reach_ms

    def at(self, time_ms: float) -> tuple[FaceBox, ...]:
        """The boxes to hide at `time_ms`, by what was looked at; waits for the search of it."""
        while self._found and self._found[0][0] <= time_ms + _FOLLOW.reach_ms:
            seen_ms, boxes = self._found.popleft()
            self._faces.add(Sighting(seen_ms, boxes.result()))
        return self._faces.at(time_ms)

    def faces(self) -> FacesOverTime:
        """The faces of all that was looked at."""
        self.at(float("inf"))
        return self._faces

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)


def with_hold(span: TimeSpan) -> TimeSpan:
    """The span to look at for the faces of `span`: those seen shortly before and after count."""
    hold_ms = round(_FOLLOW.hold_ms)
    return TimeSpan(max(0, span.onset_ms - hold_ms), span.offset_ms + hold_ms)


def faces_in(
    source: Path,
    span: TimeSpan,
    views_in_turn: tuple[tuple[FaceView, ...], ...] = VIEWS_IN_TURN,
) -> FacesOverTime:
    """Faces of a recording that are seen during `span`.

    Raises MediaError when `source` cannot be read or has no pictures.
    """
    with open_source(source) as container:
        stream = video_stream(container, source)
        with closing(FaceSearch(stream, views_in_turn)) as search:
            for time_ms, frame in video_frames(container, stream, span):
                search.look(time_ms, frame)
            return search.faces()


def faces_at(source: Path, time_ms: int) -> tuple[FaceBox, ...]:
    """Faces of the picture at `time_ms`, followed through the film around it."""
    around = TimeSpan(max(0, time_ms - _AROUND_PICTURE_MS), time_ms + _AROUND_PICTURE_MS)
    return faces_in(source, around, (ALL_VIEWS,)).at(time_ms)


def faces_of(grey: UInt8Array) -> tuple[FaceBox, ...]:
    """Faces of a single grey picture (h, w), with the margin that is hidden around them."""
    return tuple(box.grown(_FOLLOW.margin) for box in find_faces(grey))


def _small(size: PictureSize) -> PictureSize:
    scale = min(1.0, LONG_SIDE_PX / max(size.width_px, size.height_px))
    wide, high = (
        max(2, 2 * round(length * scale / 2)) for length in (size.width_px, size.height_px)
    )
    return PictureSize(wide, high)
