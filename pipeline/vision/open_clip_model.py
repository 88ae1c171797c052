"""Any CLIP-like model that open_clip can load, from files on this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from pipeline.config import ModelSettings
from pipeline.records import Float32Array, ModelRef
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.model_files import find_model
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.side_by_side import at_most_threads

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ImageTextModel", "OpenClipModel"]

_TEXT_BATCH = 256
_WORK_OF_A_THREAD = 2_000_000_000
"""Tokens times numbers of the model. With less to do, threads of a CPU mostly wait for each other:
on a busy machine fifteen times as long as one thread takes for all of it."""
_SAMPLE_TEXTS = ("a dog", "look, a red ball!", "where did you put your shoes?")


class OpenClipModel:
    """An image-text model loaded by open_clip; see `image_text_model.ImageTextModel`.

    `device` is "cpu" or "cuda". Never downloads.

    Raises ModelError when the model's files are missing, incomplete or do not fit together.
    """

    def __init__(self, settings: ModelSettings, study_root: Path, device: str) -> None:
        from pipeline.vision import loading
        from pipeline.vision.precision import cast_model
        from pipeline.vision.text_tower import can_cut

        files = find_model(settings, study_root)
        model, self._tokenize = loading.load_model(files)
        size_px = loading.image_size_px(model, files.name)
        self.preprocessing = loading.preprocessing_of(model, files)
        self.context_length = int(self._tokenize.context_length)
        self.n_parameters = sum(parameter.numel() for parameter in model.parameters())
        sample = self._tokenize(list(_SAMPLE_TEXTS))
        dim = loading.feature_dim(model, sample, size_px, files.name)
        self.cuts_text_padding = can_cut(model, sample)
        self._model, precision = cast_model(model, sample, size_px, settings.precision, device)
        self._batch_size = settings.batch_size
        parameter = next(self._model.parameters())
        self._device, self._dtype = parameter.device, parameter.dtype
        # Threads may embed side by side. A GPU is filled by one batch, whose like need its memory.
        is_on_cpu = self._device.type == "cpu"
        self._turn: AbstractContextManager[object] = nullcontext() if is_on_cpu else Lock()
        self._ref = ModelRef(
            scorer=files.scorer,
            name=files.name,
            weights=files.weights,
            revision=files.revision,
            dim=dim,
            image_size_px=size_px,
            preprocess=loading.described(self.preprocessing, size_px),
            precision=precision,
            default_threshold=files.default_threshold,
            threshold_source=files.threshold_source,
        )

    @property
    def ref(self) -> ModelRef:
        return self._ref

    def embed_images(self, images: Sequence[UInt8Array]) -> Float32Array:
        """Unit vectors float32 (n, dim) of n model inputs uint8 (3, S, S)."""
        import torch

        rows = [np.zeros((0, self._ref.dim), np.float32)]
        with torch.inference_mode():
            for batch in self._pixel_batches(images):
                with self._turn:
                    rows.append(_unit_rows(self._model.encode_image(batch)))
        return np.concatenate(rows)

    def image_features(self, images: Sequence[UInt8Array]) -> Float32Array:
        """Features float32 (n, width) of n model inputs uint8 (3, S, S), not of unit length.

        Those before the projection into the shared space where the image tower has them apart
        (see `image_features.raw_features`), else the projected ones.
        """
        import torch

        from pipeline.vision.image_features import raw_features

        rows: list[Float32Array] = []
        with torch.inference_mode():
            for batch in self._pixel_batches(images):
                rows.append(raw_features(self._model, batch).float().cpu().numpy())
        return np.concatenate(rows)

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors float32 (n, dim) of n texts; equal texts are encoded once.

        Raises ValueError for a text without characters: nothing can be said of it.
        """
        import torch

        if any(not text.strip() for text in texts):
            raise ValueError("an empty text cannot be embedded")
        unique = list(dict.fromkeys(texts))
        vectors = np.zeros((len(unique), self._ref.dim), np.float32)
        with torch.inference_mode():
            for rows, tokens in self._token_batches(unique):
                work = tokens.numel() * self.n_parameters
                with at_most_threads(max(1, work // _WORK_OF_A_THREAD)):
                    vectors[rows] = _unit_rows(self._encode_tokens(tokens))
        row_of_text = {text: row for row, text in enumerate(unique)}
        return vectors[[row_of_text[text] for text in texts]]

    def n_truncated(self, texts: Sequence[str]) -> int:
        """How many texts are longer than the model's context and lose their end."""
        if not texts:
            return 0
        times_said = Counter(texts)
        unique = list(times_said)
        tokens = self._tokenize(unique)
        longer = self._tokenize(unique, context_length=self.context_length + 1)
        # With room for one more token, only a text that was cut changes: its end token moves.
        is_cut = (longer[:, : self.context_length] != tokens).any(dim=1).tolist()
        return sum(n for n, is_one in zip(times_said.values(), is_cut, strict=True) if is_one)

    def _pixel_batches(self, images: Sequence[UInt8Array]) -> Iterator[Tensor]:
        """Normalised pixels (b, 3, S, S) on the model's device, in its number format."""
        import torch

        mean = torch.tensor(self.preprocessing.mean, device=self._device).view(3, 1, 1) * 255
        std = torch.tensor(self.preprocessing.std, device=self._device).view(3, 1, 1) * 255
        for start in range(0, len(images), self._batch_size):
            pixels = np.stack(images[start : start + self._batch_size])
            batch = torch.from_numpy(pixels).to(self._device, torch.float32)
            yield ((batch - mean) / std).to(self._dtype)

    def _token_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Tensor]]:
        """(rows, tokens) in batches of similar length, so that little padding is left to cut."""
        import torch

        from pipeline.vision.text_tower import batches_of_like_length, text_lengths

        if not texts:
            return
        tokens = torch.cat(
            [
                self._tokenize(list(texts[start : start + _TEXT_BATCH]))
                for start in range(0, len(texts), _TEXT_BATCH)
            ]
        )
        if not self.cuts_text_padding:
            for start in range(0, len(texts), _TEXT_BATCH):
                rows = list(range(start, min(start + _TEXT_BATCH, len(texts))))
                yield rows, tokens[rows]
            return
        lengths = text_lengths(self._model, tokens)
        order = torch.argsort(lengths, stable=True)
        for start, end in batches_of_like_length(lengths[order].tolist(), _TEXT_BATCH):
            chosen = order[start:end]
            yield chosen.tolist(), tokens[chosen, : int(lengths[chosen].max())]

    def _encode_tokens(self, tokens: Tensor) -> Tensor:
        from pipeline.vision.text_tower import encode_cut

        tokens = tokens.to(self._device)
        if self.cuts_text_padding:
            return encode_cut(self._model, tokens)
        return self._model.encode_text(tokens)


def _unit_rows(features: Tensor) -> Float32Array:
    import torch

    rows: Float32Array = torch.nn.functional.normalize(features.float(), dim=1).cpu().numpy()
    return rows
