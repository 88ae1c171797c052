"""Linear heads: three matrices that bring picture, sound and text into one space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.records import Float32Array
from pipeline.sound.systems import Modality

HEAD_DIM = 512


@dataclass(frozen=True, slots=True)
class Heads:
    """float32 (HEAD_DIM, d) for each modality of a system; `tau` is the temperature learnt."""

    weights: dict[Modality, Float32Array]
    tau: float

    def project(self, modality: Modality, features: Float32Array) -> Float32Array:
        """Rows (n, HEAD_DIM) of features (n, d), not brought to unit length.

        A linear head commutes with the mean: the mean of projected frames is the projected mean.
        """
        rows: Float32Array = features @ self.weights[modality].T
        return rows

    def place(self, modality: Modality, features: Float32Array) -> Float32Array:
        """Unit rows (n, HEAD_DIM) of features (n, d); a row of zeros stays one."""
        rows = self.project(modality, features)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(norms, 1e-12), np.float32)

    def has(self, *modalities: Modality) -> bool:
        """Whether the system has a head for each of them."""
        return all(modality in self.weights for modality in modalities)


def new_heads(dims: dict[Modality, int], seed: int) -> dict[Modality, Float32Array]:
    """Heads to start from, uniform in +-1/sqrt(d): the same for every system of a seed."""
    heads = {}
    for number, modality in enumerate(Modality):
        if modality in dims:
            bound = dims[modality] ** -0.5
            rng = np.random.default_rng([seed, 9, number])
            heads[modality] = rng.uniform(-bound, bound, (HEAD_DIM, dims[modality])).astype(
                np.float32
            )
    return heads
