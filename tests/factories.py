"""A synthetic study with a finished store, for tests of whatever reads a store.

The numbers hang together: embeddings give the cosines, cosines give the scores, and the matched
null is drawn from other recordings of the same child. No video lies under recordings/raw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THINGS = ("ball", "dog", "cup", "book", "shoe", "car", "spoon", "bear")
CARRIERS = (
    "look at the {}",
    "where is the {} ?",
    "yes that is a {}",
    "can you see the {} over there",
    "oh a {}",
    "give mommy the {} please",
)
ABSTRACT = ("come on", "all right let's go", "what do you think", "hm", "no not now sweetie")
ACTIVITIES = ("play", "meal", "reading")
LOCATIONS = ("living room", "kitchen", "garden")
_N_SUB_CROPS = {"center": 1, "pad": 1, "squash": 1, "multi": 3}
_SHARED = slice(1, 9)
_DIM = 32


@dataclass(frozen=True, slots=True)
class _Plan:
    """The switches of one synthetic study."""

    seed: int
    with_speakers: bool
    with_ages: bool
    with_contexts: bool
    with_null: bool
    threshold: float | None
    scorers: tuple[str, ...]


@dataclass(slots=True)
class _Recording:
    """One recording while it is being made up."""

    recording_id: str
    child: int
    duration_ms: int
    age_days: int | None
    day: date
    onset_ms: Ints
    offset_ms: Ints
    thing: Ints
    texts: list[str]
    speakers: list[str]
    frame_ms: Ints
    utterance_ids: list[str] = field(default_factory=list)
    image: dict[str, Floats] = field(default_factory=dict)
    text: Floats = field(default_factory=lambda: np.empty((0, _DIM)))


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
    build: str = "synthetic",
) -> Path:
    """Write a study folder with metadata, study.toml and a store; return the store's path.

    The store is derived/stores/store-<build>.duckdb and derived/stores/current names it. Child
    k+1 hears better aligned speech than child k. Recording 3 may not be played (scores_only).
    """
    plan = _Plan(
        seed, with_speakers, with_ages, with_contexts, with_null, threshold, tuple(scorers)
    )
    rng = np.random.default_rng(seed)
    recordings = _recordings(rng, plan, n_children, n_recordings, n_utterances)
    _write_metadata(root, recordings, n_children, plan)
    stores = root / "derived" / "stores"
    stores.mkdir(parents=True, exist_ok=True)
    store = stores / f"store-{build}.duckdb"
    store.unlink(missing_ok=True)
    with duckdb.connect(str(store)) as con:
        for table in schema.TABLES:
            con.execute(schema.create_table_sql(table))
            for statement in schema.comment_sql(table):
                con.execute(statement)
        con.execute(schema.scores_view_sql())
        for statement in schema.comment_sql(schema.SCORES_VIEW, "VIEW"):
            con.execute(statement)
        _fill_facts(con, recordings, n_children, plan, build)
        for number, scorer in enumerate(plan.scorers):
            scorer_rng = np.random.default_rng((seed, number))
            for recording in recordings:
                _embed(scorer_rng, recording, n_children)
            for recording in recordings:
                _fill_scores(con, scorer_rng, recording, recordings, scorer, plan)
    (stores / "current").write_text(store.name, encoding="utf-8")
    return store


def _recordings(
    rng: np.random.Generator, plan: _Plan, n_children: int, n_recordings: int, n_utterances: int
) -> list[_Recording]:
    shares = np.full(n_recordings, n_utterances // n_recordings)
    shares[: n_utterances % n_recordings] += 1
    return [
        _recording(rng, plan, number, number % n_children, int(n))
        for number, n in enumerate(shares)
    ]


def _recording(
    rng: np.random.Generator, plan: _Plan, number: int, child: int, n: int
) -> _Recording:
    duration_ms = 30_000 + 5_000 * n
    onsets = np.sort(rng.integers(2_000, duration_ms - 12_000, n))
    lengths = np.clip(rng.lognormal(7.3, 0.55, n), 250, 9_000).astype(np.int64)
    thing = np.where(rng.random(n) < 0.6, rng.integers(0, len(THINGS), n), -1)
    texts = [
        ABSTRACT[int(rng.integers(len(ABSTRACT)))]
        if t < 0
        else CARRIERS[int(rng.integers(len(CARRIERS)))].format(THINGS[int(t)])
        for t in thing
    ]
    speakers = rng.choice(["FEM", "MAL", "CHI", "OCH", "NA"], n, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    first_age = 200 + 90 * child
    return _Recording(
        recording_id=f"rec{number + 1:02d}",
        child=child,
        duration_ms=duration_ms,
        age_days=first_age + 31 * number if plan.with_ages else None,
        day=date(2024, 1, 10) + timedelta(days=31 * number),
        onset_ms=onsets,
        offset_ms=onsets + lengths,
        thing=thing,
        texts=texts,
        speakers=[str(s) for s in speakers] if plan.with_speakers else ["NA"] * n,
        frame_ms=np.arange(0, duration_ms, 1_000) + rng.integers(0, 20),
        utterance_ids=[f"u{number + 1:02d}{i:05d}" for i in range(n)],
    )


def _unit(vectors: Floats) -> Floats:
    result: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return result


def _embed(rng: np.random.Generator, recording: _Recording, n_children: int) -> None:
    """Vectors whose cosine is about .2 by the gap between modalities, plus what they share."""
    concepts = _unit(np.random.default_rng(7).normal(size=(len(THINGS), 8)))
    n_frames = len(recording.frame_ms)
    drift = np.cumsum(rng.normal(size=(n_frames, 8)), axis=0)
    drift[1:] -= 0.9 * drift[:-1]
    shown = _unit(drift + rng.normal(scale=2.0, size=(n_frames, 8)))
    chance = 0.15 + 0.3 * (recording.child + 1) / n_children
    for onset, offset, thing in zip(
        recording.onset_ms, recording.offset_ms, recording.thing, strict=True
    ):
        if thing >= 0 and rng.random() < chance:
            near = (recording.frame_ms > onset - 2_500) & (recording.frame_ms < offset + 1_500)
            shown[near] = _unit(0.9 * concepts[thing] + 0.35 * shown[near])
    said = _unit(rng.normal(size=(len(recording.thing), 8)))
    named = recording.thing >= 0
    said[named] = _unit(concepts[recording.thing[named]] + 0.4 * said[named])
    for crop, n_sub in _N_SUB_CROPS.items():
        strength = {"center": 1.0, "pad": 0.85, "squash": 0.92, "multi": 0.95}[crop]
        image = np.zeros((n_frames, n_sub, _DIM))
        image[..., 0] = 0.447
        noise = rng.normal(scale=0.25, size=(n_frames, n_sub, 8))
        image[..., _SHARED] = 0.26 * strength * _unit(shown[:, None, :] + noise)
        image[..., 9:20] = 0.856 * _unit(rng.normal(size=(n_frames, n_sub, 11)))
        recording.image[crop] = _unit(image)
    text = np.zeros((len(said), _DIM))
    text[:, 0] = 0.447
    text[:, _SHARED] = 0.26 * said
    text[:, 20:] = 0.856 * _unit(rng.normal(size=(len(said), 12)))
    recording.text = _unit(text) if len(said) else text


def _cosines(recording: _Recording, other: _Recording, crop: str) -> Floats:
    """Cosine of each utterance of `recording` with each frame of `other`: (n, n_frames)."""
    cosines: Floats = np.einsum("ud,fkd->ufk", recording.text, other.image[crop]).max(axis=2)
    return cosines


def _insert(con: duckdb.DuckDBPyConnection, table: str, columns: dict[str, object]) -> None:
    rows = pa.table(columns)
    con.register("incoming", rows)
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    con.unregister("incoming")


def _fill_scores(
    con: duckdb.DuckDBPyConnection,
    rng: np.random.Generator,
    recording: _Recording,
    recordings: Sequence[_Recording],
    scorer: str,
    plan: _Plan,
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
    for crop in schema.CROPS:
        own = _cosines(recording, recording, crop)
        lag_columns[crop] = own[rows, frames].astype(np.float32)
        elsewhere = [_cosines(recording, other, crop) for other in others] or [own]
        for window, margin in schema.WINDOWS.items():
            start = np.searchsorted(recording.frame_ms, recording.onset_ms - margin)
            stop = np.searchsorted(recording.frame_ms, recording.offset_ms + margin)
            statistics = np.full((n, len(schema.SCORE_STATISTICS)), np.nan)
            for i in range(n):
                if stop[i] > start[i]:
                    real = own[i, start[i] : stop[i]]
                    pool = [c[i] for c in elsewhere] if plan.with_null else []
                    statistics[i] = _statistics(rng, real, pool)
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
    _insert(con, "lag_cosines", lag_columns)
    _insert(con, "scores_wide", wide)
    _fill_embeddings(con, recording, scorer)


def _statistics(rng: np.random.Generator, real: Floats, pool: list[Floats]) -> Floats:
    """One utterance's statistics in the order of schema.SCORE_STATISTICS."""
    top, mean, low = real.max(), real.mean(), real.min()
    pool = [c for c in pool if len(c) >= len(real)]
    if not pool:
        return np.array([top, mean, low, *[np.nan] * 5])
    draws = schema.NULL_DRAWS
    windows = np.concatenate([np.lib.stride_tricks.sliding_window_view(c, len(real)) for c in pool])
    drawn = windows[rng.integers(0, len(windows), draws)]
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


def _fill_embeddings(con: duckdb.DuckDBPyConnection, recording: _Recording, scorer: str) -> None:
    n_frames = len(recording.frame_ms)
    for crop, n_sub in _N_SUB_CROPS.items():
        vectors = recording.image[crop].reshape(-1, _DIM).astype(np.float32)
        _insert(
            con,
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
    _insert(
        con,
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


def _fill_facts(
    con: duckdb.DuckDBPyConnection,
    recordings: Sequence[_Recording],
    n_children: int,
    plan: _Plan,
    build: str,
) -> None:
    for number, recording in enumerate(recordings):
        _fill_recording(con, recording, number, plan)
        _fill_utterances(con, recording)
        _fill_words(con, recording)
        _insert(
            con,
            "frames",
            {
                "recording_id": [recording.recording_id] * len(recording.frame_ms),
                "time_ms": recording.frame_ms,
                "grid_index": np.arange(len(recording.frame_ms)),
            },
        )
        if plan.with_contexts:
            _fill_contexts(con, recording, number)
    for child in range(n_children):
        con.execute(
            """INSERT INTO children SELECT $id, $sex, count(*),
                 coalesce(sum(n_utterances), 0), coalesce(sum(duration_ms), 0),
                 min(age_days), max(age_days) FROM recordings WHERE child_id = $id""",
            {"id": _child_id(child), "sex": "f" if child % 2 else "m"},
        )
    for scorer in plan.scorers:
        con.execute(
            "INSERT INTO models VALUES (?, 'synthetic', 'none', ?, ?, 32, 'none', 'fp32', ?, ?)",
            [
                scorer,
                f"{hash_text(scorer):08x}",
                _DIM,
                plan.threshold,
                "chosen for the synthetic study" if plan.threshold is not None else "",
            ],
        )
    con.execute(
        "INSERT INTO failures VALUES "
        "('study', 'rec98', 'missing_media', 'recordings/raw/rec98.mp4 does not exist.', "
        "'Put the video there, or set discard to 1.'), "
        "('speech', 'rec99', 'media', 'rec99.mp4 has no audio track.', "
        "'Import a transcript for it.')"
    )
    started = datetime(2024, 6, 1, 12)
    con.execute(
        "INSERT INTO runs VALUES ('run1', ?, ?, '0.1.0', '{}', '{}', 'cpu')",
        [started, started + timedelta(minutes=4)],
    )
    con.execute(
        "INSERT INTO store_info VALUES (?, ?, 'Synthetic study', 'none', ?, ?, 1000, [])",
        [schema.SCHEMA_VERSION, build, schema.NULL_DRAWS, plan.seed],
    )


def hash_text(text: str) -> int:
    """A small number made of a text, the same in every process."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


def _child_id(child: int) -> str:
    return f"C{child + 1:02d}"


def _fill_recording(
    con: duckdb.DuckDBPyConnection, recording: _Recording, number: int, plan: _Plan
) -> None:
    notices = ["2 frames could not be decoded and were left out."] if number == 1 else []
    con.execute(
        "INSERT INTO recordings VALUES "
        "(?, ?, ?, ?, ?, ?, NULL, 1080, 1920, 29.97, 'h264', 'aac', ?, ?, 'synthetic', ?, ?)",
        [
            recording.recording_id,
            _child_id(recording.child),
            recording.day if plan.with_ages else None,
            recording.age_days,
            recording.duration_ms,
            f"{recording.recording_id}.mp4",
            len(recording.frame_ms),
            len(recording.utterance_ids),
            "scores_only" if number == 2 else "media",
            notices,
        ],
    )


def _fill_utterances(con: duckdb.DuckDBPyConnection, recording: _Recording) -> None:
    n = len(recording.utterance_ids)
    rng = np.random.default_rng(hash_text(recording.recording_id))
    flags: list[list[str]] = [["low_confidence"] if i % 13 == 5 else [] for i in range(n)]
    for i in range(n - 1):
        if recording.offset_ms[i] > recording.onset_ms[i + 1]:
            flags[i] = [*flags[i], "overlapping"]
    _insert(
        con,
        "utterances",
        {
            "recording_id": [recording.recording_id] * n,
            "utterance_id": recording.utterance_ids,
            "child_id": [_child_id(recording.child)] * n,
            "onset_ms": recording.onset_ms,
            "offset_ms": recording.offset_ms,
            "text": recording.texts,
            "speaker": recording.speakers,
            "speaker_overlap": rng.uniform(0.5, 1.0, n).astype(np.float32),
            "language": ["es" if i % 17 == 3 else "en" for i in range(n)],
            "n_words": [len(_words(text)) for text in recording.texts],
            "mean_logprob": np.array(
                [-1.4 if "low_confidence" in f else -0.3 for f in flags], dtype=np.float32
            ),
            "no_speech_prob": rng.uniform(0, 0.3, n).astype(np.float32),
            "compression_ratio": rng.uniform(0.8, 1.5, n).astype(np.float32),
            "flags": pa.array(flags, type=pa.list_(pa.string())),
            "source": ["synthetic"] * n,
        },
    )


def _words(text: str) -> list[str]:
    return [word for word in text.split() if any(c.isalpha() for c in word)]


def _fill_words(con: duckdb.DuckDBPyConnection, recording: _Recording) -> None:
    rows = []
    for i, (uid, text) in enumerate(zip(recording.utterance_ids, recording.texts, strict=True)):
        words = _words(text)
        edges = np.linspace(recording.onset_ms[i], recording.offset_ms[i], len(words) + 1)
        rows += [
            (uid, k, word, word.strip("?.,!'").lower(), int(edges[k]), int(edges[k + 1]))
            for k, word in enumerate(words)
        ]
    uids, index, words_, tokens, onsets, offsets = (list(c) for c in zip(*rows, strict=True))
    _insert(
        con,
        "words",
        {
            "recording_id": [recording.recording_id] * len(rows),
            "utterance_id": uids,
            "word_index": index,
            "word": words_,
            "token": tokens,
            "onset_ms": onsets,
            "offset_ms": offsets,
            "probability": [0.9] * len(rows),
        },
    )


def _fill_contexts(con: duckdb.DuckDBPyConnection, recording: _Recording, number: int) -> None:
    half = recording.duration_ms // 2
    con.executemany(
        "INSERT INTO contexts VALUES (?, ?, ?, ?, ?)",
        [
            [
                recording.recording_id,
                half * part,
                half * (part + 1),
                LOCATIONS[(number + part) % len(LOCATIONS)],
                ACTIVITIES[(number + part) % len(ACTIVITIES)],
            ]
            for part in range(2)
        ],
    )


def _write_metadata(
    root: Path, recordings: Sequence[_Recording], n_children: int, plan: _Plan
) -> None:
    metadata = root / "metadata"
    metadata.mkdir(parents=True, exist_ok=True)
    (root / "study.toml").write_text(
        '[study]\nname = "Synthetic study"\ndefault_permission = "media"\n', encoding="utf-8"
    )
    children = ["child_id,child_sex"]
    children += [f"{_child_id(c)},{'f' if c % 2 else 'm'}" for c in range(n_children)]
    (metadata / "children.csv").write_text("\n".join(children) + "\n", encoding="utf-8")
    lines = ["child_id,recording_filename,date_iso,age_days,permission"]
    for number, r in enumerate(recordings):
        day, age = (r.day.isoformat(), r.age_days) if plan.with_ages else ("", "")
        permission = "scores_only" if number == 2 else "media"
        lines.append(f"{_child_id(r.child)},{r.recording_id}.mp4,{day},{age},{permission}")
    (metadata / "recordings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if plan.with_contexts:
        rows = ["recording_id,onset_ms,offset_ms,location,activity"]
        for number, r in enumerate(recordings):
            half = r.duration_ms // 2
            rows += [
                f"{r.recording_id},{half * part},{half * (part + 1)},"
                f"{LOCATIONS[(number + part) % 3]},{ACTIVITIES[(number + part) % 3]}"
                for part in range(2)
            ]
        (metadata / "contexts.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
