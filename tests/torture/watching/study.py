"""A study to watch: a copy of the demo study, or a made-up one with films."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from dashboard.navigation import MomentKey
from pipeline.store.locate import current_store_path
from tests.factories import write_synthetic_study
from tests.media.recordings import record

_FILM_S = 12


CACHE_MB = 100.0
"""The least that a study may choose; it is full of old clips from the start."""


def study_to_watch(folder: Path, demo: Path | None) -> Path:
    """A study in `folder` whose clips may take CACHE_MB on the disk, and do."""
    if demo is not None:
        shutil.copytree(demo, folder)
        shutil.rmtree(folder / "derived" / "clips", ignore_errors=True)
    else:
        _make(folder)
    settings = folder / "study.toml"
    kept = settings.read_text(encoding="utf-8") if settings.is_file() else ""
    settings.write_text(f"{kept}\n[clips]\ncache_gb = {CACHE_MB / 1000}\n", encoding="utf-8")
    clips = folder / "derived" / "clips"
    clips.mkdir()
    for number in range(int(CACHE_MB)):
        old = clips / f"{number:032x}.mp4"
        with old.open("wb") as file:
            file.truncate(1_000_000)
        os.utime(old, (1_000_000_000 + number, 1_000_000_000 + number))
    return folder


def moments_to_watch(study: Path) -> Sequence[MomentKey]:
    """Every moment with a clip."""
    store = current_store_path(study)
    assert store is not None
    with duckdb.connect(str(store), read_only=True) as con:
        rows = con.execute(
            "SELECT recording_id, utterance_id FROM utterances JOIN recordings "
            "USING (recording_id) WHERE permission <> 'scores_only' AND media_path IS NOT NULL "
            "ORDER BY ALL"
        ).fetchall()
    return [MomentKey(str(recording), str(utterance)) for recording, utterance in rows]


def _make(folder: Path) -> None:
    store = write_synthetic_study(folder, n_children=2, n_recordings=3, n_utterances=24)
    with duckdb.connect(str(store)) as con:
        con.execute(
            "UPDATE utterances SET onset_ms = 500 + onset_ms % 9000, offset_ms = 1500 + "
            "onset_ms % 9000"
        )
    raw = folder / "recordings" / "raw"
    raw.mkdir(parents=True)
    first = record(raw / "rec01.mp4", seconds=_FILM_S)
    for name in ("rec02", "rec03"):
        shutil.copyfile(first, raw / f"{name}.mp4")
