"""A recording embedded a piece at a time leaves the shard that one piece would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.config import FrameSettings
from pipeline.errors import MediaError
from pipeline.records import Crop, Notice, TimeSpan
from pipeline.redactions import pieces_without_blacked_out
from pipeline.results import FrameEmbeddings
from pipeline.store.shards import read_frames, write_frame_pieces, write_frames
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.sampled_frame import FrameSource, SampledFrame
from pipeline.vision.stage import embed_recording, embedded_pieces
from tests import fakes

CROPS = (Crop.CENTER, Crop.MULTI)
END = Notice("end", "the film ended well")


class Film:
    """`n` frames, and a notice that is known only after the last; may fail there instead."""

    def __init__(self, n: int, problem: Exception | None = None) -> None:
        self.n, self.problem = n, problem
        self.notices: tuple[Notice, ...] = ()

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        for k in range(after + 1, self.n):
            yield SampledFrame(k, 1000 * k, np.full((40, 60, 3), 5 * k, np.uint8))
        if self.problem is not None:
            raise self.problem
        self.notices = (END,)

    @contextmanager
    def runs(self) -> Iterator[Sequence[Callable[[], Iterator[SampledFrame]]]]:
        yield [self.frames]


def pieces_of(source: FrameSource, model: OpenClipModel, n: int) -> Iterator[FrameEmbeddings]:
    return embedded_pieces(
        "R", source, fakes.MEDIA, model, FrameSettings(), CROPS, batch_size=16, n_at_once=n
    )


def whole(source: FrameSource, model: OpenClipModel) -> FrameEmbeddings:
    return embed_recording("R", source, fakes.MEDIA, model, FrameSettings(), CROPS, batch_size=16)


@pytest.mark.parametrize("n", [1, 8, 23])
def test_pieces_give_the_shard_of_the_whole(
    n: int, tiny_model: OpenClipModel, tmp_path: Path
) -> None:
    once, parts = tmp_path / "once.parquet", tmp_path / "parts.parquet"
    write_frames(once, whole(Film(n), tiny_model))
    pieces = list(pieces_of(Film(n), tiny_model, 8))
    assert len(pieces) == -(-n // 8)
    write_frame_pieces(parts, pieces)
    assert read_frames(parts).notices == read_frames(once).notices == (END,)
    assert read_frames(parts).model == read_frames(once).model
    assert pq.read_table(parts).equals(pq.read_table(once))


def test_a_film_that_breaks_off_leaves_nothing(tiny_model: OpenClipModel, tmp_path: Path) -> None:
    film = Film(20, MediaError("torn", hint=""))
    with pytest.raises(MediaError, match="torn"):
        write_frame_pieces(tmp_path / "R.parquet", pieces_of(film, tiny_model, 4))
    assert list(tmp_path.iterdir()) == []


def test_a_film_without_frames_is_refused(tiny_model: OpenClipModel) -> None:
    with pytest.raises(MediaError, match="No frame of R could be decoded"):
        list(pieces_of(Film(0), tiny_model, 4))


def test_what_is_blacked_out_is_counted_once_whatever_the_pieces(
    tiny_model: OpenClipModel,
) -> None:
    blackout = (TimeSpan(1_500, 9_500), TimeSpan(17_000, 18_000))
    (one,) = pieces_without_blacked_out([whole(Film(23), tiny_model)], blackout)
    some = list(pieces_without_blacked_out(pieces_of(Film(23), tiny_model, 8), blackout))
    assert len(some) == 3
    assert some[-1].notices == one.notices
    assert one.notices[-1].count == 9
    np.testing.assert_array_equal(np.concatenate([p.times_ms for p in some]), one.times_ms)
