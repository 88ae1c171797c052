"""Sound for the demo study: all systems trained on it, and every utterance scored by one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.sound.captions import captions_folder
from pipeline.sound.encoder import DEMO_ENCODER, ClapEncoder, demo_folder
from pipeline.sound.prepared import StudyShards, prepare
from pipeline.sound.study_clips import fitted_system
from pipeline.sound.systems import SYSTEMS, System, find_system
from pipeline.sound.train_study import LearningChoice, train_on_study
from pipeline.sound.utterance_scores import ScoringJob, score_utterances
from pipeline.store.shards import write_atomically
from pipeline.study import Study
from pipeline.vision.open_clip_model import OpenClipModel

SCORING_SYSTEM = "slava-av3"

_VERSION = 1
_HEARING_SHARE, _TRAINING_SHARE = 0.6, 0.25

OnStep = Callable[[str, float | None], None]
"""Told what is being done and how far all of it is, 0 to 1."""


def add_sound(
    study: Study,
    shards: StudyShards,
    on_step: OnStep | None = None,
    systems: Sequence[System] = SYSTEMS,
) -> bool:
    """Train and test the systems on the demo and score its utterances, on the CPU.

    False when it was done before from the same transcripts, captions and sound model: then
    nothing is loaded. A stopped call goes on where it was. Raises ModelError without the package
    transformers or the model's files, StudyError when the study was not run before.
    """
    marker = study.derived / "sound" / "demo.txt"
    digest = _digest(study, shards)
    if marker.is_file() and marker.read_text(encoding="utf-8").strip() == digest:
        return False

    def step(what: str, share: float) -> None:
        if on_step is not None:
            on_step(what, share)

    step("loading models", 0.0)
    choice = LearningChoice()
    ready = prepare(
        study,
        shards,
        ClapEncoder(DEMO_ENCODER, study.root),
        OpenClipModel(study.settings.model, study.root, "cpu"),
        choice.text,
        keep_speech=False,
        on_recording=lambda done, total: step(
            f"{done} of {total} recordings heard", _HEARING_SHARE * done / total
        ),
    )

    def trained(system: System, done: int, total: int) -> None:
        place = systems.index(system) + done / total
        step(f"training {system.name}", _HEARING_SHARE + _TRAINING_SHARE * place / len(systems))

    train_on_study(systems, ready, choice, study.derived, trained)
    start = _HEARING_SHARE + _TRAINING_SHARE
    system, said = fitted_system(find_system(SCORING_SYSTEM), ready.learn)
    score_utterances(
        ScoringJob(system, choice.seed, choice.inputs(ready, said), ready.learn, ready.utterances),
        ready.features,
        study.derived,
        lambda done, total: step("scoring utterances", start + (1 - start) * done / total),
    )
    if not ready.failures:
        write_atomically(marker, lambda path: _write(path, digest))
    return True


def _write(path: Path, text: str) -> None:
    path.write_text(f"{text}\n", encoding="utf-8")


def _digest(study: Study, shards: StudyShards) -> str:
    """Stands for all that the result depends on, but for the code."""
    digest = hashlib.sha256(f"{_VERSION};{study.settings.model}".encode())
    for of_stage in (shards.speech, shards.text):
        for recording_id, path in sorted(of_stage.items()):
            digest.update(f"{recording_id}:{path.parent.name}/{path.name};".encode())
    files = [*captions_folder(study.root).glob("*.csv"), *demo_folder().glob("*.safetensors")]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
