"""Cosines of an utterance's variants with its own frames and with chance frames.

f* was chosen because it suits the utterance, so it must not be set against any frame g: even where
nothing is aligned it would win. It is set against frames chosen in the same way: the best frame of
each null window, which has as many frames as the utterance's own. Nothing is chosen at the middle
frame, which is set against the middle frames of the null windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.probes.material import UtteranceFrames
from pipeline.records import Float32Array


@dataclass(frozen=True, slots=True, eq=False)
class VariantCosines:
    """Cosines of m texts: `best` (f*), `middle` (m,); `null_best`, `null_middle` (m, K)."""

    best: Float32Array
    middle: Float32Array
    null_best: Float32Array
    null_middle: Float32Array


def variant_cosines(
    frames: UtteranceFrames, raw: Float32Array, texts: Float32Array
) -> VariantCosines:
    """raw (dim,): vector of the utterance as transcribed, which chooses the best frames;
    texts (m, dim): its variants."""
    best = int(np.argmax(frames.window @ raw))
    null_best = np.argmax(frames.null @ raw, axis=1)
    chosen = frames.null[np.arange(len(frames.null)), null_best]
    return VariantCosines(
        texts @ frames.window[best],
        texts @ frames.window[frames.middle],
        texts @ chosen.T,
        texts @ frames.null[:, frames.middle].T,
    )
