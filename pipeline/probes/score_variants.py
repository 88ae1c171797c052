"""Two further settings of a score: which text is compared, and whether hubs are taken out.

Text: the utterance as transcribed, its nouns only, or "a photo of a NOUN". Hubs are texts that are
near to every frame and frames that are near to every text. The hub-corrected cosine is

    (t - T) . (x - F) = c(t, x) - c(t, F) - c(T, x) + T . F

with T the mean vector of the study's utterances and F that of the child's frames: what is left of
the cosine when the mean of the text over frames and that of the frame over texts are taken away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.probes.changes import Change
from pipeline.probes.material import Hubs, UtteranceFrames
from pipeline.records import Float32Array

SCORED_TEXTS = (Change.RAW, Change.NOUNS_ONLY, Change.PHOTO_OF_NOUN)


@dataclass(frozen=True, slots=True)
class VariantScore:
    """The largest (hub-corrected) cosine over an utterance's frames, and the same over its null
    windows: mean, SD, z. NaN where the null does not vary."""

    score: float
    null_mean: float
    null_sd: float
    z: float


def hub_corrected(texts: Float32Array, frames: Float32Array, hubs: Hubs) -> Float32Array:
    """Hub-corrected cosines (m, n) of texts (m, dim) and frames (n, dim)."""
    corrected: Float32Array = (texts - hubs.text) @ (frames - hubs.frame).T
    return corrected


def variant_score(
    frames: UtteranceFrames, text: Float32Array, hubs: Hubs | None = None
) -> VariantScore:
    """Score of one text vector (dim,) by maximum over frames; with hubs, hub-corrected."""
    vector = text if hubs is None else text - hubs.text
    centre = np.zeros_like(text) if hubs is None else hubs.frame
    score = float(np.max((frames.window - centre) @ vector))
    null = np.max((frames.null - centre) @ vector, axis=1).astype(np.float64)
    mean, sd = float(null.mean()), float(null.std(ddof=1))
    return VariantScore(score, mean, sd, (score - mean) / sd if sd > 0 else np.nan)
