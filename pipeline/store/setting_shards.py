"""What further settings of the score need, as Parquet files: texts made from the words of a
recording's utterances, and the mean vectors of a child."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.records import Crop, Float32Array, ModelRef
from pipeline.results import ChildHubs, MeanVector, VariantTexts
from pipeline.score_settings import TextVariant
from pipeline.store.shards import (
    damaged,
    model_facts,
    read_meta,
    shard_model,
    write_table,
)

_VECTOR = pa.list_(pa.float32())
_FRAMES, _TEXTS = "frames", "texts"


def write_variant(path: Path, found: VariantTexts) -> None:
    """Write the texts of one variant. The vector of a text stands in the first row that has it."""
    first = np.full(len(found.vectors), -1, np.int64)
    rows = np.flatnonzero(found.vector_row >= 0)
    first[found.vector_row[rows[::-1]]] = rows[::-1]
    vectors: list[Float32Array | None] = [None] * len(found.texts)
    for place, row in enumerate(first.tolist()):
        vectors[row] = found.vectors[place]
    n = len(found.utterance_ids)
    table = pa.table(
        {
            "recording_id": pa.array([found.recording_id] * n, pa.string()),
            "utterance_id": pa.array(found.utterance_ids, pa.string()),
            "variant": pa.array([found.variant.value] * n, pa.string()),
            "text": pa.array([text or None for text in found.texts], pa.string()),
            "missing_reason": pa.array([why or None for why in found.missing_reason], pa.string()),
            "vector_row": pa.array(found.vector_row, pa.int32()),
            "vector": pa.array(vectors, _VECTOR),
        }
    )
    meta = {
        "recording_id": found.recording_id,
        "model": model_facts(found.model),
        "variant": found.variant.value,
    }
    write_table(path, table, meta)


def read_variant(path: Path) -> VariantTexts:
    """Read the texts of one variant; StoreError when the file is damaged."""
    table, meta, model = _read(path)
    vector_row = table["vector_row"].to_numpy().astype(np.int64)
    kept = table["vector"].combine_chunks()
    rows = np.flatnonzero(kept.is_valid().to_numpy(zero_copy_only=False))
    vectors = np.zeros((len(rows), model.dim), np.float32)
    flat = np.asarray(kept.flatten().to_numpy(zero_copy_only=False), np.float32)
    vectors[vector_row[rows]] = flat.reshape(-1, model.dim)
    return VariantTexts(
        recording_id=str(meta["recording_id"]),
        model=model,
        variant=TextVariant(str(meta["variant"])),
        utterance_ids=tuple(table["utterance_id"].to_pylist()),
        texts=tuple(text or "" for text in table["text"].to_pylist()),
        missing_reason=tuple(why or "" for why in table["missing_reason"].to_pylist()),
        vector_row=vector_row,
        vectors=vectors,
    )


def write_hubs(path: Path, hubs: ChildHubs) -> None:
    """Write the mean vectors of one child."""
    rows = [
        *((_FRAMES, crop.value, mean) for crop, mean in hubs.frames.items()),
        *((_TEXTS, text.value, mean) for text, mean in hubs.texts.items()),
    ]
    table = pa.table(
        {
            "of": pa.array([of for of, _, _ in rows], pa.string()),
            "name": pa.array([name for _, name, _ in rows], pa.string()),
            "n": pa.array([mean.n for _, _, mean in rows], pa.int64()),
            "vector": pa.array([mean.vector for _, _, mean in rows], _VECTOR),
        }
    )
    write_table(path, table, {"child_id": hubs.child_id, "model": model_facts(hubs.model)})


def read_hubs(path: Path) -> ChildHubs:
    """Read the mean vectors of one child; StoreError when the file is damaged."""
    table, meta, model = _read(path)
    frames: dict[Crop, MeanVector] = {}
    texts: dict[TextVariant, MeanVector] = {}
    for row in table.to_pylist():
        mean = MeanVector(np.array(row["vector"], np.float32), int(row["n"]))
        if row["of"] == _FRAMES:
            frames[Crop(row["name"])] = mean
        else:
            texts[TextVariant(row["name"])] = mean
    return ChildHubs(str(meta["child_id"]), model, frames, texts)


def _read(path: Path) -> tuple[pa.Table, dict[str, object], ModelRef]:
    try:
        table = pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowInvalid) as problem:
        raise damaged(path) from problem
    return table, read_meta(path), shard_model(path)
