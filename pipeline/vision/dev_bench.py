"""Known values: the looking-while-listening items of dev-bench, scored with a model.

dev-bench (github.com/alvinwmtan/dev-bench) pairs a word with the picture of it and another
picture. Its list assets/lex-lwl/manifest.csv has the columns text1, image1 (target) and image2
(foil); the word goes to the model as it is, without a prompt.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import MediaError, ModelError
from pipeline.records import Crop, ModelRef
from pipeline.vision.crops import model_inputs
from pipeline.vision.frame_folder import read_picture
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.model_files import PAPER_MODEL

_MANIFEST = Path("assets") / "lex-lwl" / "manifest.csv"
_COLUMNS = ("text1", "image1", "image2")


@dataclass(frozen=True, slots=True)
class DevBenchResult:
    """n pairs, those whose target has the higher cosine, and mean cosines.

    first_target and first_foil are 100 x cosine of the first pair, as dev-bench writes them.
    """

    n_pairs: int
    n_correct: int
    mean_target: float
    mean_foil: float
    first_target: float
    first_foil: float


PAPER_MODEL_RESULT = DevBenchResult(76, 75, 0.2780, 0.2014, 30.5236, 23.9230)
"""What the published ViT-B/32 of OpenAI gives in fp32."""

COSINE_TOLERANCE = 0.002
"""Other resizing and number formats move single cosines by less than this."""


def known_result(ref: ModelRef) -> DevBenchResult | None:
    """The known result of a model, None when there is none."""
    return PAPER_MODEL_RESULT if (ref.name, ref.weights) == PAPER_MODEL else None


def agrees(result: DevBenchResult, known: DevBenchResult) -> bool:
    """Whether a result equals the known one up to resizing and number format."""
    return (
        result.n_pairs == known.n_pairs
        and abs(result.n_correct - known.n_correct) <= 1
        and abs(result.mean_target - known.mean_target) < COSINE_TOLERANCE
        and abs(result.mean_foil - known.mean_foil) < COSINE_TOLERANCE
        and abs(result.first_target - known.first_target) < 100 * COSINE_TOLERANCE
        and abs(result.first_foil - known.first_foil) < 100 * COSINE_TOLERANCE
    )


def score_dev_bench(folder: Path, model: ImageTextModel) -> DevBenchResult:
    """Score the looking-while-listening items of a dev-bench checkout.

    Raises ModelError when the folder has no such list, MediaError when a picture is missing.
    """
    manifest = folder / _MANIFEST
    if not manifest.is_file():
        raise ModelError(
            f"{folder.name} has no {_MANIFEST.as_posix()}.",
            hint="Give the folder of a checkout of the dev-bench repository.",
        )
    with manifest.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not set(_COLUMNS) <= set(reader.fieldnames or ()):
            raise ModelError(
                f"{_MANIFEST.as_posix()} lacks a column of {', '.join(_COLUMNS)}.",
                hint="Check out dev-bench again.",
            )
        rows = [tuple(row[column] or "" for column in _COLUMNS) for row in reader]
    if not rows:
        raise ModelError(f"{_MANIFEST.as_posix()} lists no items.", hint="Check it out again.")
    names = list(dict.fromkeys(name for row in rows for name in row[1:]))
    size_px = model.ref.image_size_px
    inputs = [_input(manifest.parent / name, size_px) for name in names]
    row_of_image = {name: row for row, name in enumerate(names)}
    images = model.embed_images(inputs)
    texts = model.embed_texts([row[0] for row in rows])
    target = np.sum(texts * images[[row_of_image[row[1]] for row in rows]], axis=1)
    foil = np.sum(texts * images[[row_of_image[row[2]] for row in rows]], axis=1)
    return DevBenchResult(
        n_pairs=len(rows),
        n_correct=int(np.sum(target > foil)),
        mean_target=float(target.mean()),
        mean_foil=float(foil.mean()),
        first_target=100 * float(target[0]),
        first_foil=100 * float(foil[0]),
    )


def _input(path: Path, size_px: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        picture = read_picture(path)
    except (OSError, ValueError, SyntaxError) as problem:
        raise MediaError(
            f"The picture {path.parent.name}/{path.name} of dev-bench cannot be read.",
            hint="Check out dev-bench again, with its assets.",
        ) from problem
    return model_inputs(picture, (Crop.CENTER,), size_px)[Crop.CENTER][0]
