"""Turn decoded frames into the pictures of a clip: upright, square pixels, at most so large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.filter.graph import Graph
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from av.video.stream import VideoStream


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Even width and height, as H.264 in yuv420p needs."""

    width_px: int
    height_px: int


def upright_size(frame: VideoFrame, stream: VideoStream, max_lines: int) -> PictureSize:
    """Size of the clip's pictures: `frame` turned upright, square pixels, never enlarged.

    The shorter side has at most `max_lines`.
    """
    aspect = stream.sample_aspect_ratio
    is_sane = aspect is not None and 0.25 <= aspect <= 4
    width = frame.width * (float(aspect) if aspect and is_sane else 1.0)
    height = float(frame.height)
    if _quarter_turns(frame) % 2:
        width, height = height, width
    scale = min(1.0, max_lines / min(width, height))
    return PictureSize(_even(width * scale), _even(height * scale))


class Upright:
    """Makes frames upright and of one size; they come out in order, with unchanged times."""

    def __init__(self, size: PictureSize) -> None:
        self._size = size
        self._graph: Graph | None = None
        self._made_for: tuple[int, int, str, int] | None = None

    def turn(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Frames ready so far; a de-interlacer holds one back."""
        made_for = (frame.width, frame.height, frame.format.name, _quarter_turns(frame))
        if self._graph is None or made_for != self._made_for:
            yield from self.finish()
            self._graph = _graph(frame, self._size)
            self._made_for = made_for
        self._graph.vpush(frame)
        yield from self._ready()

    def finish(self) -> Iterator[VideoFrame]:
        """Frames that were held back."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()
            self._graph = None

    def _ready(self) -> Iterator[VideoFrame]:
        import av

        assert self._graph is not None
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def plane_pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """The plane itself as (height, width), without the padding of its rows; not a copy."""
    content = np.frombuffer(cast("memoryview[int]", plane), np.uint8)
    return content.reshape(plane.height, plane.line_size)[:, : plane.width]


def _graph(frame: VideoFrame, size: PictureSize) -> Graph:
    from av.filter import Graph

    graph = Graph()
    nodes = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
    ]
    if frame.interlaced_frame:
        nodes.append(graph.add("bwdif", "mode=send_frame:deint=interlaced"))
    for name, args in {
        0: (),
        1: (("transpose", "cclock"),),
        2: (("hflip", None), ("vflip", None)),
        3: (("transpose", "clock"),),
    }[_quarter_turns(frame)]:
        nodes.append(graph.add(name, args))
    nodes.append(
        graph.add("scale", f"{size.width_px}:{size.height_px}:flags=bilinear:out_range=tv")
    )
    nodes.append(graph.add("setsar", "1"))
    nodes.append(graph.add("format", "yuv420p"))
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


def _quarter_turns(frame: VideoFrame) -> int:
    """Quarter turns, counter-clockwise, that make the frame upright."""
    return round(frame.rotation / 90) % 4


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
