"""A synthetic study with a finished store, for tests of whatever reads a store.

The numbers hang together: embeddings give the cosines, cosines give the scores, and the matched
null is drawn from other recordings of the same child. No video lies under recordings/raw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema
from tests.store_tables import create_tables, finish_store, number_utterances
from tests.synthetic_facts import Incoming, fill_facts, write_metadata
from tests.synthetic_world import (
    DIM,
    N_SUB_CROPS,
    Floats,
    Ints,
    Plan,
    SyntheticRecording,
    cosines,
    embed,
    synthetic_recordings,
)


def write_synthetic_study(
    root: Path,
    *,
    n_children: int = 4,
    n_recordings: int = 8,
    n_utterances: int = 400,
    seed: int = 1,
    with_speakers: bool = True,
    with_ages: bool = True,
    with_contexts: bool = True,
    with_null: bool = True,
    threshold: float | None = 0.24,
    scorers: Sequence[str] = ("synthetic",),
    with_sound: bool = False,
    build: str = "synthetic",
) -> Path:
    """Write a study folder with metadata, study.toml and a store; return the store's path.

    The store is derived/stores/store-<build>.duckdb and derived/stores/current names it. Child
    k+1 hears better aligned speech than child k. Recording 3 may not be played (scores_only).
    """
    plan = Plan(seed, with_speakers, with_ages, with_contexts, with_null, threshold, tuple(scorers))
    rng = np.random.default_rng(seed)
    recordings = synthetic_recordings(rng, plan, n_children, n_recordings, n_utterances)
    write_metadata(root, recordings, n_children, plan)
    stores = root / "derived" / "stores"
    stores.mkdir(parents=True, exist_ok=True)
    store = stores / f"store-{build}.duckdb"
    store.unlink(missing_ok=True)
    with duckdb.connect(str(store)) as con:
        create_tables(con)
        fill_facts(con, recordings, n_children, plan, build)
        for number, scorer in enumerate(plan.scorers):
            scorer_rng, rows = np.random.default_rng((seed, number)), Incoming()
            for recording in recordings:
                embed(scorer_rng, recording, n_children)
            for recording in recordings:
                add_scores(rows, scorer_rng, recording, recordings, scorer, plan)
            rows.insert(con)
        if with_sound:
            from tests.sound.planted import add_sound

            number_utterances(con)
            add_sound(con, root)
        finish_store(con)
    (stores / "current").write_text(store.name, encoding="utf-8")
    return store


def add_scores(
    to: Incoming,
    rng: np.random.Generator,
    recording: SyntheticRecording,
    recordings: Sequence[SyntheticRecording],
    scorer: str,
    plan: Plan,
) -> None:
    n = len(recording.utterance_ids)
    others = [r for r in recordings if r.child == recording.child and r is not recording]
    first = np.searchsorted(recording.frame_ms, recording.onset_ms - schema.MAX_LAG_MS)
    last = np.searchsorted(recording.frame_ms, recording.offset_ms + schema.MAX_LAG_MS)
    rows = np.repeat(np.arange(n), last - first)
    frames = np.concatenate(
        [np.arange(a, b) for a, b in zip(first, last, strict=True)] or [np.empty(0, np.int64)]
    ).astype(np.int64)
    times = recording.frame_ms[frames]
    lags = np.minimum(times - recording.onset_ms[rows], 0) + np.maximum(
        times - (recording.offset_ms[rows] - 1), 0
    )
    ids = np.array(recording.utterance_ids, dtype=object)
    lag_columns: dict[str, object] = {
        "recording_id": [recording.recording_id] * len(rows),
        "utterance_id": ids[rows].tolist(),
        "scorer": [scorer] * len(rows),
        "time_ms": times,
        "lag_ms": lags,
    }
    wide: dict[str, object] = {
        "recording_id": [recording.recording_id] * n,
        "utterance_id": recording.utterance_ids,
        "scorer": [scorer] * n,
    }
    reasons: list[str | None] = [None] * n
    lengths = [len(other.frame_ms) for other in others or [recording]]
    starts = cache(lambda n_frames: _starts(lengths, n_frames))
    for crop in schema.CROPS:
        own = cosines(recording, recording, crop)
        lag_columns[crop] = own[rows, frames].astype(np.float32)
        elsewhere = np.hstack([cosines(recording, other, crop) for other in others or [recording]])
        for window, margin in schema.WINDOWS.items():
            start = np.searchsorted(recording.frame_ms, recording.onset_ms - margin)
            stop = np.searchsorted(recording.frame_ms, recording.offset_ms + margin)
            statistics = np.full((n, len(schema.SCORE_STATISTICS)), np.nan)
            for i in range(n):
                if stop[i] > start[i]:
                    real = own[i, start[i] : stop[i]]
                    begin = starts(len(real)) if plan.with_null else np.zeros(0, np.int64)
                    statistics[i] = _statistics(rng, real, elsewhere[i], begin)
                elif window == "strict":
                    reasons[i] = "no_frame_in_window"
                if window == "strict" and not plan.with_null:
                    reasons[i] = reasons[i] or "no_null"
            wide[f"n_frames_{window}"] = (stop - start).astype(np.int16)
            for column, name in enumerate(s.name for s in schema.SCORE_STATISTICS):
                values = statistics[:, column].astype(np.float32)
                wide[schema.wide_column(crop, window, name)] = pa.array(
                    values, mask=np.isnan(values)
                )
    wide["missing_reason"] = pa.array(reasons, type=pa.string())
    to.add("raw_lags", lag_columns)
    to.add("raw_scores", wide)
    _add_embeddings(to, recording, scorer)


def _starts(lengths: Sequence[int], n: int) -> Ints:
    """Where a window of n values begins in rows of these lengths, one behind the other."""
    ends = np.cumsum(lengths)
    return np.concatenate(
        [
            np.arange(end - length, end - n + 1)
            for end, length in zip(ends.tolist(), lengths, strict=True)
        ]
    )


def _statistics(rng: np.random.Generator, real: Floats, elsewhere: Floats, starts: Ints) -> Floats:
    """One utterance's statistics in the order of schema.SCORE_STATISTICS: of its frames' cosines,
    and of windows as long of those elsewhere, which begin at `starts`."""
    top, mean, low = real.max(), real.mean(), real.min()
    if not len(starts):
        return np.array([top, mean, low, *[np.nan] * 5])
    draws = schema.NULL_DRAWS
    first = starts[rng.integers(0, len(starts), draws)]
    drawn = elsewhere[first[:, None] + np.arange(len(real))]
    tops, means = drawn.max(axis=1), drawn.mean(axis=1)
    return np.array(
        [
            top,
            mean,
            low,
            tops.mean(),
            tops.std(),
            (top - tops.mean()) / tops.std(),
            (1 + (tops >= top).sum()) / (draws + 1),
            (mean - means.mean()) / means.std(),
        ]
    )


def _add_embeddings(to: Incoming, recording: SyntheticRecording, scorer: str) -> None:
    n_frames = len(recording.frame_ms)
    for crop, n_sub in N_SUB_CROPS.items():
        vectors = recording.image[crop].reshape(-1, DIM).astype(np.float32)
        to.add(
            "frame_embeddings",
            {
                "recording_id": [recording.recording_id] * len(vectors),
                "time_ms": np.repeat(recording.frame_ms, n_sub),
                "scorer": [scorer] * len(vectors),
                "crop": [crop] * len(vectors),
                "crop_index": np.tile(np.arange(n_sub), n_frames),
                "embedding": _lists(vectors),
            },
        )
    to.add(
        "utterance_embeddings",
        {
            "recording_id": [recording.recording_id] * len(recording.utterance_ids),
            "utterance_id": recording.utterance_ids,
            "scorer": [scorer] * len(recording.utterance_ids),
            "embedding": _lists(recording.text.astype(np.float32)),
        },
    )


def _lists(vectors: NDArray[np.float32]) -> pa.ListArray:
    offsets = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))
