"""Prepared frames in batches, embedded while more are prepared."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from pipeline.records import Crop, Float32Array, MediaInfo, Notice
from pipeline.vision.crop_boxes import n_sub_crops
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.prepared_frames import PreparedFrame
from pipeline.vision.side_by_side import in_order, streams

_LAST_IMAGES = 32
"""The frames left over at the end are embedded by so many images, so that no core waits."""


@dataclass(frozen=True, slots=True)
class LastFrame:
    """Stands behind the last frame of a recording, where frames of several follow each other.

    `media` None: not all of its frames came.
    """

    media: MediaInfo | None = None
    notices: tuple[Notice, ...] = ()


EntryT = TypeVar("EntryT", bound=PreparedFrame | LastFrame)


def embedded_batches(
    entries: Iterator[EntryT],
    crops: Sequence[Crop],
    model: ImageTextModel,
    batch_size: int,
    *,
    crosses_ends: bool = False,
) -> Generator[tuple[list[EntryT], dict[Crop, Float32Array]], None, None]:
    """The entries in batches of at most `batch_size` images, and by crop the vectors
    (n, k, dim) of the n frames among them. A batch ends behind a `LastFrame` unless it
    `crosses_ends`.

    Several batches are in the model side by side, on as many threads as torch has here; what a
    frame is embedded with does not depend on their number.
    """
    import torch

    n_threads = torch.get_num_threads()
    n_images = _n_images(crops)
    sizes = max(1, batch_size // n_images), max(1, min(batch_size, _LAST_IMAGES) // n_images)
    with streams(n_threads) as pool:
        batches = _batches(entries, *sizes, crosses_ends)
        calls = (partial(_embedded, batch, crops, model) for batch in batches)
        yield from in_order(pool, calls, n_threads + 1)


def _n_images(crops: Sequence[Crop]) -> int:
    n = sum(n_sub_crops(crop) for crop in crops)
    return n - 1 if Crop.CENTER in crops and Crop.MULTI in crops else n


def _embedded(
    batch: list[EntryT], crops: Sequence[Crop], model: ImageTextModel
) -> tuple[list[EntryT], dict[Crop, Float32Array]]:
    """Arrays that occur twice are embedded once."""
    frames = [entry for entry in batch if isinstance(entry, PreparedFrame)]
    if not frames:
        return batch, {}
    images: list[UInt8Array] = []
    row_of_image: dict[int, int] = {}
    for frame in frames:
        for crop in crops:
            for image in frame.inputs[crop]:
                if id(image) not in row_of_image:
                    row_of_image[id(image)] = len(images)
                    images.append(image)
    vectors = model.embed_images(images)
    return batch, {
        crop: np.stack(
            [vectors[[row_of_image[id(image)] for image in frame.inputs[crop]]] for frame in frames]
        )
        for crop in crops
    }


def _batches(
    entries: Iterator[EntryT], size: int, last_size: int, crosses_ends: bool
) -> Iterator[list[EntryT]]:
    """Full batches of `size` frames; what is left over at an end in batches of `last_size`."""
    batch: list[EntryT] = []
    n_frames = 0
    for entry in entries:
        batch.append(entry)
        if isinstance(entry, PreparedFrame):
            n_frames += 1
            if n_frames == size:
                yield batch
                batch, n_frames = [], 0
        elif not crosses_ends:
            yield from _parts(batch, last_size)
            batch, n_frames = [], 0
    yield from _parts(batch, last_size)


def _parts(batch: list[EntryT], size: int) -> Iterator[list[EntryT]]:
    return (batch[start : start + size] for start in range(0, len(batch), size))
