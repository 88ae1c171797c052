"""The vision and text stages: one recording's frames and utterances become unit vectors."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.config import FrameSettings
from pipeline.errors import MediaError, TranscriptError
from pipeline.records import Crop, Float32Array, MediaInfo, Notice
from pipeline.results import CropEmbeddings, FrameEmbeddings, TextEmbeddings, Transcript
from pipeline.vision.crop_boxes import n_sub_crops
from pipeline.vision.crops import model_inputs, resized
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.sampled_frame import FrameSource, SampledFrame

_QUEUED_FRAMES = 16
_THUMBNAIL_QUALITY = 80


@dataclass(frozen=True, slots=True)
class _PreparedFrame:
    """A frame after decoding and resizing; a few hundred kB, so that many can wait."""

    grid_index: int
    time_ms: int
    thumbnail: bytes
    inputs: dict[Crop, list[UInt8Array]]


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

    Frames are decoded and resized in a thread of their own while the model works. `on_frame` is
    told how many frames are done. A square that two crops share is embedded once.

    Raises MediaError when the source fails or holds no frame that can be decoded.
    """
    times: list[int] = []
    grid: list[int] = []
    thumbnails: list[bytes] = []
    vectors: dict[Crop, list[Float32Array]] = {crop: [] for crop in crops}
    prepared = _prepared_frames(source, crops, model.ref.image_size_px, frames.thumbnail_px)
    for batch in _batches(prepared, max(1, batch_size // _n_images(crops))):
        rows_of_crops = _embedded(batch, crops, model)
        for crop, rows in rows_of_crops.items():
            vectors[crop].append(rows)
        for frame in batch:
            times.append(frame.time_ms)
            grid.append(frame.grid_index)
            thumbnails.append(frame.thumbnail)
        if on_frame is not None:
            on_frame(len(times))
    if not times:
        raise MediaError(
            f"No frame of {recording_id} could be decoded.",
            hint="Copy the video again from the camera, or set discard to 1 in "
            "metadata/recordings.csv.",
        )
    return FrameEmbeddings(
        recording_id=recording_id,
        media=media,
        model=model.ref,
        times_ms=np.array(times, np.int64),
        grid_index=np.array(grid, np.int64),
        thumbnails=tuple(thumbnails),
        crops=tuple(CropEmbeddings(crop, np.concatenate(vectors[crop])) for crop in crops),
        notices=source.notices,
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


def thumbnail_jpeg(image: UInt8Array, short_side_px: int) -> bytes:
    """JPEG of a whole frame (h, w, 3), its short side at most `short_side_px`."""
    height_px, width_px = image.shape[:2]
    scale = min(1.0, short_side_px / min(height_px, width_px))
    if scale < 1.0:
        image = resized(image, round(width_px * scale), round(height_px * scale))
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=_THUMBNAIL_QUALITY)
    return buffer.getvalue()


def _n_images(crops: Sequence[Crop]) -> int:
    n = sum(n_sub_crops(crop) for crop in crops)
    return n - 1 if Crop.CENTER in crops and Crop.MULTI in crops else n


def _embedded(
    batch: Sequence[_PreparedFrame], crops: Sequence[Crop], model: ImageTextModel
) -> dict[Crop, Float32Array]:
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
    return {
        crop: np.stack(
            [vectors[[row_of_image[id(image)] for image in frame.inputs[crop]]] for frame in batch]
        )
        for crop in crops
    }


def _prepared_frames(
    source: FrameSource, crops: Sequence[Crop], size_px: int, thumbnail_px: int
) -> Iterator[_PreparedFrame]:
    def prepare(frame: SampledFrame) -> _PreparedFrame:
        return _PreparedFrame(
            frame.grid_index,
            frame.time_ms,
            thumbnail_jpeg(frame.image, thumbnail_px),
            model_inputs(frame.image, crops, size_px),
        )

    with _in_background(map(prepare, source.frames()), _QUEUED_FRAMES) as prepared:
        yield from prepared


@contextmanager
def _in_background(
    items: Iterator[_PreparedFrame], n_waiting: int
) -> Iterator[Iterator[_PreparedFrame]]:
    """Run an iterator in a thread, at most `n_waiting` items ahead; its errors arrive here.

    That thread gets one thread of torch, which resizes in a third of the CPU time of two and
    leaves the others to the model.
    """
    import torch

    waiting: queue.Queue[_PreparedFrame | BaseException | None] = queue.Queue(n_waiting)
    is_stopped, is_limited = threading.Event(), threading.Event()

    def put(item: _PreparedFrame | BaseException | None) -> bool:
        while not is_stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        torch.set_num_threads(1)
        is_limited.set()
        try:
            for item in items:
                if not put(item):
                    return
            put(None)
        except BaseException as problem:  # noqa: BLE001 - raised again in the thread that reads
            put(problem)

    def read() -> Iterator[_PreparedFrame]:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=work, name="decode", daemon=True)
    n_threads = torch.get_num_threads()
    thread.start()
    is_limited.wait()
    # The limit holds in the thread that set it, but is also what threads to come start with.
    torch.set_num_threads(n_threads)
    try:
        yield read()
    finally:
        is_stopped.set()
        thread.join()


def _batches(items: Iterator[_PreparedFrame], size: int) -> Iterator[list[_PreparedFrame]]:
    batch: list[_PreparedFrame] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
