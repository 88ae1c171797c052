"""What every image-text model must do; the stages know no more of a model than this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.records import Float32Array, ModelRef
from pipeline.vision.orientation import UInt8Array


class ImageTextModel(Protocol):
    """Embeds images and texts into one space of unit vectors.

    `ref` names everything that changes a vector. `embed_images` takes n model inputs, uint8
    (3, S, S) with S = ref.image_size_px (see `crops.model_inputs`); `embed_texts` takes n texts,
    none of them empty. Both return float32 (n, ref.dim) with rows of unit length. `embed_images`
    may be called from several threads at once.
    """

    @property
    def ref(self) -> ModelRef: ...

    def embed_images(self, images: Sequence[UInt8Array]) -> Float32Array: ...

    def embed_texts(self, texts: Sequence[str]) -> Float32Array: ...

    def n_truncated(self, texts: Sequence[str]) -> int:
        """How many of the texts are longer than the model reads."""
