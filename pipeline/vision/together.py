"""Short recordings embedded together: all cores decode, and a GPU gets full batches.

One short recording has too few frames for either: they are decoded in one thread, while the model
waits, and make one small batch, while the next recording waits. Here each thread decodes a
recording of its own. Why batches cross recordings' ends on a GPU only: docs/decisions/0014.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.config import FrameSettings
from pipeline.records import Crop, Float32Array, MediaInfo
from pipeline.results import CropEmbeddings, FrameEmbeddings
from pipeline.vision.batches import LastFrame, embedded_batches
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.prepared_frames import WAITING, Preparation, PreparedFrame
from pipeline.vision.sampled_frame import FrameSource
from pipeline.vision.side_by_side import side_by_side

_MOST_FRAMES = 256
"""A recording of more fills its batches and the cores by itself."""

_Entry = PreparedFrame | LastFrame
_Embedded = tuple[PreparedFrame, dict[Crop, Float32Array]]


@dataclass(frozen=True, slots=True)
class ShortRecording:
    """A recording that may be short; `open` gives its frames and what its container says."""

    recording_id: str
    open: Callable[[], tuple[FrameSource, MediaInfo]]


def embed_together(
    recordings: Sequence[ShortRecording],
    model: ImageTextModel,
    frames: FrameSettings,
    crops: Sequence[Crop],
    *,
    crosses_ends: bool,
    batch_size: int = 64,
    on_frame: Callable[[int], None] | None = None,
) -> Generator[FrameEmbeddings | None, None, None]:
    """For each recording, in their order, what `stage.embed_recording` gives, or None where it
    is to be asked instead: the recording is longer than a few minutes, or something is wrong
    with it, which is told best where it is read alone. `crosses_ends`: batches hold frames of
    several recordings; else they are those of each recording alone, and so are the vectors, to
    the last bit. `on_frame` is told how many frames of all recordings are done.

    Raises what the model raises.
    """
    import torch

    preparation = Preparation(crops, model.ref.image_size_px, frames.thumbnail_px)
    longest_ms = _MOST_FRAMES * frames.step_ms
    parts = [partial(_entries, one, preparation, longest_ms) for one in recordings]
    ids = iter(one.recording_id for one in recordings)
    kept: list[_Embedded] = []
    n_done = 0
    with (
        side_by_side(parts, torch.get_num_threads(), WAITING) as entries,
        closing(
            embedded_batches(entries, crops, model, batch_size, crosses_ends=crosses_ends)
        ) as batches,
    ):
        for batch, vectors in batches:
            row = 0
            for entry in batch:
                if isinstance(entry, PreparedFrame):
                    kept.append((entry, {crop: vectors[crop][row] for crop in crops}))
                    row += 1
                else:
                    yield _whole(next(ids), kept, entry, model, crops)
                    kept = []
            n_done += row
            if on_frame is not None:
                on_frame(n_done)


def _entries(
    recording: ShortRecording, prepare: Preparation, longest_ms: float
) -> Iterator[_Entry]:
    """The recording's frames, and what stands behind the last."""
    try:
        source, media = recording.open()
        if media.duration_ms <= longest_ms:
            yield from map(prepare, source.frames())
            yield LastFrame(media, source.notices)
            return
    except Exception:  # noqa: BLE001 - it comes again, and is told, where this one is read alone
        pass
    yield LastFrame()


def _whole(
    recording_id: str,
    embedded: Sequence[_Embedded],
    end: LastFrame,
    model: ImageTextModel,
    crops: Sequence[Crop],
) -> FrameEmbeddings | None:
    if end.media is None or not embedded:
        return None
    return FrameEmbeddings(
        recording_id=recording_id,
        media=end.media,
        model=model.ref,
        times_ms=np.array([frame.time_ms for frame, _ in embedded], np.int64),
        grid_index=np.array([frame.grid_index for frame, _ in embedded], np.int64),
        thumbnails=tuple(frame.thumbnail for frame, _ in embedded),
        crops=tuple(
            CropEmbeddings(crop, np.stack([vectors[crop] for _, vectors in embedded]))
            for crop in crops
        ),
        notices=end.notices,
    )
