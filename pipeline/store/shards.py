"""Stage results as Parquet files: one file per recording and stage.

A shard appears under its final name only when it is whole (written as .partial, synced, renamed),
so its existence says that the work is done. Rows are flat enough for DuckDB to read them as they
are; what is true of the whole recording (media, model, notices) stands in the file's metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import StoreError
from pipeline.records import (
    Crop,
    Float32Array,
    Int64Array,
    MediaInfo,
    ModelRef,
    Notice,
    Speaker,
    TimeSpan,
    Utterance,
    Word,
)
from pipeline.results import (
    CropEmbeddings,
    FrameEmbeddings,
    TextEmbeddings,
    Transcript,
)
from pipeline.store.atomic_files import disk_trouble, finish, partial_path
from pipeline.store.atomic_files import write_atomically as write_atomically
from pipeline.store.seals import MARK, SEAL_KEY, UNSEALED, damaged_among, seal
from pipeline.tokens import tokenize

META_KEY = b"coview"
_THUMBNAIL_ROW_GROUP = 64
_FRAMES_AT_ONCE = 1_024

_WORD_TYPE = pa.struct(
    [
        ("text", pa.string()),
        ("token", pa.string()),
        ("onset_ms", pa.int32()),
        ("offset_ms", pa.int32()),
        ("probability", pa.float32()),
    ]
)
_SPEECH_SCHEMA = pa.schema(
    [
        ("recording_id", pa.string()),
        ("utterance_id", pa.string()),
        ("onset_ms", pa.int32()),
        ("offset_ms", pa.int32()),
        ("text", pa.string()),
        ("speaker", pa.string()),
        ("speaker_overlap", pa.float32()),
        ("language", pa.string()),
        ("mean_logprob", pa.float32()),
        ("no_speech_prob", pa.float32()),
        ("compression_ratio", pa.float32()),
        ("words", pa.list_(_WORD_TYPE)),
        ("flags", pa.list_(pa.string())),
        ("source", pa.string()),
    ]
)


def write_transcript(path: Path, transcript: Transcript) -> None:
    """Write a speech shard. Words without a list of their own are the text cut at spaces."""
    rows = [
        {
            "recording_id": transcript.recording_id,
            "utterance_id": u.utterance_id,
            "onset_ms": u.span.onset_ms,
            "offset_ms": u.span.offset_ms,
            "text": u.text,
            "speaker": u.speaker.value,
            "speaker_overlap": u.speaker_overlap,
            "language": u.language,
            "mean_logprob": u.mean_logprob,
            "no_speech_prob": u.no_speech_prob,
            "compression_ratio": u.compression_ratio,
            "words": [
                {
                    "text": w.text,
                    "token": " ".join(tokenize(w.text)),
                    "onset_ms": w.span.onset_ms if w.span else None,
                    "offset_ms": w.span.offset_ms if w.span else None,
                    "probability": w.probability,
                }
                for w in u.words or tuple(Word(part) for part in u.text.split())
            ],
            "flags": list(u.flags),
            "source": u.source,
        }
        for u in transcript.utterances
    ]
    meta = {
        "recording_id": transcript.recording_id,
        "media": asdict(transcript.media),
        "notices": [asdict(notice) for notice in transcript.notices],
        "source": transcript.source,
    }
    write_table(path, pa.Table.from_pylist(rows, schema=_SPEECH_SCHEMA), meta)


def read_transcript(path: Path) -> Transcript:
    """Read a speech shard; StoreError when the file is damaged."""
    table, meta = _read(path)
    utterances = tuple(
        Utterance(
            utterance_id=row["utterance_id"],
            recording_id=row["recording_id"],
            span=TimeSpan(row["onset_ms"], row["offset_ms"]),
            text=row["text"],
            speaker=Speaker(row["speaker"]),
            speaker_overlap=row["speaker_overlap"],
            language=row["language"],
            mean_logprob=row["mean_logprob"],
            no_speech_prob=row["no_speech_prob"],
            compression_ratio=row["compression_ratio"],
            words=tuple(
                Word(
                    word["text"],
                    None
                    if word["onset_ms"] is None
                    else TimeSpan(word["onset_ms"], word["offset_ms"]),
                    word["probability"],
                )
                for word in row["words"]
            ),
            flags=tuple(row["flags"]),
            source=row["source"],
        )
        for row in table.to_pylist()
    )
    return Transcript(
        recording_id=str(meta["recording_id"]),
        media=meta_media(meta),
        utterances=utterances,
        source=str(meta["source"]),
        notices=meta_notices(meta),
    )


def write_frames(path: Path, frames: FrameEmbeddings) -> None:
    """Write a vision shard; crops as fixed-size lists of k * dim numbers."""
    write_frame_pieces(path, [frames])


def write_frame_pieces(path: Path, pieces: Iterable[FrameEmbeddings]) -> None:
    """`write_frames` of a recording that comes piece by piece, in order of time; none is kept
    longer than it takes to write it. What the last piece says of the whole recording holds.

    Raises what `pieces` raises, and as `write_atomically`.
    """
    partial = partial_path(path)
    writer: pq.ParquetWriter | None = None
    meta: dict[str, object] = {}
    try:
        for piece in pieces:
            meta, table = _frame_meta(piece), _frame_table(piece)
            with disk_trouble(path):
                if writer is None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    writer = pq.ParquetWriter(partial, table.schema, compression="zstd")
                writer.write_table(table, row_group_size=_THUMBNAIL_ROW_GROUP)
        assert writer is not None, "a recording has at least one piece"
        with disk_trouble(path):
            writer.add_key_value_metadata({META_KEY: _json_text(meta), SEAL_KEY: UNSEALED})
            writer.close()
            seal(partial)
            finish(path)
    except BaseException:
        if writer is not None:
            with suppress(OSError):
                writer.close()
        partial.unlink(missing_ok=True)
        raise


def _frame_table(frames: FrameEmbeddings) -> pa.Table:
    n = len(frames.times_ms)
    columns: dict[str, pa.Array] = {
        "recording_id": pa.array([frames.recording_id] * n, pa.string()),
        "time_ms": pa.array(frames.times_ms, pa.int32()),
        "grid_index": pa.array(frames.grid_index, pa.int32()),
        "thumbnail": pa.array(frames.thumbnails, pa.binary()),
    }
    for entry in frames.crops:
        width = entry.vectors.shape[1] * entry.vectors.shape[2]
        columns[entry.crop.value] = _fixed_lists(entry.vectors.reshape(n, width))
    return pa.table(columns)


def _frame_meta(frames: FrameEmbeddings) -> dict[str, object]:
    return {
        "recording_id": frames.recording_id,
        "media": asdict(frames.media),
        "model": model_facts(frames.model),
        "notices": [asdict(notice) for notice in frames.notices],
        "sub_crops": {entry.crop.value: entry.vectors.shape[1] for entry in frames.crops},
    }


def read_frames(path: Path) -> FrameEmbeddings:
    """Read a vision shard without its thumbnails (they come back empty)."""
    meta = read_meta(path)
    sub_crops = meta["sub_crops"]
    assert isinstance(sub_crops, dict)
    table, _ = _read(path, ["time_ms", "grid_index", *sub_crops])
    n = table.num_rows
    model = meta_model(meta)
    return FrameEmbeddings(
        recording_id=str(meta["recording_id"]),
        media=meta_media(meta),
        model=model,
        times_ms=table["time_ms"].to_numpy().astype(np.int64),
        grid_index=table["grid_index"].to_numpy().astype(np.int64),
        thumbnails=(b"",) * n,
        crops=tuple(
            CropEmbeddings(Crop(name), _matrix(table[name]).reshape(n, k, model.dim))
            for name, k in sub_crops.items()
        ),
        notices=meta_notices(meta),
    )


def read_frame_times(path: Path) -> tuple[Int64Array, Int64Array]:
    """time_ms and grid_index, int64 (n,), of a vision shard's frames."""
    table, _ = _read(path, ["time_ms", "grid_index"])
    time_ms, grid_index = (table[name].to_numpy().astype(np.int64) for name in table.column_names)
    return time_ms, grid_index


def read_crop(path: Path, crop: Crop) -> Iterator[Float32Array]:
    """Embeddings (m, k, dim) of frames, some at a time. Raises KeyError if not made, StoreError."""
    meta = read_meta(path)
    n_sub_crops = _mapping(meta, "sub_crops")[crop.value]
    assert isinstance(n_sub_crops, int)
    dim = meta_model(meta).dim
    try:
        # Buffered ahead, the whole column would stay in memory until the last of it is read.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(_FRAMES_AT_ONCE, columns=[crop.value]):
                yield _matrix(pa.chunked_array(batch.columns)).reshape(-1, n_sub_crops, dim)
    except (OSError, pa.ArrowInvalid) as problem:
        raise damaged(path) from problem


def write_texts(path: Path, texts: TextEmbeddings) -> None:
    """Write a text shard."""
    n = len(texts.utterance_ids)
    table = pa.table(
        {
            "recording_id": pa.array([texts.recording_id] * n, pa.string()),
            "utterance_id": pa.array(texts.utterance_ids, pa.string()),
            "embedding": _fixed_lists(texts.vectors),
        }
    )
    meta = {
        "recording_id": texts.recording_id,
        "model": model_facts(texts.model),
        "notices": [asdict(notice) for notice in texts.notices],
    }
    write_table(path, table, meta)


def read_texts(path: Path) -> TextEmbeddings:
    """Read a text shard."""
    table, meta = _read(path)
    return TextEmbeddings(
        recording_id=str(meta["recording_id"]),
        model=meta_model(meta),
        utterance_ids=tuple(table["utterance_id"].to_pylist()),
        vectors=_matrix(table["embedding"]),
        notices=meta_notices(meta),
    )


def model_facts(model: ModelRef) -> dict[str, object]:
    """What a shard keeps of its model, and a fingerprint is made of: all but the setting of the
    score, which changes no vector."""
    facts = asdict(model)
    for name in ("base_scorer", "text_variant", "is_hub_corrected"):
        del facts[name]
    return facts


def read_meta(path: Path) -> dict[str, object]:
    """What is true of the whole shard: recording_id, media, model, notices, source."""
    try:
        raw = pq.read_metadata(path).metadata or {}
        meta = json.loads(raw[META_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, json.JSONDecodeError) as problem:
        raise damaged(path) from problem
    assert isinstance(meta, dict)
    return meta


def meta_media(meta: Mapping[str, object]) -> MediaInfo:
    """Media facts kept in a speech or vision shard."""
    value = dict(_mapping(meta, "media"))
    notes = value.pop("notes")
    assert isinstance(notes, list)
    return MediaInfo(**value, notes=tuple(notes))  # type: ignore[arg-type]


def shard_model(path: Path) -> ModelRef:
    """Model of a vision, text or align shard."""
    return meta_model(read_meta(path))


def meta_model(meta: Mapping[str, object]) -> ModelRef:
    """Model of a vision, text or align shard."""
    return ModelRef(**_mapping(meta, "model"))  # type: ignore[arg-type]


def meta_notices(meta: Mapping[str, object]) -> tuple[Notice, ...]:
    """Notices kept in a speech, vision or text shard."""
    value = meta.get("notices", [])
    assert isinstance(value, list)
    return tuple(Notice(**entry) for entry in value)


def write_table(
    path: Path, table: pa.Table, meta: Mapping[str, object], row_group_size: int | None = None
) -> None:
    table = table.replace_schema_metadata({META_KEY: _json_text(meta), SEAL_KEY: UNSEALED})

    def write(partial: Path) -> None:
        pq.write_table(table, partial, compression="zstd", row_group_size=row_group_size)
        seal(partial)

    write_atomically(path, write)


def _json_text(meta: Mapping[str, object]) -> bytes:
    return json.dumps({**meta, MARK: True}, sort_keys=True, default=str).encode()


def _read(path: Path, columns: list[str] | None = None) -> tuple[pa.Table, dict[str, object]]:
    try:
        table = pq.read_table(path, columns=columns, partitioning=None)
    except (OSError, pa.ArrowInvalid) as problem:
        raise damaged(path) from problem
    return table, read_meta(path)


def damaged(path: Path) -> StoreError:
    """What to raise when a shard cannot be read."""
    return StoreError(
        f"The shard {path.parent.parent.name}/{path.name} is damaged.",
        hint="Delete this file and run again; only this recording is done anew.",
    )


def forget_damaged(paths: Iterable[Path]) -> None:
    """Delete the shards that are not what was written any more: they are made anew.

    Raises StoreError when there are any.
    """
    damaged_ones = damaged_among(paths)
    for path in damaged_ones:
        path.unlink(missing_ok=True)
    if damaged_ones:
        first = damaged_ones[0]
        more = f" and {len(damaged_ones) - 1} more" if len(damaged_ones) > 1 else ""
        raise StoreError(
            f"The shard {first.parent.parent.name}/{first.name}{more} was damaged on the disk and "
            "has been deleted.",
            hint="Give the same command again: what is missing is made anew.",
        )


def _fixed_lists(matrix: Float32Array) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(matrix, dtype=np.float32).reshape(-1), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def _matrix(column: pa.ChunkedArray) -> Float32Array:
    flat = column.combine_chunks()
    width = column.type.list_size
    values = flat.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float32).reshape(-1, width)


def _mapping(meta: Mapping[str, object], key: str) -> dict[str, object]:
    value = meta[key]
    assert isinstance(value, dict)
    return value
