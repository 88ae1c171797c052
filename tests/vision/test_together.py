"""Short recordings embedded together are what each is alone, in fewer and fuller batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from pipeline.config import FrameSettings
from pipeline.errors import MediaError
from pipeline.records import Crop, Float32Array, MediaInfo, ModelRef, Notice
from pipeline.results import FrameEmbeddings
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.sampled_frame import FrameRun, FrameSource, SampledFrame
from pipeline.vision.stage import embed_recording
from pipeline.vision.together import ShortRecording, embed_together

MEDIA = MediaInfo(10_000, 60, 40, 30.0, "h264", None)
FRAMES = FrameSettings()
CROPS = (Crop.CENTER, Crop.MULTI)
NOTICE = Notice("made_up", "known after the last frame only")


class Film:
    """`n` frames in colours of their own; may fail behind them."""

    def __init__(self, colour: int, n: int, problem: Exception | None = None) -> None:
        self.colour, self.n, self.problem = colour, n, problem
        self.notices: tuple[Notice, ...] = ()

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        for k in range(after + 1, self.n):
            image = np.full((40, 60, 3), self.colour + k, np.uint8)
            image[:20, 10 * (k % 6) :] = 200
            yield SampledFrame(k, 1000 * k + 7, image)
        if self.problem is not None:
            raise self.problem
        self.notices = (NOTICE,)

    @contextmanager
    def runs(self) -> Iterator[Sequence[FrameRun]]:
        yield [self.frames]


class Counting:
    """A model that remembers how many images it was given at once."""

    def __init__(self, model: OpenClipModel) -> None:
        self._model, self.sizes = model, list[int]()

    @property
    def ref(self) -> ModelRef:
        return self._model.ref

    def embed_images(self, images: Sequence[UInt8Array]) -> Float32Array:
        self.sizes.append(len(images))
        return self._model.embed_images(images)

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        raise NotImplementedError


def short(number: int, source: FrameSource, media: MediaInfo = MEDIA) -> ShortRecording:
    return ShortRecording(f"R{number}", lambda: (source, media))


def alone(number: int, source: FrameSource, model: OpenClipModel) -> FrameEmbeddings:
    return embed_recording(f"R{number}", source, MEDIA, model, FRAMES, CROPS, batch_size=16)


def assert_equal(found: FrameEmbeddings | None, expected: FrameEmbeddings) -> None:
    assert found is not None
    for crop in CROPS:
        np.testing.assert_allclose(found.vectors(crop), expected.vectors(crop), atol=1e-6)
    np.testing.assert_array_equal(found.times_ms, expected.times_ms)
    np.testing.assert_array_equal(found.grid_index, expected.grid_index)
    assert found.thumbnails == expected.thumbnails
    assert (found.recording_id, found.media) == (expected.recording_id, expected.media)
    assert (found.model, found.notices) == (expected.model, expected.notices)


@pytest.mark.parametrize(("crosses_ends", "n_threads"), [(True, 1), (True, 3), (False, 3)])
def test_each_is_what_it_is_alone_and_batches_are_full_where_they_may(
    tiny_model: OpenClipModel, crosses_ends: bool, n_threads: int
) -> None:
    import torch

    lengths = (1, 7, 4, 5, 2, 9, 3)
    model, told = Counting(tiny_model), list[int]()
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        recordings = [short(k, Film(20 * k, n)) for k, n in enumerate(lengths)]
        found = list(
            embed_together(
                recordings,
                model,
                FRAMES,
                CROPS,
                crosses_ends=crosses_ends,
                batch_size=16,
                on_frame=told.append,
            )
        )
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    assert len(found) == len(lengths)
    for k, n in enumerate(lengths):
        assert_equal(found[k], alone(k, Film(20 * k, n), tiny_model))
    # Three squares a frame, so five frames a batch: 31 frames are six full ones and one frame.
    parted = [3, 15, 6, 12, 15, 6, 15, 12, 9]
    assert sorted(model.sizes) == ([3, *[15] * 6] if crosses_ends else sorted(parted))
    assert told[-1] == sum(lengths)
    assert told == sorted(told)


def test_one_that_cannot_be_made_together_is_left_out_and_costs_no_other(
    tiny_model: OpenClipModel,
) -> None:
    def refused() -> tuple[FrameSource, MediaInfo]:
        raise MediaError("no video at all", hint="")

    recordings = [
        short(0, Film(0, 3)),
        short(1, Film(40, 4, MediaError("torn", hint=""))),
        ShortRecording("R2", refused),
        short(3, Film(90, 0)),
        short(4, Film(100, 6), replace(MEDIA, duration_ms=300_000)),
        short(5, Film(150, 2)),
        short(6, Film(0, 0, ValueError("a defect"))),
    ]
    found = list(
        embed_together(recordings, tiny_model, FRAMES, CROPS, crosses_ends=True, batch_size=16)
    )
    assert [one is not None for one in found] == [True, False, False, False, False, True, False]
    assert_equal(found[0], alone(0, Film(0, 3), tiny_model))
    assert_equal(found[5], alone(5, Film(150, 2), tiny_model))


def test_nothing_but_bad_recordings_is_no_error(tiny_model: OpenClipModel) -> None:
    bad: list[ShortRecording] = [short(k, Film(0, 0)) for k in range(40)]
    assert (
        list(embed_together(bad, tiny_model, FRAMES, CROPS, crosses_ends=True, batch_size=16))
        == [None] * 40
    )


def test_what_the_model_raises_ends_the_decoding(tiny_model: OpenClipModel) -> None:
    class Failing(Counting):
        def embed_images(self, images: Sequence[UInt8Array]) -> Float32Array:
            raise MemoryError("the GPU is full")

    films = [Film(0, 20) for _ in range(50)]
    opened: list[int] = []

    def opening(number: int) -> Callable[[], tuple[FrameSource, MediaInfo]]:
        def open_one() -> tuple[FrameSource, MediaInfo]:
            opened.append(number)
            return films[number], MEDIA

        return open_one

    recordings = [ShortRecording(f"R{k}", opening(k)) for k in range(50)]
    with pytest.raises(MemoryError, match="the GPU is full"):
        list(
            embed_together(
                recordings, Failing(tiny_model), FRAMES, CROPS, crosses_ends=True, batch_size=16
            )
        )
    assert len(opened) < 50
    assert not [thread for thread in threading.enumerate() if thread.name == "decode"]
