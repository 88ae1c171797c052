"""Train the demo's speech model on synthetic speech of the toy world.

    python -m pipeline.demo.train_whisper --out FOLDER [--sentences N] [--steps N] [--seed S]

espeak-ng must be installed: it says the sentences. Each is coded as the speech bank is, mixed with
others over the tone of a room and coded again as the demo's recordings are; nothing of the demo
study itself is among them. A small network of Whisper's kind then learns from windows cut as the
transcriber cuts them: what is said, when, and that there is nothing to write where nobody speaks.
Because the synthesiser tells when each speech sound begins, the encoder is also asked place by
place for the sound and the word it hears, and two heads of each decoder layer are taught to look
where the next word is. Both make it learn in an hour what would take a day.

FOLDER receives what faster-whisper loads, and a model card with measurements on new sentences and
on the sound of the demo study.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path

from pipeline.demo.whisper_card import Recipe, measured, write_card, write_recipe
from pipeline.demo.whisper_texts import WINDOW_S, SpeechTokens, training_script
from pipeline.demo.whisper_tracks import N_MELS, HeardTrack, training_tracks

log = logging.getLogger(__name__)


def train(recipe: Recipe, folder: Path, workers: int) -> None:
    """Train by the recipe and write the model's folder, without its card."""
    import torch

    from pipeline.demo.whisper_net import Shape, SpeechNet, write_weights
    from pipeline.demo.whisper_trainer import Trainer, aligning_heads
    from pipeline.demo.whisper_windows import WindowSampler

    start = time.perf_counter()
    tracks = _tracks(recipe, workers)
    log.info("%d tracks after %.0f s", len(tracks), time.perf_counter() - start)
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(workers)
    tokens = SpeechTokens()
    sampler = WindowSampler(tracks, tokens, recipe.seed)
    net = SpeechNet(Shape(), tokens.size)
    Trainer(net, sampler, recipe.schedule).train()
    log.info("trained after %.0f s", time.perf_counter() - start)
    write_weights(
        net,
        folder,
        tokens.names,
        space=tokens.space,
        end=tokens.end,
        alignment_heads=aligning_heads(net),
    )
    tokens.write(folder)
    write_settings(folder)
    for path in folder.iterdir():
        path.chmod(0o644)


def write_settings(folder: Path) -> None:
    """Write how the model's input is made of sound; `chunk_length` is a window's length in s."""
    settings = {
        "chunk_length": WINDOW_S,
        "feature_size": N_MELS,
        "hop_length": 160,
        "n_fft": 400,
        "sampling_rate": 16_000,
    }
    text = json.dumps(settings, indent=2) + "\n"
    (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")


def _tracks(recipe: Recipe, workers: int) -> list[HeardTrack]:
    script = training_script(recipe.n_sentences, recipe.seed)
    return list(training_tracks(script, recipe.seed, recipe.n_layouts, workers))


def main() -> None:
    standard = Recipe()
    parser = argparse.ArgumentParser(description="Train the demo's speech model.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--sentences", type=int, default=standard.n_sentences)
    parser.add_argument("--short-steps", type=int, default=standard.schedule.short_steps)
    parser.add_argument("--long-steps", type=int, default=standard.schedule.long_steps)
    parser.add_argument("--seed", type=int, default=standard.seed)
    parser.add_argument("--workers", type=int, default=2, help="processes, then threads")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = Recipe(
        n_sentences=options.sentences,
        seed=options.seed,
        schedule=standard.schedule.with_steps(options.short_steps, options.long_steps),
    )
    start = time.perf_counter()
    train(recipe, options.out, options.workers)
    minutes = (time.perf_counter() - start) / 60
    write_recipe(options.out, recipe, minutes)
    write_card(options.out, measured(options.out))


if __name__ == "__main__":
    main()
