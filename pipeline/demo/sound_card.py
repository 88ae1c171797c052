"""The demo sound model's measurements and its model card.

    python -m pipeline.demo.sound_card FOLDER

measures the model of a folder again, on sounds that training did not draw, and writes its card.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.demo.clip_measures import area_under_curve
from pipeline.demo.sound_trainer import (
    N_PLACES,
    ROOMS,
    SOUND_WORDS,
    Recipe,
    Stretches,
    StretchSampler,
    new_pieces,
)
from pipeline.demo.vocabulary import word_names
from pipeline.records import Float32Array
from pipeline.sound.encoder import ClapEncoder

CARD_FILE = "README.md"
RECIPE_FILE = "recipe.json"
WEIGHTS_FILE = "model.safetensors"
_FIT_SEED, _TEST_SEED = 9001, 9002
_N_PIECES = 600
_N_FIT, _N_TEST = 800, 400
_RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What a linear layer reads from the features, on stretches it was not fitted to.

    auc: by word, chance that a stretch with the word's sound is rated above one without it.
    room_right: part of the stretches whose room is right.
    """

    auc: dict[str, float]
    room_right: float


def measured(folder: Path) -> Measured:
    """Fit a ridge regression on new stretches and test it on others, by the pipeline's encoder."""
    encoder = ClapEncoder(str(folder.resolve()), folder)
    fit, test = (
        StretchSampler(new_pieces(_N_PIECES, seed), seed).draw(n)
        for seed, n in ((_FIT_SEED, _N_FIT), (_TEST_SEED, _N_TEST))
    )
    known, asked = encoder.encode(fit.sounds), encoder.encode(test.sounds)
    scores = _predicted(known, _answers(fit), asked)
    n_words = len(SOUND_WORDS)
    auc = {
        word: area_under_curve(
            scores[test.words[:, number], number], scores[~test.words[:, number], number]
        )
        for number, word in enumerate(SOUND_WORDS)
    }
    right = scores[:, n_words:].argmax(axis=1) == test.rooms
    return Measured(auc, float(right.mean()))


def _answers(stretches: Stretches) -> Float32Array:
    rooms = np.eye(len(ROOMS), dtype=np.float32)[stretches.rooms]
    return np.concatenate([stretches.words.astype(np.float32), rooms], axis=1)


def _predicted(known: Float32Array, answers: Float32Array, asked: Float32Array) -> Float32Array:
    mean, sd = known.mean(axis=0), known.std(axis=0) + 1e-6
    x = np.column_stack([(known - mean) / sd, np.ones(len(known))]).astype(np.float64)
    gram = x.T @ x + _RIDGE * len(x) / 100 * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ answers)
    return np.asarray(
        np.column_stack([(asked - mean) / sd, np.ones(len(asked))]) @ weights, dtype=np.float32
    )


def write_recipe(folder: Path, recipe: Recipe, cpu_minutes: float) -> None:
    """Keep with the weights how they were made, so that the card can be written again."""
    record = {**asdict(recipe), "cpu_minutes": round(cpu_minutes, 1)}
    (folder / RECIPE_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def write_card(folder: Path, result: Measured) -> None:
    """Write the model card from measurements."""
    record = json.loads((folder / RECIPE_FILE).read_text(encoding="utf-8"))
    cpu_minutes = float(record.pop("cpu_minutes"))
    size_mb = (folder / WEIGHTS_FILE).stat().st_size / 1e6
    text = _card(Recipe(**record), result, cpu_minutes, size_mb)
    (folder / CARD_FILE).write_text(text, encoding="utf-8")


def _card(recipe: Recipe, result: Measured, cpu_minutes: float, size_mb: float) -> str:
    auc = result.auc
    worst = sorted(auc, key=lambda word: auc[word])[:5]
    return f"""# demo-clap

A small sound model of CLAP's kind for Coview's demo. It knows the sounds of the toy world, made by
`pipeline/demo/sound_recipes.py`, and nothing else. Use it to try Coview and to test it, never on
real recordings.

- Files: `config.json`, `preprocessor_config.json`, `{WEIGHTS_FILE}` (fp16, {size_mb:.1f} MB);
  `{RECIPE_FILE}` keeps how it was made.
- Loading: `transformers.ClapModel.from_pretrained(FOLDER)`; on the command line
  `--encoder demo-clap`. The published CLAP models are loaded by the same code.
- Audio tower: two transformer layers of width 128 on patches of four frames (40 ms each) and all 64
  mel bands up to 8 kHz. The published models have four stages and small square patches. Sound is
  read at 48 kHz.
- Only the audio tower was trained. The text tower and the projections are as small as the format
  allows and hold chance numbers; Coview does not use those of any CLAP model.

## Data

{recipe.n_pieces:,} pauses of .3 to 2.6 s in one of {len(ROOMS)} rooms. In one of five nothing but
the room is heard, in the others one of {len(SOUND_WORDS)} objects (of the {len(word_names())} that
the toy world shows, the others make no sound). Speech is left at the edge of three in ten, as
transcripts leave it. All are coded with AAC by the code that makes the demo's recordings. Training
joins pauses of one room to stretches of ten seconds. Recipes are the demo study's; pitch, speed and
loudness are drawn anew, from other seeds.

## Recipe

`python -m pipeline.demo.train_sound --out FOLDER --seed {recipe.seed}` repeats it
({cpu_minutes:.0f} minutes of CPU time on one thread when these weights were made):
{recipe.n_steps:,} steps of {recipe.batch_size} of {recipe.n_stretches:,} stretches, by AdamW.
A linear layer on the features of the last layer says for each of {N_PLACES} places in time what
sounds there, and on their mean (the pooled features, which Coview uses) which room it is. It is
thrown away afterwards.

## Measurements

A ridge regression from features to objects and room, fitted to {_N_FIT:,} new stretches, asked
about {_N_TEST:,} others (`python -m pipeline.demo.sound_card FOLDER`). AUC: chance that a stretch
in which an object sounds is rated above one in which it does not (.5 is chance).

| | |
|---|---|
| AUC, mean of {len(auc)} objects | {np.mean(list(auc.values())):.3f} |
| AUC, lowest | {", ".join(f"{word} {auc[word]:.3f}" for word in worst)} |
| room right (chance {1 / len(ROOMS):.2f}) | {result.room_right:.3f} |

## Limits

- Sounds are made of sines and noise; none was recorded, and real ones are unknown to it.
- It tells rooms apart too, so sound and picture of one recording go together for that reason alone:
  look at recall within recordings.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the demo's sound model.")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    write_card(folder, measured(folder))


if __name__ == "__main__":
    main()
