"""The vision and text stages: one recording's frames and utterances become unit vectors."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np

from pipeline.config import FrameSettings
from pipeline.errors import MediaError, TranscriptError
from pipeline.records import Crop, Float32Array, MediaInfo, Notice
from pipeline.results import CropEmbeddings, FrameEmbeddings, TextEmbeddings, Transcript
from pipeline.vision.crop_boxes import n_sub_crops
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.prepared_frames import Preparation, PreparedFrame, prepared_frames
from pipeline.vision.sampled_frame import FrameSource
from pipeline.vision.side_by_side import in_order, streams

FRAMES_AT_ONCE = 2048
"""About half an hour at one frame a second: at most 100 MB of vectors and thumbnails."""

_LAST_IMAGES = 32
"""The frames left over at the end are embedded by so many images, so that no core waits."""


def embed_recording(
    recording_id: str,
    source: FrameSource,
    media: MediaInfo,
    model: ImageTextModel,
    frames: FrameSettings,
    crops: Sequence[Crop],
    *,
    batch_size: int = 64,
    on_frame: Callable[[int], None] | None = None,
) -> FrameEmbeddings:
    """Embed every sampled frame of a recording under each crop.

    Frames are decoded and resized in threads while the model works on several batches, so that no
    core waits for another; there are as many as torch has threads here. What a frame is embedded
    with does not depend on their number. `on_frame` is told how many frames are done. A square that
    two crops share is embedded once.

    Raises MediaError when the source fails or holds no frame that can be decoded.
    """
    pieces = embedded_pieces(
        recording_id, source, media, model, frames, crops, batch_size=batch_size, on_frame=on_frame
    )
    return _joined(list(pieces))


def embedded_pieces(
    recording_id: str,
    source: FrameSource,
    media: MediaInfo,
    model: ImageTextModel,
    frames: FrameSettings,
    crops: Sequence[Crop],
    *,
    batch_size: int = 64,
    on_frame: Callable[[int], None] | None = None,
    n_at_once: int = FRAMES_AT_ONCE,
) -> Iterator[FrameEmbeddings]:
    """`embed_recording` as it goes on: about `n_at_once` frames at a time, in order of time, so
    that memory does not grow with the length of a recording. The last piece has all notices."""
    preparation = Preparation(crops, model.ref.image_size_px, frames.thumbnail_px)
    waiting: list[FrameEmbeddings] = []
    n_done = n_waiting = 0
    with closing(_embedded_batches(source, preparation, model, batch_size)) as batches:
        for batch, rows_of_crops in batches:
            if n_waiting >= n_at_once:
                # Only when more has come: the last piece must wait for the notices.
                yield _joined(waiting)
                waiting, n_waiting = [], 0
            waiting.append(
                FrameEmbeddings(
                    recording_id=recording_id,
                    media=media,
                    model=model.ref,
                    times_ms=np.array([frame.time_ms for frame in batch], np.int64),
                    grid_index=np.array([frame.grid_index for frame in batch], np.int64),
                    thumbnails=tuple(frame.thumbnail for frame in batch),
                    crops=tuple(CropEmbeddings(crop, rows_of_crops[crop]) for crop in crops),
                )
            )
            n_waiting += len(batch)
            n_done += len(batch)
            if on_frame is not None:
                on_frame(n_done)
    if not waiting:
        raise MediaError(
            f"No frame of {recording_id} could be decoded.",
            hint="Copy the video again from the camera, or set discard to 1 in "
            "metadata/recordings.csv.",
        )
    yield replace(_joined(waiting), notices=source.notices)


def _joined(pieces: Sequence[FrameEmbeddings]) -> FrameEmbeddings:
    """Consecutive pieces of a recording as one, with the notices of the last."""
    return replace(
        pieces[-1],
        times_ms=np.concatenate([piece.times_ms for piece in pieces]),
        grid_index=np.concatenate([piece.grid_index for piece in pieces]),
        thumbnails=tuple(jpeg for piece in pieces for jpeg in piece.thumbnails),
        crops=tuple(
            CropEmbeddings(
                entry.crop, np.concatenate([piece.vectors(entry.crop) for piece in pieces])
            )
            for entry in pieces[-1].crops
        ),
    )


def embed_utterances(transcript: Transcript, model: ImageTextModel) -> TextEmbeddings:
    """Embed the raw text of each utterance of a recording; equal texts are embedded once.

    Raises TranscriptError for an utterance without words, which no model can place.
    """
    for utterance in transcript.utterances:
        if not utterance.text.strip():
            raise TranscriptError(
                f"The utterance at {utterance.span.onset_ms} ms of {transcript.recording_id} has "
                "no text.",
                hint=f"Remove it from {transcript.source}.",
            )
    texts = [utterance.text for utterance in transcript.utterances]
    unique = list(dict.fromkeys(texts))
    vectors = np.zeros((len(texts), model.ref.dim), np.float32)
    if unique:
        row_of_text = {text: row for row, text in enumerate(unique)}
        vectors = model.embed_texts(unique)[[row_of_text[text] for text in texts]]
    return TextEmbeddings(
        recording_id=transcript.recording_id,
        model=model.ref,
        utterance_ids=tuple(utterance.utterance_id for utterance in transcript.utterances),
        vectors=vectors,
        notices=_truncation(model.n_truncated(texts)),
    )


def _truncation(n_truncated: int) -> tuple[Notice, ...]:
    if not n_truncated:
        return ()
    message = f"{n_truncated} utterance(s) are longer than the model reads; their end was cut off."
    return (Notice("text_truncated", message, n_truncated),)


def _n_images(crops: Sequence[Crop]) -> int:
    n = sum(n_sub_crops(crop) for crop in crops)
    return n - 1 if Crop.CENTER in crops and Crop.MULTI in crops else n


def _embedded_batches(
    source: FrameSource, preparation: Preparation, model: ImageTextModel, batch_size: int
) -> Generator[tuple[list[PreparedFrame], dict[Crop, Float32Array]], None, None]:
    """The source's frames in batches of at most `batch_size` images, and their vectors by crop."""
    import torch

    n_threads = torch.get_num_threads()
    n_images = _n_images(preparation.crops)
    batch_sizes = max(1, batch_size // n_images), max(1, min(batch_size, _LAST_IMAGES) // n_images)
    with (
        closing(prepared_frames(source, preparation, n_threads)) as frames,
        streams(n_threads) as pool,
    ):
        calls = (
            partial(_embedded, batch, preparation.crops, model)
            for batch in _batches(frames, *batch_sizes)
        )
        yield from in_order(pool, calls, n_threads + 1)


def _embedded(
    batch: list[PreparedFrame], crops: Sequence[Crop], model: ImageTextModel
) -> tuple[list[PreparedFrame], dict[Crop, Float32Array]]:
    """Vectors (len(batch), k, dim) for each crop; arrays that occur twice are embedded once."""
    images: list[UInt8Array] = []
    row_of_image: dict[int, int] = {}
    for frame in batch:
        for crop in crops:
            for image in frame.inputs[crop]:
                if id(image) not in row_of_image:
                    row_of_image[id(image)] = len(images)
                    images.append(image)
    vectors = model.embed_images(images)
    return batch, {
        crop: np.stack(
            [vectors[[row_of_image[id(image)] for image in frame.inputs[crop]]] for frame in batch]
        )
        for crop in crops
    }


def _batches(
    items: Iterator[PreparedFrame], size: int, last_size: int
) -> Iterator[list[PreparedFrame]]:
    """Full batches of `size`; what is left over at the end in batches of `last_size`."""
    batch: list[PreparedFrame] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    for start in range(0, len(batch), last_size):
        yield batch[start : start + last_size]
