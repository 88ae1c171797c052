"""Fill the tables of recordings, speech, frames and vectors from the shards of those stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.records import Crop, Recording
from pipeline.store.ordered_shards import Shard, file_list, stretches
from pipeline.store.shards import meta_media, meta_notices, read_meta
from pipeline.study import Study

VECTOR_BYTES_AT_ONCE = 512_000_000
RECORDINGS_AT_ONCE = 1_000
_RECORDINGS_SCHEMA = pa.schema(
    [
        ("recording_id", pa.string()),
        ("child_id", pa.string()),
        ("date", pa.date32()),
        ("age_days", pa.int32()),
        ("duration_ms", pa.int32()),
        ("media_path", pa.string()),
        ("frames_path", pa.string()),
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("frame_rate_hz", pa.float64()),
        ("video_codec", pa.string()),
        ("audio_codec", pa.string()),
        ("n_frames", pa.int32()),
        ("n_utterances", pa.int32()),
        ("transcript_source", pa.string()),
        ("permission", pa.string()),
        ("notices", pa.list_(pa.string())),
    ]
)


def insert_recordings(
    con: duckdb.DuckDBPyConnection,
    study: Study,
    speech: Sequence[Shard],
    vision: Sequence[Shard],
    texts: Sequence[Shard],
) -> None:
    """One row per recording with a speech or vision shard; counts are filled in from the shards."""
    speech_of, vision_of, texts_of = (
        {shard.recording_id: shard.path for shard in shards} for shards in (speech, vision, texts)
    )
    with_shards = speech_of.keys() | vision_of.keys()
    known = [r for r in study.recordings if r.recording_id in with_shards]
    for first in range(0, len(known), RECORDINGS_AT_ONCE):
        rows = [
            _recording_row(
                recording,
                *(_meta(found, recording) for found in (speech_of, vision_of, texts_of)),
            )
            for recording in known[first : first + RECORDINGS_AT_ONCE]
        ]
        con.register("recordings_read", pa.Table.from_pylist(rows, schema=_RECORDINGS_SCHEMA))
        con.execute("INSERT INTO recordings BY NAME SELECT * FROM recordings_read")
        con.unregister("recordings_read")


def _meta(paths: Mapping[str, Path], recording: Recording) -> dict[str, object] | None:
    path = paths.get(recording.recording_id)
    return None if path is None else read_meta(path)


def _recording_row(
    recording: Recording,
    speech: Mapping[str, object] | None,
    vision: Mapping[str, object] | None,
    text: Mapping[str, object] | None,
) -> dict[str, object]:
    source = vision or speech
    assert source is not None, "only recordings with a shard have a row"
    media = meta_media(source)
    notices = [n.message for meta in (speech, vision, text) if meta for n in meta_notices(meta)]
    path, frames = recording.media_path, recording.frames_path
    return {
        "recording_id": recording.recording_id,
        "child_id": recording.child_id,
        "date": recording.date,
        "age_days": recording.age_days,
        "duration_ms": media.duration_ms,
        "media_path": None if path is None else str(path),
        "frames_path": None if frames is None else str(frames),
        "width_px": media.width_px,
        "height_px": media.height_px,
        "frame_rate_hz": media.frame_rate_hz,
        "video_codec": media.video_codec,
        "audio_codec": media.audio_codec,
        "n_frames": 0,
        "n_utterances": 0,
        "transcript_source": None if speech is None else str(speech["source"]),
        "permission": recording.permission.value,
        "notices": [*media.notes, *notices],
    }


def insert_speech(con: duckdb.DuckDBPyConnection, shards: Sequence[Shard]) -> None:
    """Words and utterances; utterances are numbered in the order of recordings and time.

    What was said in a recording whose permission is scores_only never gets into a store.
    """
    n_utterances = 0
    for stretch in stretches(shards):
        files = file_list(stretch)
        con.execute(
            """
            INSERT INTO words
            SELECT recording_id, utterance_id, word_index - 1, w.text, w.token,
                   w.onset_ms, w.offset_ms, w.probability
            FROM (
                SELECT recording_id, utterance_id, unnest(words) AS w,
                       generate_subscripts(words, 1) AS word_index
                FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
            )
            WHERE recording_id NOT IN (SELECT recording_id FROM recordings
                WHERE permission = 'scores_only')
            ORDER BY recording_id, utterance_id, word_index
            """,
            [files],
        )
        con.execute(
            """
            INSERT INTO utterances
            SELECT $before - 1
                       + row_number() OVER (ORDER BY s.recording_id, s.onset_ms, s.utterance_id),
                   s.recording_id, s.utterance_id, r.child_id, s.onset_ms, s.offset_ms,
                   CASE WHEN r.permission = 'scores_only' THEN '' ELSE s.text END,
                   s.speaker, s.speaker_overlap, s.language,
                   len(list_filter(s.words, lambda word: word.token <> '')),
                   s.mean_logprob, s.no_speech_prob, s.compression_ratio, s.flags, s.source
            FROM read_parquet($files, union_by_name = true, hive_partitioning = false) s
            JOIN recordings r USING (recording_id)
            ORDER BY s.recording_id, s.onset_ms, s.utterance_id
            """,
            {"files": files, "before": n_utterances},
        )
        found = con.execute("SELECT count(*) FROM utterances").fetchone()
        n_utterances = int(found[0]) if found else 0
    con.execute(
        """
        UPDATE recordings SET n_utterances = c.n, first_utterance_number = c.first
        FROM (
            SELECT recording_id, count(*) AS n, min(utterance_number) AS first
            FROM utterances GROUP BY ALL
        ) c
        WHERE c.recording_id = recordings.recording_id
        """
    )


def insert_frames(
    con: duckdb.DuckDBPyConnection, shards: Sequence[Shard], scorer: str, dim: int
) -> None:
    """Frames, and their vectors crop by crop, so that a search for one crop reads no other."""
    for stretch in stretches(shards):
        con.execute(
            """
            INSERT INTO frames SELECT recording_id, time_ms, grid_index
            FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
            ORDER BY recording_id, time_ms
            """,
            [file_list(stretch)],
        )
    con.execute(
        """
        UPDATE recordings SET n_frames = c.n
        FROM (SELECT recording_id, count(*) AS n FROM frames GROUP BY ALL) c
        WHERE c.recording_id = recordings.recording_id
        """
    )
    sub_crops = read_meta(shards[0].path)["sub_crops"] if shards else {}
    assert isinstance(sub_crops, dict)
    for crop in sorted(sub_crops):
        for stretch in stretches(shards, VECTOR_BYTES_AT_ONCE):
            # Shards come in the order of their recordings and hold frames in the order of time:
            # nothing is sorted, which would take all vectors of the stretch into memory.
            con.execute(
                f"""
                INSERT INTO frame_embeddings
                SELECT recording_id, time_ms, $scorer, $crop, crop_index,
                    vectors[crop_index * $dim + 1 : (crop_index + 1) * $dim]::FLOAT[]
                FROM (
                    SELECT recording_id, time_ms, {Crop(crop).value} AS vectors,
                        unnest(range($n)) AS crop_index
                    FROM read_parquet($files, union_by_name = true, hive_partitioning = false)
                )
                """,
                {
                    "files": file_list(stretch),
                    "scorer": scorer,
                    "crop": crop,
                    "dim": dim,
                    "n": int(sub_crops[crop]),
                },
            )


def insert_texts(con: duckdb.DuckDBPyConnection, shards: Sequence[Shard], scorer: str) -> None:
    """Vectors of the utterances."""
    for stretch in stretches(shards, VECTOR_BYTES_AT_ONCE):
        con.execute(
            """
            INSERT INTO utterance_embeddings
            SELECT recording_id, utterance_id, $scorer, embedding::FLOAT[]
            FROM read_parquet($files, union_by_name = true, hive_partitioning = false)
            ORDER BY recording_id, utterance_id
            """,
            {"files": file_list(stretch), "scorer": scorer},
        )
