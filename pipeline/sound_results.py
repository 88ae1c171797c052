"""What the commands `sound ...` leave in a study: recall tables and scores of utterances.

They lie under `derived/sound`: `heads/<system>-seed<N>-<inputs>/recall.json` and
`scores/<system>-seed<N>-<inputs>/scores.parquet` with `scores.json`, which is written last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import StoreError

RECALL_FILE = "recall.json"
SCORES_FILE, SCORES_ABOUT_FILE = "scores.parquet", "scores.json"
AVCAPS_PREFIX = "avcaps-"
"""How the file names of captions begin that were imported from AVCaps."""

_META = b"coview"


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One line of the table: `gallery` is what is searched, `query` what it is searched by.

    `n` counts clips whose queries tell something, `n_left_out` queries with at most ten
    candidates. `text` says what the system learnt from where a study has no captions.
    """

    system: str
    gallery: str
    query: str
    scope: str
    recall_at_10: float
    lower: float
    upper: float
    chance: float
    n: int
    n_left_out: int
    seed: int
    text: str = ""


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
    scores = [path for path in _score_folders(derived)[-1:] for path in sorted(path.glob("s*"))]
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
            content = json.loads(newest[key].read_text(encoding="utf-8"))
            rows += [RecallRow(**row) for row in content]
        except (OSError, ValueError, TypeError) as problem:
            raise StoreError(
                f"The recall table of {newest[key].parent.name} is damaged.",
                hint="Delete that folder under derived/sound/heads and train again.",
            ) from problem
    return rows


def newest_scores(derived: Path) -> SoundScores | None:
    """The scores that were finished last, None without any; StoreError when damaged."""
    folders = _score_folders(derived)
    if not folders:
        return None
    folder = folders[-1]
    try:
        about = json.loads((folder / SCORES_ABOUT_FILE).read_text(encoding="utf-8"))
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
            hint="Delete that folder under derived/sound/scores and score again.",
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
        settings = json.loads((pq.read_schema(path).metadata or {})[_META])["settings"]
        sound = settings["sound_model"]
        return SoundModels(
            str(sound["name"]),
            str(sound["revision"]),
            str(settings["image_model"]["scorer"]),
            bool(settings["keep_speech"]),
        )
    return SoundModels("", "", "", None)
