"""What each stage yields for one recording. `pipeline.store.shards` keeps them on disk.

Stages never call each other: a stage gets records and these results, and returns one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import (
    Crop,
    Float32Array,
    Int64Array,
    MediaInfo,
    ModelRef,
    Notice,
    Utterance,
)
from pipeline.score_settings import TextVariant


@dataclass(frozen=True, slots=True)
class Transcript:
    """Stage "speech": the utterances of one recording, by onset, with unique ids.

    `source` says where they came from ("whisperx rec01.json", "whisper distil-large-v3").
    """

    recording_id: str
    media: MediaInfo
    utterances: tuple[Utterance, ...]
    source: str
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class CropEmbeddings:
    """Image embeddings of n frames under one crop: float32 (n, k, dim), rows of unit length.

    k is the number of sub-crops: 1 except for the multi crop.
    """

    crop: Crop
    vectors: Float32Array

    def __post_init__(self) -> None:
        if self.vectors.dtype != np.float32 or self.vectors.ndim != 3:
            raise ValueError(
                f"{self.crop.value} vectors are {self.vectors.dtype} {self.vectors.shape}; "
                "float32 (n, k, dim) needed"
            )
        norms = np.linalg.norm(self.vectors, axis=2)
        if not np.all(np.abs(norms - 1.0) < 1e-3):
            raise ValueError(f"{self.crop.value} embeddings are not unit vectors")


@dataclass(frozen=True, slots=True)
class FrameEmbeddings:
    """Stage "vision": sampled frames of one recording, in order of time.

    times_ms and grid_index: int64 (n,); thumbnails: n JPEGs of the full frame; crops: one entry
    for each crop, all with n rows.
    """

    recording_id: str
    media: MediaInfo
    model: ModelRef
    times_ms: Int64Array
    grid_index: Int64Array
    thumbnails: tuple[bytes, ...]
    crops: tuple[CropEmbeddings, ...]
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.times_ms)
        if n > 1 and not np.all(np.diff(self.times_ms) > 0):
            raise ValueError("frame times do not increase")
        lengths = {len(self.grid_index), len(self.thumbnails)}
        lengths |= {len(crop.vectors) for crop in self.crops}
        if lengths != {n}:
            raise ValueError(f"{n} frame times but lengths {sorted(lengths)}")

    def vectors(self, crop: Crop) -> Float32Array:
        """Embeddings (n, k, dim) under one crop; KeyError if the crop was not made."""
        for entry in self.crops:
            if entry.crop is crop:
                return entry.vectors
        raise KeyError(crop)


@dataclass(frozen=True, slots=True)
class TextEmbeddings:
    """Stage "text": float32 (n, dim) unit rows, in the order of utterance_ids."""

    recording_id: str
    model: ModelRef
    utterance_ids: tuple[str, ...]
    vectors: Float32Array
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        if self.vectors.shape != (len(self.utterance_ids), self.model.dim):
            raise ValueError(
                f"{len(self.utterance_ids)} utterances, dim {self.model.dim}, "
                f"but vectors {self.vectors.shape}"
            )


@dataclass(frozen=True, slots=True)
class VariantTexts:
    """Stage "text", once for each text that is made from the words: one recording's n utterances.

    texts: what is compared with the frames, "" where there is none and `missing_reason` says why.
    vectors: float32 (n_unique, dim) unit rows; vector_row: int64 (n,) row of each utterance, -1
    without a text.
    """

    recording_id: str
    model: ModelRef
    variant: TextVariant
    utterance_ids: tuple[str, ...]
    texts: tuple[str, ...]
    missing_reason: tuple[str, ...]
    vector_row: Int64Array
    vectors: Float32Array

    def __post_init__(self) -> None:
        n = len(self.utterance_ids)
        if {len(self.texts), len(self.missing_reason), len(self.vector_row)} != {n}:
            raise ValueError(f"{n} utterances, but other numbers of texts, reasons or rows")
        if self.vectors.ndim != 2 or self.vectors.shape[1] != self.model.dim:
            raise ValueError(f"dim {self.model.dim}, but vectors {self.vectors.shape}")
        if np.any(self.vector_row >= len(self.vectors)):
            raise ValueError(f"rows up to {self.vector_row.max()} of {len(self.vectors)} vectors")


@dataclass(frozen=True, slots=True)
class MeanVector:
    """Mean float32 (dim,) of n unit vectors, itself not of unit length; zeros where n is 0."""

    vector: Float32Array
    n: int


@dataclass(frozen=True, slots=True)
class ChildHubs:
    """What hub-corrected scores of one child take away: its mean frame under each crop, and the
    mean of each text of its utterances."""

    child_id: str
    model: ModelRef
    frames: dict[Crop, MeanVector]
    texts: dict[TextVariant, MeanVector]


@dataclass(frozen=True, slots=True)
class LagTable:
    """Cosines per frame around each utterance: m rows sorted by (utterance, time).

    utterance_row: int64 (m,) row of the utterance in the transcript; time_ms, lag_ms: int64 (m,);
    cosines: float32 (m, n_crops) in the order of RecordingAlignment.crops.
    lag_ms is 0 inside the utterance, time - onset (< 0) before it, time - (offset - 1) (> 0)
    after it, so a window of w ms is |lag_ms| <= w.
    """

    utterance_row: Int64Array
    time_ms: Int64Array
    lag_ms: Int64Array
    cosines: Float32Array


@dataclass(frozen=True, slots=True)
class RecordingAlignment:
    """Stage "align": scores of one recording's n utterances.

    n_frames: int64 (n, n_windows), windows in the order of schema.WINDOWS.
    statistics: float32 (n, n_crops, n_windows, n_statistics), statistics in the order of
    schema.SCORE_STATISTICS; NaN is missing. missing_reason: "" | no_frame_in_window | no_null
    for the strict window, and no_noun where there is no text to compare.
    """

    recording_id: str
    model: ModelRef
    crops: tuple[Crop, ...]
    utterance_ids: tuple[str, ...]
    n_frames: Int64Array
    statistics: NDArray[np.float32]
    missing_reason: tuple[str, ...]
    lags: LagTable
