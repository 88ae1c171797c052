"""Tables and files of a synthetic study that do not depend on the model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipeline import schema
from tests.synthetic_world import DIM, Plan, SyntheticRecording

ACTIVITIES = ("play", "meal", "reading")
LOCATIONS = ("living room", "kitchen", "garden")


class Incoming:
    """Rows of all recordings, put into each table at once: an INSERT takes longer than its rows."""

    def __init__(self) -> None:
        self._tables: dict[str, list[pa.Table]] = {}

    def add(self, table: str, columns: dict[str, object]) -> None:
        self._tables.setdefault(table, []).append(pa.table(columns))

    def insert(self, con: duckdb.DuckDBPyConnection) -> None:
        for table, parts in self._tables.items():
            con.register("incoming", pa.concat_tables(parts, promote_options="permissive"))
            con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
            con.unregister("incoming")


def fill_facts(
    con: duckdb.DuckDBPyConnection,
    recordings: Sequence[SyntheticRecording],
    n_children: int,
    plan: Plan,
    build: str,
) -> None:
    rows = Incoming()
    for number, recording in enumerate(recordings):
        _fill_recording(con, recording, number, plan)
        _add_utterances(rows, recording)
        _add_words(rows, recording)
        rows.add(
            "frames",
            {
                "recording_id": [recording.recording_id] * len(recording.frame_ms),
                "time_ms": recording.frame_ms,
                "grid_index": np.arange(len(recording.frame_ms)),
            },
        )
        if plan.with_contexts:
            _fill_contexts(con, recording, number)
    rows.insert(con)
    for child in range(n_children):
        con.execute(
            """INSERT INTO children SELECT $id, $sex, count(*),
                 coalesce(sum(n_utterances), 0), coalesce(sum(duration_ms), 0),
                 min(age_days), max(age_days) FROM recordings WHERE child_id = $id""",
            {"id": _child_id(child), "sex": "f" if child % 2 else "m"},
        )
    for scorer in plan.scorers:
        con.execute(
            "INSERT INTO models VALUES "
            "(?, 'synthetic', 'none', ?, ?, 32, 'none', 'fp32', ?, ?, ?, 'raw', FALSE)",
            [
                scorer,
                f"{hash_text(scorer):08x}",
                DIM,
                plan.threshold,
                "chosen for the synthetic study" if plan.threshold is not None else "",
                scorer,
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
        "INSERT INTO store_info VALUES (?, ?, 'Synthetic study', 'none', ?, ?, 1000, [], 'none')",
        [schema.SCHEMA_VERSION, build, schema.NULL_DRAWS, plan.seed],
    )


def hash_text(text: str) -> int:
    """A small number made of a text, the same in every process."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


def _child_id(child: int) -> str:
    return f"C{child + 1:02d}"


def _fill_recording(
    con: duckdb.DuckDBPyConnection, recording: SyntheticRecording, number: int, plan: Plan
) -> None:
    notices = ["2 frames could not be decoded and were left out."] if number == 1 else []
    con.execute(
        "INSERT INTO recordings VALUES "
        "(?, ?, ?, ?, ?, ?, NULL, 1080, 1920, 29.97, 'h264', 'aac', ?, ?, NULL, "
        "'synthetic', ?, ?)",
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


def _add_utterances(rows: Incoming, recording: SyntheticRecording) -> None:
    n = len(recording.utterance_ids)
    rng = np.random.default_rng(hash_text(recording.recording_id))
    flags: list[list[str]] = [["low_confidence"] if i % 13 == 5 else [] for i in range(n)]
    for i in range(n - 1):
        if recording.offset_ms[i] > recording.onset_ms[i + 1]:
            flags[i] = [*flags[i], "overlapping"]
    rows.add(
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


def _add_words(rows: Incoming, recording: SyntheticRecording) -> None:
    found = []
    for i, (uid, text) in enumerate(zip(recording.utterance_ids, recording.texts, strict=True)):
        words = _words(text)
        edges = np.linspace(recording.onset_ms[i], recording.offset_ms[i], len(words) + 1)
        found += [
            (uid, k, word, word.strip("?.,!'").lower(), int(edges[k]), int(edges[k + 1]))
            for k, word in enumerate(words)
        ]
    uids, index, words_, tokens, onsets, offsets = (list(c) for c in zip(*found, strict=True))
    rows.add(
        "words",
        {
            "recording_id": [recording.recording_id] * len(found),
            "utterance_id": uids,
            "word_index": index,
            "word": words_,
            "token": tokens,
            "onset_ms": onsets,
            "offset_ms": offsets,
            "probability": [0.9] * len(found),
        },
    )


def _fill_contexts(
    con: duckdb.DuckDBPyConnection, recording: SyntheticRecording, number: int
) -> None:
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


def write_metadata(
    root: Path, recordings: Sequence[SyntheticRecording], n_children: int, plan: Plan
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
