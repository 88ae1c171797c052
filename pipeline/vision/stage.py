"""The vision and text stages: one recording's frames and utterances become unit vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from pipeline.config import FrameSettings
from pipeline.errors import MediaError, TranscriptError
from pipeline.records import Crop, MediaInfo, Notice
from pipeline.results import CropEmbeddings, FrameEmbeddings, TextEmbeddings, Transcript
from pipeline.vision.batches import embedded_batches
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.prepared_frames import Preparation, prepared_frames
from pipeline.vision.sampled_frame import FrameSource

FRAMES_AT_ONCE = 2048
"""About half an hour at one frame a second: at most 100 MB of vectors and thumbnails."""


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
    import torch

    preparation = Preparation(crops, model.ref.image_size_px, frames.thumbnail_px)
    waiting: list[FrameEmbeddings] = []
    n_done = n_waiting = 0
    with (
        closing(prepared_frames(source, preparation, torch.get_num_threads())) as prepared,
        closing(embedded_batches(prepared, crops, model, batch_size)) as batches,
    ):
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
