"""Trained heads on disk: `derived/sound/heads/<system>-seed<N>-<inputs>/`.

`run.json` is written last; a folder without it is not finished and is trained anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.sound.heads import Heads
from pipeline.sound.splits import SplitBy
from pipeline.sound.study_clips import TextChoice
from pipeline.sound.systems import Modality, find_system
from pipeline.sound.training import Trained, TrainingSettings
from pipeline.store.layout import digest_of
from pipeline.store.sealed_files import (
    check_sum,
    read_summed_text,
    write_summed,
    write_summed_text,
)

_VERSION = 1
_RUN_FILE, _WEIGHTS_FILE = "run.json", "heads.safetensors"


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What heads were learnt from, beside system and seed.

    `clips` is a digest of the clips and their features; `text` says in words when utterances
    stood in for captions.
    """

    features: str
    clips: str
    text_choice: TextChoice
    text: str
    split_by: SplitBy
    settings: TrainingSettings

    @property
    def fingerprint(self) -> str:
        return digest_of(str(_VERSION), json.dumps(asdict(self), sort_keys=True))[:8]


@dataclass(frozen=True, slots=True)
class KeptRun:
    """Heads that were trained and kept."""

    system: str
    seed: int
    inputs: RunInputs
    heads: Heads
    best_epochs: tuple[int, ...]


def run_folder(derived: Path, system: str, seed: int, inputs: RunInputs) -> Path:
    """Where the heads of one system and seed lie."""
    return derived / "sound" / "heads" / f"{system}-seed{seed}-{inputs.fingerprint}"


def write_run(derived: Path, trained: Trained, inputs: RunInputs) -> Path:
    """Keep trained heads; returns their folder."""
    from safetensors.numpy import save_file

    folder = run_folder(derived, trained.system.name, trained.seed, inputs)
    tensors = {modality.value: weight for modality, weight in trained.heads.weights.items()}
    write_summed(folder / _WEIGHTS_FILE, lambda partial: save_file(tensors, partial))
    content = {
        "system": trained.system.name,
        "seed": trained.seed,
        "tau": trained.heads.tau,
        "inputs": asdict(inputs),
        "best_epochs": [stage.best_epoch for stage in trained.stages],
        "validation_recall": [list(stage.validation_recall) for stage in trained.stages],
    }
    write_summed_text(folder / _RUN_FILE, json.dumps(content, indent=1))
    return folder


def read_run(folder: Path) -> KeptRun | None:
    """The heads in a folder, None when they are not finished; StoreError when damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not (folder / _RUN_FILE).is_file():
        return None
    try:
        content = json.loads(read_summed_text(folder / _RUN_FILE))
        check_sum(folder / _WEIGHTS_FILE)
        tensors = load_file(folder / _WEIGHTS_FILE)
        given = content["inputs"]
        inputs = RunInputs(
            features=given["features"],
            clips=given["clips"],
            text_choice=TextChoice(given["text_choice"]),
            text=given["text"],
            split_by=SplitBy(given["split_by"]),
            settings=TrainingSettings(**given["settings"]),
        )
        return KeptRun(
            find_system(content["system"]).name,
            int(content["seed"]),
            inputs,
            Heads({Modality(name): weight for name, weight in tensors.items()}, content["tau"]),
            tuple(content["best_epochs"]),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as problem:
        raise StoreError(
            f"The trained heads in {folder.name} are damaged.",
            hint="Delete that folder under derived/sound/heads and train again: python -m pipeline "
            "sound train STUDY",
        ) from problem


def kept_runs(derived: Path) -> Iterator[KeptRun]:
    """All finished runs of a study, in order of their folders' names."""
    for folder in sorted((derived / "sound" / "heads").glob("*")):
        if (run := read_run(folder)) is not None:
            yield run
