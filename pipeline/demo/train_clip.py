"""Train the demo CLIP model on frames and sentences of the toy world.

    python -m pipeline.demo.train_clip --out FOLDER [--epochs N] [--scenes N] [--seed S]

Four steps, because the last alone learns slowly at first. The text tower learns to send each
word's sentences in one direction. The image tower learns to send small pictures of one object in
their word's direction. Its attention pooling learns where in a scene to look. Then everything
learns together: every epoch draws new scenes, each scene is cut in the ways the pipeline cuts
frames, and every cut is compared with a sentence about every word. That loss is a sigmoid loss
over all pairs; a pair matches only if the named object is inside that very cut.

FOLDER receives what `open_clip.create_model_and_transforms("local-dir:FOLDER")` loads, the
threshold for high alignment and a model card with measurements on new scenes.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

from pipeline.demo.clip_card import Recipe, measured, write_card
from pipeline.demo.clip_trainer import Trainer
from pipeline.demo.demo_clip import IMAGE_SIZE_PX, FolderModel, write_model
from pipeline.demo.scenes import TRAINING_DESIGNS
from pipeline.demo.training_scenes import SceneSampler, SceneStyle

log = logging.getLogger(__name__)

CLOSE_UP_PX = 48


def train(recipe: Recipe, folder: Path) -> None:
    """Trains by the recipe and writes the model's folder, with its card."""
    import cv2
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    # One thread computes while another draws: two cores, and nothing waits for a third.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    start = time.process_time()
    sampler = SceneSampler(
        SceneStyle(TRAINING_DESIGNS), IMAGE_SIZE_PX, recipe.seed, recipe.n_backdrops
    )
    trainer = Trainer(recipe)
    # The fused attention kernels are slow backwards in bfloat16 on a CPU.
    with sdpa_kernel(SDPBackend.MATH):
        trainer.sort_sentences()
        log.info("sentences sorted after %.0f s of CPU time", time.process_time() - start)
        trainer.name_objects(lambda: sampler.close_ups(recipe.close_ups_per_step, CLOSE_UP_PX))
        log.info("objects named after %.0f s of CPU time", time.process_time() - start)
        trainer.look_around(lambda: sampler.scenes(recipe.scenes_per_step))
        log.info("pooling learnt after %.0f s of CPU time", time.process_time() - start)
        trainer.align(lambda: sampler.scenes(recipe.scenes_per_step))
    cpu_minutes = (time.process_time() - start) / 60
    log.info("trained in %.1f minutes of CPU time", cpu_minutes)
    with torch.no_grad():
        trainer.model.logit_scale.copy_(trainer.log_scale)
    write_model(trainer.model, trainer.table, folder)
    write_card(folder, recipe, measured(FolderModel(folder)), cpu_minutes)


def main() -> None:
    standard = Recipe()
    parser = argparse.ArgumentParser(description="Train the demo CLIP model.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--epochs", type=int, default=standard.epochs)
    parser.add_argument(
        "--scenes", type=int, default=standard.scenes_per_epoch, help="new scenes per epoch"
    )
    parser.add_argument("--seed", type=int, default=standard.seed)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = Recipe(epochs=options.epochs, scenes_per_epoch=options.scenes, seed=options.seed)
    train(recipe, options.out)


if __name__ == "__main__":
    main()
