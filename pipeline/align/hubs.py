"""Mean vectors of a child, which hub-corrected scores take away.

A hub is a text that is near to every frame, or a frame that is near to every text (Radovanovic et
al. 2010, "Hubs in Space"). With T the mean text of the child's utterances and F the mean of its
frames the hub-corrected cosine is

    (t - T) . (x - F) = c(t, x) - c(T, x) - c(t, F) + T . F,

of vectors as they are, not made unit length again (centring: Suzuki et al. 2013, "Centering
Similarity Measures to Reduce Hubs"). F shifts all scores of an utterance alike, those of its null
windows too, so it changes scores and no z; T weighs frames against each other and changes both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.records import Crop, Float32Array
from pipeline.results import FrameEmbeddings, MeanVector, VariantTexts


def mean_frames(
    recordings: Sequence[FrameEmbeddings], crops: Sequence[Crop]
) -> dict[Crop, MeanVector]:
    """Mean image of a child under each crop, over all frames of its recordings and, of the multi
    crop, over all squares. n counts frames. The order of recordings does not matter."""
    ordered = sorted(recordings, key=lambda frames: frames.recording_id)
    n = sum(len(frames.times_ms) for frames in ordered)
    found = {}
    for crop in crops:
        vectors = [frames.vectors(crop) for frames in ordered if len(frames.times_ms)]
        n_images = sum(v.shape[0] * v.shape[1] for v in vectors)
        total = np.sum([v.sum(axis=(0, 1), dtype=np.float64) for v in vectors], axis=0)
        found[crop] = MeanVector((total / n_images).astype(np.float32), n)
    return found


def mean_text(vectors: Iterable[Float32Array], dim: int) -> MeanVector:
    """Mean text of a child from one array (n, dim) for each recording, in a fixed order: every
    utterance counts, also one that says what another says."""
    total, n = np.zeros(dim, np.float64), 0
    for part in vectors:
        total += part.sum(axis=0, dtype=np.float64)
        n += len(part)
    return MeanVector((total / max(n, 1)).astype(np.float32), n)


def utterance_vectors(texts: VariantTexts) -> Float32Array:
    """Vectors (m, dim) of the m utterances that have a text."""
    return texts.vectors[texts.vector_row[texts.vector_row >= 0]]
