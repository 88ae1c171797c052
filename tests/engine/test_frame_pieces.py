"""A recording embedded a piece at a time leaves the shard that one piece would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.engine.frame_pieces import embedded_pieces
from pipeline.errors import MediaError
from pipeline.records import Crop, Notice
from pipeline.results import CropEmbeddings, FrameEmbeddings
from pipeline.store.shards import read_frames, write_frame_pieces, write_frames
from pipeline.vision.sampled_frame import FrameSource, SampledFrame
from tests import fakes


class _Film:
    """`n` frames, and a notice that is known only after the last; may fail there instead."""

    def __init__(self, n: int, problem: Exception | None = None) -> None:
        self.n, self.problem, self.notices = n, problem, tuple[Notice, ...]()

    def frames(self) -> Iterator[SampledFrame]:
        for k in range(self.n):
            yield SampledFrame(k, 1000 * k, np.full((2, 2, 3), k, np.uint8))
        if self.problem is not None:
            raise self.problem
        self.notices = (Notice("end", "the film ended well"),)


def embedded(source: FrameSource, n_before: int) -> FrameEmbeddings:
    """Vectors that tell the frame's picture; `n_before` must be where the piece begins."""
    frames = list(source.frames())
    if not frames:
        raise MediaError("no frame", hint="")
    assert frames[0].grid_index == n_before
    rows = np.zeros((len(frames), 1, fakes.DIM), np.float32)
    for row, frame in zip(rows, frames, strict=True):
        row[0, int(frame.image[0, 0, 0]) % fakes.DIM] = 1.0
    return FrameEmbeddings(
        recording_id="R",
        media=fakes.MEDIA,
        model=fakes.MODEL,
        times_ms=np.array([frame.time_ms for frame in frames], np.int64),
        grid_index=np.array([frame.grid_index for frame in frames], np.int64),
        thumbnails=tuple(bytes([int(frame.image[0, 0, 0])]) for frame in frames),
        crops=(CropEmbeddings(Crop.CENTER, rows),),
        notices=source.notices,
    )


@pytest.mark.parametrize("n", [1, 3, 4, 8, 150])
def test_pieces_give_the_shard_of_the_whole(n: int, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    film = _Film(n)
    write_frames(whole, next(embedded_pieces(film, embedded, 1000)))
    pieces = list(embedded_pieces(_Film(n), embedded, 4))
    assert [len(piece.times_ms) for piece in pieces] == [4] * (n // 4) + [n % 4] * (n % 4 > 0)
    write_frame_pieces(parts, pieces)
    once, again = read_frames(whole), read_frames(parts)
    assert again.notices == once.notices == (Notice("end", "the film ended well"),)
    assert (again.media, again.model) == (once.media, once.model)
    np.testing.assert_array_equal(again.times_ms, once.times_ms)
    np.testing.assert_array_equal(again.vectors(Crop.CENTER), once.vectors(Crop.CENTER))
    assert pq.read_table(parts).equals(pq.read_table(whole))


def test_a_film_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    film = _Film(6, MediaError("torn", hint=""))
    with pytest.raises(MediaError, match="torn"):
        write_frame_pieces(tmp_path / "R.parquet", embedded_pieces(film, embedded, 4))
    assert list(tmp_path.iterdir()) == []


def test_a_film_without_frames_is_for_the_stage_to_refuse() -> None:
    with pytest.raises(MediaError, match="no frame"):
        list(embedded_pieces(_Film(0), embedded, 4))
