"""Train the demo's sound model on made-up sounds of the toy world.

    python -m pipeline.demo.train_sound --out FOLDER [--steps N] [--seed S]

The package transformers must be installed. Pauses with the sounds of objects and rooms are made by
the recipes that the demo study uses, from other draws, coded as its recordings are, and joined to
stretches as the pipeline does when it cuts speech out. A small CLAP learns to tell, place
by place in time, what sounds.

FOLDER receives what transformers' ClapModel loads (config.json, preprocessor_config.json,
model.safetensors) and a model card with measurements on new sounds.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

from pipeline.demo.sound_card import measured, write_card, write_recipe
from pipeline.demo.sound_trainer import Recipe, StretchSampler, new_clap, new_pieces, teach

log = logging.getLogger(__name__)

_SAY_EVERY = 100


def train(recipe: Recipe, folder: Path) -> None:
    """Train by the recipe and write the model's folder, without its card."""
    import torch
    from transformers.utils.logging import disable_progress_bar

    # Sums in another order give other weights: one thread makes the result repeatable.
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    start = time.process_time()
    clap, extract = new_clap()
    pieces = new_pieces(recipe.n_pieces, recipe.seed)
    log.info("%d pauses after %.0f s of CPU time", recipe.n_pieces, time.process_time() - start)
    recent: list[float] = []

    def told(step: int, loss: float) -> None:
        recent.append(loss)
        if step % _SAY_EVERY == 0:
            mean = sum(recent) / len(recent)
            log.info("step %d, loss %.3f, %.0f s", step, mean, time.process_time() - start)
            recent.clear()

    drawn = StretchSampler(pieces, recipe.seed).draw_labelled(recipe.n_stretches)
    teach(clap, extract, drawn, recipe, told)
    disable_progress_bar()
    clap.half().save_pretrained(folder)
    extract.save_pretrained(folder)
    write_recipe(folder, recipe, (time.process_time() - start) / 60)
    for path in folder.iterdir():
        path.chmod(0o644)


def main() -> None:
    standard = Recipe()
    parser = argparse.ArgumentParser(description="Train the demo's sound model.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--steps", type=int, default=standard.n_steps)
    parser.add_argument("--pieces", type=int, default=standard.n_pieces, help="pauses to make")
    parser.add_argument("--seed", type=int, default=standard.seed)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = Recipe(seed=options.seed, n_pieces=options.pieces, n_steps=options.steps)
    train(recipe, options.out)
    write_card(options.out, measured(options.out))


if __name__ == "__main__":
    main()
