"""Train the demo CLIP model on frames and sentences of the toy world.

    python -m pipeline.demo.train_clip --out FOLDER [--epochs N] [--scenes N] [--seed S]

Three steps, because the last alone learns slowly at first. The text tower learns to send each
word's sentences in one direction. The image tower learns to name single objects in small
pictures. Then both learn together: every epoch draws new scenes, each scene is cut in the ways the
pipeline cuts frames, and every cut is compared with a sentence about every word. That loss is a
sigmoid loss over all pairs; a pair matches only if the named object is inside that very cut.

FOLDER receives what `open_clip.create_model_and_transforms("local-dir:FOLDER")` loads, the
threshold for high alignment and a model card with measurements on new scenes.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pipeline.demo.clip_card import Recipe, measured, write_card
from pipeline.demo.demo_clip import (
    EMBED_DIM,
    IMAGE_SIZE_PX,
    TRAINING_CONTEXT_LENGTH,
    FolderModel,
    TokenTable,
    as_input,
    text_shape,
    vision_shape,
    write_model,
)
from pipeline.demo.scenes import TRAINING_DESIGNS
from pipeline.demo.training_scenes import CloseUps, CutScene, SceneSampler, SceneStyle
from pipeline.demo.training_texts import NO_WORD, TextBatch, sample_texts
from pipeline.demo.vocabulary import word_names

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

log = logging.getLogger(__name__)

EMPTY_TARGET = 0.04
"""What the loss asks of a sentence that names nothing, with any frame: a little, and always."""
EMPTY_WEIGHT = 0.2
CLOSE_UP_PX = 48
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
            texts = self._texts()
            named = torch.from_numpy(texts.named)
            classes = torch.where(named == NO_WORD, n_words, named)
            logits = _FIRST_SCALE * self._text_vectors(texts) @ self._directions.T
            self._update(optimizer, torch.nn.functional.cross_entropy(logits, classes))

    def name_objects(self, draw: Callable[[], CloseUps]) -> None:
        """Teaches the image tower to send pictures of one object in their word's direction.

        The attention pooling is replaced by the mean over places, which is what it does before it
        has learnt where to look.
        """
        import torch

        visual = self.model.visual
        optimizer = _optimizer(list(visual.parameters()))
        n_steps = self._recipe.close_up_steps
        self.model.train()
        for step, close_ups in enumerate(_ahead(draw, n_steps)):
            _set_rate(optimizer, 3e-3, step, n_steps)
            with torch.autocast("cpu", torch.bfloat16):
                places = visual.stem(as_input(close_ups.images))
                for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
                    places = layer(places)
            pooled = visual.attnpool.v_proj(places.float().mean(dim=(2, 3)))
            vectors = torch.nn.functional.normalize(visual.attnpool.c_proj(pooled), dim=-1)
            words = torch.from_numpy(close_ups.words)
            classes = torch.where(words == NO_WORD, len(word_names()), words)
            logits = _FIRST_SCALE * vectors @ self._directions.T
            self._update(optimizer, torch.nn.functional.cross_entropy(logits, classes))

    def align(self, draw: Callable[[], list[CutScene]]) -> None:
        """Teaches both towers which cuts show what a sentence names."""
        optimizer = _optimizer([*self.model.parameters(), self.log_scale, self._bias])
        recipe = self._recipe
        n_per_epoch = max(1, recipe.scenes_per_epoch // recipe.scenes_per_step)
        n_steps = recipe.epochs * n_per_epoch
        self.model.train()
        total = 0.0
        for step, scenes in enumerate(_ahead(draw, n_steps)):
            _set_rate(optimizer, recipe.peak_rate, step, n_steps)
            loss = self._pair_loss(scenes)
            self._update(optimizer, loss)
            total += float(loss.detach())
            if (step + 1) % n_per_epoch == 0:
                epoch = (step + 1) // n_per_epoch
                log.info("epoch %d of %d: loss %.3f", epoch, recipe.epochs, total / n_per_epoch)
                total = 0.0

    def _pair_loss(self, scenes: list[CutScene]) -> torch.Tensor:
        """Sigmoid loss over all pairs of cuts and sentences, per cut."""
        import torch

        images = np.concatenate([scene.images for scene in scenes])
        shown = torch.from_numpy(np.concatenate([scene.shown for scene in scenes]))
        texts = self._texts()
        named = torch.from_numpy(texts.named)
        is_empty = named == NO_WORD
        targets = shown[:, named.clamp(min=0)].masked_fill(is_empty, EMPTY_TARGET)
        weights = torch.where(is_empty, EMPTY_WEIGHT, 1.0) * ~targets.isnan()
        with torch.autocast("cpu", torch.bfloat16):
            image_vectors = self.model.encode_image(as_input(images))
        image_vectors = torch.nn.functional.normalize(image_vectors.float(), dim=-1)
        logits = self.log_scale.exp() * image_vectors @ self._text_vectors(texts).T + self._bias
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, targets.nan_to_num(0.0), weight=weights, reduction="sum"
        )
        return losses / len(images)

    def _texts(self) -> TextBatch:
        return sample_texts(1, self._recipe.empty_texts, self._rng)

    def _text_vectors(self, texts: TextBatch) -> torch.Tensor:
        share = self._recipe.unknown_token_share
        tokens = self.table.with_unknown(self.table.tokens(texts.sentences), share)
        vectors: torch.Tensor = self.model.encode_text(tokens, normalize=True)
        return vectors

    def _update(self, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        import torch

        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            # The padding and the unknown token must mean nothing.
            self.model.token_embedding.weight[[TokenTable.PADDING, TokenTable.UNKNOWN]] = 0.0


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


def train(recipe: Recipe, folder: Path) -> None:
    """Trains by the recipe and writes the model's folder, with its card."""
    import cv2
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    torch.set_num_threads(recipe.n_threads)
    cv2.setNumThreads(1)
    start = time.monotonic()
    sampler = SceneSampler(
        SceneStyle(TRAINING_DESIGNS), IMAGE_SIZE_PX, recipe.seed, recipe.n_backdrops
    )
    trainer = Trainer(recipe)
    # The fused attention kernels are slow backwards in bfloat16 on a CPU.
    with sdpa_kernel(SDPBackend.MATH):
        trainer.sort_sentences()
        log.info("sentences sorted after %.0f s", time.monotonic() - start)
        trainer.name_objects(lambda: sampler.close_ups(recipe.close_ups_per_step, CLOSE_UP_PX))
        log.info("objects named after %.0f s", time.monotonic() - start)
        trainer.align(lambda: sampler.scenes(recipe.scenes_per_step))
    minutes = (time.monotonic() - start) / 60
    log.info("trained in %.1f minutes", minutes)
    with torch.no_grad():
        trainer.model.logit_scale.copy_(trainer.log_scale)
    write_model(trainer.model, trainer.table, folder)
    write_card(folder, recipe, measured(FolderModel(folder)), minutes)


def main() -> None:
    standard = Recipe()
    parser = argparse.ArgumentParser(description="Train the demo CLIP model.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--epochs", type=int, default=standard.epochs)
    parser.add_argument(
        "--scenes", type=int, default=standard.scenes_per_epoch, help="new scenes per epoch"
    )
    parser.add_argument("--seed", type=int, default=standard.seed)
    parser.add_argument("--threads", type=int, default=standard.n_threads)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = Recipe(
        epochs=options.epochs,
        scenes_per_epoch=options.scenes,
        seed=options.seed,
        n_threads=options.threads,
    )
    train(recipe, options.out)


if __name__ == "__main__":
    main()
