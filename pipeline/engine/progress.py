"""How far a study is, read from what lies on disk; needs no model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.plan import UNPLANNED, Plan
from pipeline.errors import StoreError
from pipeline.records import StageFailure
from pipeline.store.atomic_files import write_atomically, write_text
from pipeline.store.layout import ShardFolder, Stage, file_stem
from pipeline.store.locate import current_store_path
from pipeline.study import Study

_PLAN_NAME = "plan.json"


@dataclass(frozen=True, slots=True)
class StageStatus:
    """Recordings of one stage: finished, failed, and still to do."""

    stage: str
    n_done: int
    n_failed: int
    n_pending: int


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """How far a study is. `is_settings_changed`: study.toml is not what the last run used."""

    name: str
    n_children: int
    n_recordings: int
    stages: tuple[StageStatus, ...]
    failures: tuple[StageFailure, ...]
    notices: tuple[str, ...]
    store: Path | None
    is_settings_changed: bool


def remember_plan(study: Study, plan: Plan) -> None:
    """Keep the fingerprints of a run, so that `status` finds its shards without a model.

    Stages that were not planned keep what is known of them.
    """
    planned = {stage.value: plan.folder(stage).fingerprint for stage in Stage}
    try:
        before = _last_plan(study)
    except StoreError:
        before = {}  # damaged: what this run plans is written anew
    content = {
        **before,
        "settings": study.settings.to_json(),
        **{name: fingerprint for name, fingerprint in planned.items() if fingerprint != UNPLANNED},
    }
    text = json.dumps(content, indent=1)
    write_atomically(study.derived / _PLAN_NAME, lambda partial: write_text(partial, text))


def last_shards(study: Study, stage: Stage) -> dict[str, Path]:
    """Finished shards of the last run's plan by recording; a recording without one is left out."""
    folder = ShardFolder(study.derived, stage, str(_last_plan(study).get(stage.value, "none")))
    newest = folder.newest_shards()
    found = {
        recording.recording_id: newest.get(file_stem(recording.recording_id))
        for recording in study.recordings
    }
    return {recording_id: path for recording_id, path in found.items() if path is not None}


def study_status(study: Study) -> StudyStatus:
    """Count shards and failures of the last run's plan."""
    content = _last_plan(study)
    known = {recording.recording_id for recording in study.recordings}
    stages = []
    failures = list(study.failures)
    for stage in Stage:
        folder = ShardFolder(study.derived, stage, str(content.get(stage.value, "none")))
        failed = [f for f in folder.failures() if f.recording_id in known]
        unfinished = {failure.recording_id for failure in failed}
        finished = folder.newest_shards()
        n_done = sum(file_stem(recording_id) in finished for recording_id in known - unfinished)
        n_pending = len(known) - n_done - len(unfinished)
        stages.append(StageStatus(stage.value, n_done, len(unfinished), n_pending))
        failures.extend(failed)
    return StudyStatus(
        name=study.name,
        n_children=len(study.children),
        n_recordings=len(known),
        stages=tuple(stages),
        failures=tuple(failures),
        notices=tuple(notice.message for notice in study.notices),
        store=current_store_path(study.root),
        is_settings_changed=bool(content) and content["settings"] != study.settings.to_json(),
    )


def _last_plan(study: Study) -> dict[str, str]:
    """What `remember_plan` kept, empty before the first run."""
    try:
        content = json.loads((study.derived / _PLAN_NAME).read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in content.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as problem:
        raise StoreError(
            f"derived/{_PLAN_NAME} is damaged.",
            hint="It is written anew by: python -m pipeline run STUDY",
        ) from problem
