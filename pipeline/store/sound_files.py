"""Reads what the commands `sound ...` left in a study; see `pipeline.sound_results`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import StoreError
from pipeline.sound_results import (
    AVCAPS_PREFIX,
    RECALL_FILE,
    SCORES_ABOUT_FILE,
    SCORES_FILE,
    RecallRow,
)
from pipeline.store.sealed_files import read_summed_text
from pipeline.store.seals import is_whole

_META = b"coview"


@dataclass(frozen=True, slots=True)
class SoundModels:
    """The models that features were made with; empty names when no features are left."""

    encoder: str
    encoder_revision: str
    image_model: str
    hears_speech: bool | None


@dataclass(frozen=True, slots=True)
class SoundScores:
    """A finished table of scores and what made it. `text` is "" for captions."""

    path: Path
    system: str
    seed: int
    models: SoundModels
    text: str
    split_by: str
    n_folds: int
    n_utterances: int
    left_out: tuple[str, ...]


def sound_files(derived: Path) -> list[Path]:
    """Every file of results that a store is made from, by name."""
    sound = derived / "sound"
    names = (SCORES_ABOUT_FILE, SCORES_FILE)
    scores = [folder / name for folder in _score_folders(derived)[-1:] for name in names]
    return [*sorted((sound / "heads").glob(f"*/{RECALL_FILE}")), *scores]


def recall_rows(derived: Path) -> list[RecallRow]:
    """Rows of every run of a study, by the names of the systems; of runs that differ only in what
    they were made from, the newest.

    Raises StoreError when a file is damaged.
    """
    newest: dict[tuple[str, int], Path] = {}
    for path in (derived / "sound" / "heads").glob(f"*/{RECALL_FILE}"):
        system, _, rest = path.parent.name.rpartition("-seed")
        key = (system, int(rest.partition("-")[0]))
        if key not in newest or newest[key].stat().st_mtime_ns < path.stat().st_mtime_ns:
            newest[key] = path
    rows: list[RecallRow] = []
    for key in sorted(newest):
        try:
            content = json.loads(read_summed_text(newest[key]))
            rows += [RecallRow(**row) for row in content]
        except (OSError, ValueError, TypeError) as problem:
            raise StoreError(
                f"The recall table of {newest[key].parent.name} is damaged.",
                hint="Delete that folder under derived/sound/heads and train again: python -m "
                "pipeline sound train STUDY",
            ) from problem
    return rows


def newest_scores(derived: Path) -> SoundScores | None:
    """The scores that were finished last, None without any; StoreError when damaged."""
    folders = _score_folders(derived)
    if not folders:
        return None
    folder = folders[-1]
    try:
        about = json.loads(read_summed_text(folder / SCORES_ABOUT_FILE))
        if not is_whole(folder / SCORES_FILE):
            raise ValueError(f"{SCORES_FILE} is not what was written")
        pq.read_schema(folder / SCORES_FILE)
        inputs, left_out = about["inputs"], about["left_out"]
        return SoundScores(
            folder / SCORES_FILE,
            str(about["system"]),
            int(about["seed"]),
            _models(derived / "sound" / "features" / str(inputs["features"])),
            str(inputs["text"]),
            str(inputs["split_by"]),
            int(about["n_folds"]),
            int(about["counts"]["n_utterances"]),
            tuple(str(sentence) for sentence in left_out),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as problem:
        raise StoreError(
            f"The scores of sound in {folder.name} are damaged.",
            hint="Delete that folder under derived/sound/scores and score again: python -m "
            "pipeline sound score STUDY",
        ) from problem


def is_avcaps(captions: Sequence[Path]) -> bool:
    """Whether these files of captions are all from AVCaps; false without any."""
    return bool(captions) and all(path.name.startswith(AVCAPS_PREFIX) for path in captions)


def _score_folders(derived: Path) -> list[Path]:
    """Folders of finished scores, the newest last."""
    found = (derived / "sound" / "scores").glob(f"*/{SCORES_ABOUT_FILE}")
    return [path.parent for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]


def _models(features: Path) -> SoundModels:
    for path in sorted(features.glob("*.parquet")):
        if not is_whole(path):
            raise ValueError(f"{path.name} is not what was written")
        settings = json.loads((pq.read_schema(path).metadata or {})[_META])["settings"]
        sound = settings["sound_model"]
        return SoundModels(
            str(sound["name"]),
            str(sound["revision"]),
            str(settings["image_model"]["scorer"]),
            bool(settings["keep_speech"]),
        )
    return SoundModels("", "", "", None)
