"""The end of a run: a store of the finished shards, unless the present one holds the same."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pipeline.engine.events import OnEvent, Said
from pipeline.errors import StoreError, StudyError
from pipeline.records import Notice, StageFailure
from pipeline.store.fill import RunRecord, ShardSet
from pipeline.store.locate import current_store_path
from pipeline.store.publish import (
    clean_up,
    delete_build,
    has_published_scores,
    inputs_digest,
    publish,
    published_inputs,
)
from pipeline.store.seals import build_is_whole
from pipeline.store.shards import forget_damaged
from pipeline.study import Study

_REPORTED_PACKAGES = (
    "av",
    "duckdb",
    "faster-whisper",
    "numpy",
    "open_clip_torch",
    "pyarrow",
    "torch",
    "torchvision",
)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a store remembers of its run, and whether publishing is all that was asked for."""

    started_at: datetime
    device: str
    is_publish_alone: bool


def publish_shards(
    study: Study,
    shards: ShardSet,
    failures: tuple[StageFailure, ...],
    notices: tuple[Notice, ...],
    run: RunFacts,
    on_event: OnEvent,
) -> tuple[Path | None, bool]:
    """The current store and whether it is new; None when nothing could be read.

    Raises StudyError when publishing alone would replace a store with scores by one without.
    """
    if not shards.speech and not shards.vision:
        on_event(Said("Nothing could be read, so no store was made"))
        return current_store_path(study.root), False
    damaged: Path | None = None
    inputs = published_inputs(study.root)
    if inputs is None:
        damaged = _damaged_store(study)
    elif inputs == inputs_digest(study, shards, failures, notices):
        store = current_store_path(study.root)
        if store is None or build_is_whole(store):
            on_event(Said("The store is up to date"))
            if store is not None:
                # What a run that was cut off after publishing had still to delete.
                clean_up(study, store, shards)
            return store, False
        on_event(Said("Note: the store was damaged on the disk, so it is built anew"))
        damaged = store
    if run.is_publish_alone and not shards.align and has_published_scores(study.root):
        raise StudyError(
            "Nothing is scored yet under the present settings or version, so the store would "
            "lose its scores.",
            hint="Run every stage instead: python -m pipeline run STUDY",
        )
    on_event(Said("Building the store"))
    forget_damaged(shards.paths())
    _tell_closed(study, on_event)
    record = RunRecord(
        run_id=f"{run.started_at:%Y%m%dT%H%M%S}",
        started_at=run.started_at,
        finished_at=utc_now(),
        coview_version=importlib.metadata.version("coview"),
        settings=study.settings.to_json(),
        versions=json.dumps(_versions(), sort_keys=True),
        device=run.device,
    )
    published = publish(study, shards, failures, notices, record)
    if damaged is not None and damaged != published:
        delete_build(damaged)
    return published, True


def _damaged_store(study: Study) -> Path | None:
    """The current store, where it cannot be read and is not as it was written."""
    try:
        store = current_store_path(study.root)
    except StoreError:
        return None
    return None if store is None or build_is_whole(store) else store


def utc_now() -> datetime:
    """The present second, without a time zone, as the store keeps it."""
    return datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)


def _tell_closed(study: Study, on_event: OnEvent) -> None:
    """Say how many recordings allow numbers only: by default, all of them."""
    n = sum(not recording.permission.may_be_shown for recording in study.recordings)
    if n:
        on_event(
            Said(
                f"Note: words, pictures and sound of {n} of {len(study.recordings)} recording(s) "
                "are not shown, only numbers: their permission is scores_only (the column "
                "permission of metadata/recordings.csv, or default_permission in study.toml)"
            )
        )


def _versions() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in _REPORTED_PACKAGES}
    return {"python": platform.python_version(), **versions}
