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

from collections.abc import Iterable

import numpy as np

from pipeline.align.child_frames import ChildFrames
from pipeline.records import Crop, Float32Array
from pipeline.results import MeanVector, VariantTexts


def mean_frames(frames: ChildFrames) -> dict[Crop, MeanVector]:
    """Mean image of a child under each crop, over all frames of its recordings and, of the multi
    crop, over all squares. n counts frames. Recordings without frames do not count."""
    filled = [one for one in frames.recordings if len(one)]
    crops = set.intersection(*(set(one.crops) for one in filled)) if filled else set()
    found = {}
    for crop in Crop:
        if crop not in crops:
            continue
        total, n_images = np.zeros(filled[0].model.dim, np.float64), 0
        for one in filled:
            for vectors in frames.read(one.recording_id, crop):
                total += vectors.sum(axis=(0, 1), dtype=np.float64)
                n_images += vectors.shape[0] * vectors.shape[1]
        mean = (total / n_images).astype(np.float32)
        found[crop] = MeanVector(mean, int(frames.n_frames.sum()))
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
