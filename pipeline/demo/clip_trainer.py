"""How the demo CLIP model learns: four ways, each a method of `Trainer`."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pipeline.demo.clip_card import Recipe
from pipeline.demo.demo_clip import (
    EMBED_DIM,
    TRAINING_CONTEXT_LENGTH,
    TokenTable,
    as_input,
    text_shape,
    vision_shape,
)
from pipeline.demo.training_scenes import CloseUps, CutScene
from pipeline.demo.training_texts import NO_WORD, TextBatch, sample_texts
from pipeline.demo.vocabulary import word_names

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

log = logging.getLogger(__name__)

EMPTY_TARGET = 0.04
"""What the loss asks of a sentence that names nothing, with any frame: a little, and always."""
EMPTY_WEIGHT = 0.2
_FIRST_SCALE = 10.0


class Trainer:
    """The model, and the three ways in which it learns."""

    def __init__(self, recipe: Recipe) -> None:
        import torch
        from open_clip import CLIP

        torch.manual_seed(recipe.seed)
        self._recipe = recipe
        self._rng = random.Random(recipe.seed)
        self.table = TokenTable()
        self.model = CLIP(
            embed_dim=EMBED_DIM,
            vision_cfg=vision_shape(),
            text_cfg=text_shape(TRAINING_CONTEXT_LENGTH, self.table.size),
        ).to(memory_format=torch.channels_last)
        # One direction per word and one for no word, at right angles.
        self._directions = torch.linalg.qr(torch.randn(EMBED_DIM, len(word_names()) + 1))[0].T
        self.log_scale = torch.nn.Parameter(torch.tensor(math.log(_FIRST_SCALE)))
        self._bias = torch.nn.Parameter(torch.tensor(-4.0))

    def sort_sentences(self) -> None:
        """Teaches the text tower one direction per word, and one for sentences without a word."""
        import torch

        n_words = len(word_names())
        towers = self.model.named_parameters()
        optimizer = _optimizer([p for name, p in towers if not name.startswith("visual.")])
        for step in range(self._recipe.text_steps):
            _set_rate(optimizer, 3e-3, step, self._recipe.text_steps)
            texts, vectors = self._some_texts()
            named = torch.from_numpy(texts.named)
            classes = torch.where(named == NO_WORD, n_words, named)
            logits = _FIRST_SCALE * vectors @ self._directions.T
            self._update(optimizer, torch.nn.functional.cross_entropy(logits, classes))

    def name_objects(self, draw: Callable[[], CloseUps]) -> None:
        """Teaches the image tower to send pictures of one object in their word's direction.

        The attention pooling is replaced by the mean over places, which is what it does before it
        has learnt where to look.
        """
        import torch

        pooling = self.model.visual.attnpool
        optimizer = _optimizer(list(self.model.visual.parameters()))
        n_steps = self._recipe.close_up_steps
        self.model.train()
        for step, close_ups in enumerate(_ahead(draw, n_steps)):
            _set_rate(optimizer, 3e-3, step, n_steps)
            with torch.autocast("cpu", torch.bfloat16):
                places = self._places(as_input(close_ups.images))
            pooled = pooling.c_proj(pooling.v_proj(places.float().mean(dim=(2, 3))))
            vectors = torch.nn.functional.normalize(pooled, dim=-1)
            words = torch.from_numpy(close_ups.words)
            classes = torch.where(words == NO_WORD, len(word_names()), words)
            logits = _FIRST_SCALE * vectors @ self._directions.T
            self._update(optimizer, torch.nn.functional.cross_entropy(logits, classes))

    def look_around(self, draw: Callable[[], list[CutScene]]) -> None:
        """Teaches the attention pooling where to look, on feature maps computed once."""
        import torch

        recipe = self._recipe
        self.model.eval()
        maps: list[torch.Tensor] = []
        shown: list[torch.Tensor] = []
        for scenes in _ahead(draw, recipe.pooling_scenes // recipe.scenes_per_step):
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                maps.append(self._places(_images(scenes)))
            shown.append(_shown(scenes))
        all_maps, all_shown = torch.cat(maps), torch.cat(shown)
        pooling = self.model.visual.attnpool
        optimizer = _optimizer([*pooling.parameters(), self.log_scale, self._bias])
        batch = 2 * len(maps[0])
        n_steps = recipe.pooling_passes * (len(all_maps) // batch)
        for step in range(n_steps):
            _set_rate(optimizer, recipe.peak_rate, step, n_steps)
            chosen = torch.randint(len(all_maps), (batch,))
            with torch.no_grad():
                texts, text_vectors = self._some_texts()
            loss = self._pair_loss(
                pooling(all_maps[chosen].float()), all_shown[chosen], texts, text_vectors
            )
            self._update(optimizer, loss)

    def align(self, draw: Callable[[], list[CutScene]]) -> None:
        """Teaches both towers together which cuts show what a sentence names.

        Batch statistics stay as `name_objects` left them: a model that is used with fixed ones
        had better learn with them.
        """
        import torch

        recipe = self._recipe
        optimizer = _optimizer([*self.model.parameters(), self.log_scale, self._bias])
        n_per_epoch = max(1, recipe.scenes_per_epoch // recipe.scenes_per_step)
        n_steps = recipe.epochs * n_per_epoch
        self.model.eval()
        total = 0.0
        for step, scenes in enumerate(_ahead(draw, n_steps)):
            _set_rate(optimizer, recipe.peak_rate / 2, step, n_steps)
            with torch.autocast("cpu", torch.bfloat16):
                features = self.model.encode_image(_images(scenes))
            loss = self._pair_loss(features.float(), _shown(scenes), *self._some_texts())
            self._update(optimizer, loss)
            total += float(loss.detach())
            if (step + 1) % n_per_epoch == 0:
                epoch = (step + 1) // n_per_epoch
                log.info("epoch %d of %d: loss %.3f", epoch, recipe.epochs, total / n_per_epoch)
                total = 0.0

    def _pair_loss(
        self,
        features: torch.Tensor,
        shown: torch.Tensor,
        texts: TextBatch,
        text_vectors: torch.Tensor,
    ) -> torch.Tensor:
        """Sigmoid loss over all pairs of cuts (n, EMBED_DIM) and sentences, per cut."""
        import torch

        named = torch.from_numpy(texts.named)
        is_empty = named == NO_WORD
        targets = shown[:, named.clamp(min=0)].masked_fill(is_empty, EMPTY_TARGET)
        weights = torch.where(is_empty, EMPTY_WEIGHT, 1.0) * ~targets.isnan()
        cosines = torch.nn.functional.normalize(features, dim=-1) @ text_vectors.T
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            self.log_scale.exp() * cosines + self._bias,
            targets.nan_to_num(0.0),
            weight=weights,
            reduction="sum",
        )
        return losses / len(features)

    def _places(self, inputs: torch.Tensor) -> torch.Tensor:
        """The image tower's last feature map (n, features, rows, columns)."""
        visual = self.model.visual
        places: torch.Tensor = visual.stem(inputs)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            places = layer(places)
        return places

    def _some_texts(self) -> tuple[TextBatch, torch.Tensor]:
        """A sentence about every word and some without, and their vectors (n_texts, EMBED_DIM)."""
        texts = sample_texts(1, self._recipe.empty_texts, self._rng)
        share = self._recipe.unknown_token_share
        tokens = self.table.with_unknown(self.table.tokens(texts.sentences), share)
        vectors: torch.Tensor = self.model.encode_text(tokens, normalize=True)
        return texts, vectors

    def _update(self, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        import torch

        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            # The padding and the unknown token must mean nothing.
            self.model.token_embedding.weight[[TokenTable.PADDING, TokenTable.UNKNOWN]] = 0.0


def _images(scenes: list[CutScene]) -> torch.Tensor:
    return as_input(np.concatenate([scene.images for scene in scenes]))


def _shown(scenes: list[CutScene]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.concatenate([scene.shown for scene in scenes]))


def _optimizer(parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """AdamW that lets only matrices decay."""
    import torch

    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.05},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )


def _set_rate(optimizer: torch.optim.Optimizer, peak: float, step: int, n_steps: int) -> None:
    """A short rise, then half a cosine down."""
    rise = min(1.0, (step + 1) / 50)
    fall = 0.5 * (1 + math.cos(math.pi * step / n_steps)) + 0.005
    for group in optimizer.param_groups:
        group["lr"] = peak * rise * fall


def _ahead(draw: Callable[[], T], n_batches: int) -> Iterator[T]:
    """Batches, each drawn in another thread while the one before it is used."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(draw)
        for index in range(n_batches):
            batch = coming.result()
            if index + 1 < n_batches:
                coming = pool.submit(draw)
            yield batch
