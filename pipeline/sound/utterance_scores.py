"""Three scores for every utterance of a study, each by heads that have not learnt from its
recording, under `derived/sound/scores/<system>-seed<N>-<inputs>/`.

Recordings (or children) are parted into folds; heads learn from the other folds and score the one
left out. A fold's file is there only when it is whole; `scores.parquet` and its sidecar
`scores.json` come last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.errors import StoreError
from pipeline.records import Int64Array
from pipeline.sound.clip_set import ClipSet, Kind
from pipeline.sound.features import ClipSource, RecordingFeatures
from pipeline.sound.pair_scores import Pair, PairScores, Quadrant, pair_scores, quadrants
from pipeline.sound.runs import RunInputs
from pipeline.sound.splits import MOST_LEARNT, MOST_TESTED, folds, groups_of, whole_recordings
from pipeline.sound.study_clips import StudyClips
from pipeline.sound.systems import System
from pipeline.sound.threads import one_thread
from pipeline.sound.training import train
from pipeline.sound_results import SCORES_ABOUT_FILE, SCORES_FILE
from pipeline.store.sealed_files import (
    read_sealed_table,
    write_sealed_table,
    write_summed_text,
)

N_FOLDS = 5
_KEY = ("recording_id", "utterance_id")


@dataclass(frozen=True, slots=True)
class ScoringJob:
    """What is scored and how: heads of `system` learn from `learn` and score `scored`, clips
    around utterances of the same recordings.
    """

    system: System
    seed: int
    inputs: RunInputs
    learn: StudyClips
    scored: StudyClips

    def folder(self, derived: Path) -> Path:
        name = f"{self.system.name}-seed{self.seed}-{self.inputs.fingerprint}"
        return derived / "sound" / "scores" / name


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """What a table of scores holds: utterances, those scored, and each quadrant's number."""

    n_utterances: int
    n_scored: int
    quadrants: Mapping[str, int]


def score_utterances(
    job: ScoringJob,
    features: Sequence[RecordingFeatures],
    derived: Path,
    on_fold: Callable[[int, int], None] | None = None,
) -> tuple[Path, ScoreCounts]:
    """Score every utterance; returns the table's path and what it holds.

    Folds that were scored before are kept. Raises StudyError when there are fewer than three
    recordings (or children).
    """
    folder = job.folder(derived)
    by = job.inputs.split_by
    groups = groups_of(job.scored.clips, by)
    parts = folds(job.scored.clips, by, job.seed, N_FOLDS)
    tables = []
    for number, part in enumerate(parts):
        if on_fold is not None:
            on_fold(number, len(parts))
        path = folder / f"fold-{number}.parquet"
        if not path.is_file():
            left_out = np.flatnonzero(np.isin(groups, part))
            scores = _fold_scores(job, part, parts[(number + 1) % len(parts)], left_out)
            _write(path, _table(job.scored, left_out, scores, number))
        tables.append(_read(path))
    if on_fold is not None:
        on_fold(len(parts), len(parts))
    whole = _with_missing(pa.concat_tables(tables), features)
    table_path = folder / SCORES_FILE
    _write(table_path, whole)
    counts = _counted(whole)
    sidecar = {
        "system": job.system.name,
        "seed": job.seed,
        "inputs": asdict(job.inputs),
        "n_folds": len(parts),
        "counts": asdict(counts),
        "left_out": list(job.scored.left_out),
    }

    write_summed_text(folder / SCORES_ABOUT_FILE, json.dumps(sidecar, indent=1))
    return table_path, counts


def _fold_scores(
    job: ScoringJob, part: Int64Array, stop_part: Int64Array, left_out: Int64Array
) -> list[PairScores]:
    """Scores of the left-out clips; the next fold says when to stop."""
    clips = job.learn.clips
    groups = groups_of(clips, job.inputs.split_by)
    is_stop = np.isin(groups, stop_part)
    learn = clips.of(np.flatnonzero(~np.isin(groups, part) & ~is_stop))
    stop = clips.of(np.flatnonzero(is_stop))
    trained = train(
        job.system,
        whole_recordings(learn, MOST_LEARNT, job.seed),
        whole_recordings(stop, MOST_TESTED, job.seed),
        seed=job.seed,
        settings=job.inputs.settings,
    )
    asked: ClipSet = job.scored.clips.of(left_out)
    with one_thread():
        return pair_scores(trained.heads, asked, Kind.UTTERANCE, job.seed)


def _table(
    scored: StudyClips, rows: Int64Array, scores: Sequence[PairScores], fold: int
) -> pa.Table:
    keys = [scored.keys[row] for row in rows.tolist()]
    columns: dict[str, pa.Array] = {
        "recording_id": pa.array([key[0] for key in keys], pa.string()),
        "utterance_id": pa.array([key[1] for key in keys], pa.string()),
        "fold": pa.array([fold] * len(keys), pa.int8()),
    }
    of_pair = {entry.pair: entry for entry in scores}
    missing = np.full(len(keys), np.nan, np.float32)
    for pair in Pair:
        found = of_pair.get(pair)
        for prefix in ("", "others_"):
            null = None if found is None else (found.others if prefix else found.within)
            values = (
                {"null_mean": missing, "null_sd": missing, "z": missing}
                if null is None
                else {"null_mean": null.mean, "null_sd": null.sd, "z": null.z}
            )
            if not prefix:
                values = {"cosine": missing if found is None else found.cosine, **values}
            for name, column in values.items():
                columns[f"{pair.value}_{prefix}{name}"] = pa.array(
                    column, pa.float32(), from_pandas=True
                )
            n_nulls = np.zeros(len(keys), np.int16) if null is None else null.n_nulls
            columns[f"{pair.value}_{prefix}n_nulls"] = pa.array(n_nulls, pa.int16())
    see, hear = (
        missing if pair not in of_pair else of_pair[pair].within.z
        for pair in (Pair.SEE_SAY, Pair.HEAR_SAY)
    )
    columns["quadrant"] = pa.array(
        [None if entry is None else entry.value for entry in quadrants(see, hear)], pa.string()
    )
    return pa.table(columns)


def _with_missing(table: pa.Table, features: Sequence[RecordingFeatures]) -> pa.Table:
    """All utterances, the unscored ones with NULL and a reason, with what is heard around each."""
    place = {
        key: row
        for row, key in enumerate(zip(*(table[name].to_pylist() for name in _KEY), strict=True))
    }
    rows: list[int | None] = []
    heard: list[dict[str, str | int | float | None]] = []
    for recording in features:
        for number, clip in enumerate(recording.clips):
            if clip.source is not ClipSource.UTTERANCE:
                continue
            row = place.get((recording.recording_id, clip.clip_id))
            rows.append(row)
            reason = None
            if row is None:
                is_seen = bool(recording.n_frames[number])
                reason = "too_little_sound" if is_seen else "no_frame"
                if is_seen and np.isfinite(recording.audio[number, 0]):
                    reason = "no_text"
            heard.append(
                {
                    "recording_id": recording.recording_id,
                    "utterance_id": clip.clip_id,
                    "clip_onset_ms": clip.span.onset_ms,
                    "clip_offset_ms": clip.span.offset_ms,
                    "level_db": _number(recording.level_db[number]),
                    "speech_share": _number(recording.speech_share[number]),
                    "heard_ms": int(recording.heard_ms[number]),
                    "n_frames": int(recording.n_frames[number]),
                    "missing_reason": reason,
                }
            )
    around = pa.Table.from_pylist(heard, schema=_AROUND)
    scores = table.drop_columns(list(_KEY)).take(pa.array(rows, pa.int64()))
    for name in scores.column_names:
        around = around.append_column(name, scores[name])
    return around


_AROUND = pa.schema(
    [
        ("recording_id", pa.string()),
        ("utterance_id", pa.string()),
        ("clip_onset_ms", pa.int32()),
        ("clip_offset_ms", pa.int32()),
        ("level_db", pa.float32()),
        ("speech_share", pa.float32()),
        ("heard_ms", pa.int32()),
        ("n_frames", pa.int32()),
        ("missing_reason", pa.string()),
    ]
)


def _number(value: np.float32) -> float | None:
    return float(value) if np.isfinite(value) else None


def _counted(table: pa.Table) -> ScoreCounts:
    found = table["quadrant"].to_pylist()
    return ScoreCounts(
        table.num_rows,
        table.num_rows - table["fold"].null_count,
        {quadrant.value: found.count(quadrant.value) for quadrant in Quadrant},
    )


def _write(path: Path, table: pa.Table) -> None:
    write_sealed_table(path, table)


def _read(path: Path) -> pa.Table:
    try:
        return read_sealed_table(path)
    except (OSError, ValueError) as problem:
        raise StoreError(
            f"The scores {path.parent.name}/{path.name} are damaged.",
            hint="Delete this file under derived/sound/scores and give the command again (python "
            "-m pipeline sound score STUDY); only this fold is done anew.",
        ) from problem
