"""A recording's frames embedded a piece at a time, so that memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from pipeline.records import Notice
from pipeline.results import FrameEmbeddings

if TYPE_CHECKING:
    from pipeline.vision.sampled_frame import FrameSource, SampledFrame

FRAMES_AT_ONCE = 2048
"""About half an hour at one frame a second: at most 100 MB of vectors and thumbnails."""

EmbedPiece = Callable[["FrameSource", int], FrameEmbeddings]
"""Embeds what a source yields; told how many frames of the recording came before."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some consecutive frames of a source."""

    source: FrameSource
    some: Iterator[SampledFrame]

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        return (frame for frame in self.some if frame.grid_index > after)

    @contextmanager
    def runs(self) -> Iterator[Sequence[Callable[[], Iterator[SampledFrame]]]]:
        """All of them in one run."""
        yield [self.frames]

    @property
    def notices(self) -> tuple[Notice, ...]:
        return self.source.notices


def embedded_pieces(
    source: FrameSource, embed: EmbedPiece, n_frames: int = FRAMES_AT_ONCE
) -> Iterator[FrameEmbeddings]:
    """The frames of a source, `n_frames` at a time and the rest; at least one piece, in which
    `embed` must refuse that there is no frame. The last one has all notices of the source."""
    frames = source.frames()
    n_done = 0
    ahead = list(islice(frames, 1))
    while True:
        some = chain(ahead, islice(frames, n_frames - 1))
        piece = embed(_Piece(source, some), n_done)
        n_done += len(piece.times_ms)
        # Only a source that has been read to its end has said all there is to say.
        ahead = list(islice(frames, 1))
        if not ahead:
            yield replace(piece, notices=source.notices)
            return
        yield piece
