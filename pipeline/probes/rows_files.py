"""A probe's utterances and variants as Parquet files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.errors import StoreError
from pipeline.probes.material import Floats
from pipeline.probes.measured import Ints, SampledUtterances, VariantRows
from pipeline.store.sealed_files import read_sealed_table, write_sealed_table


def write_rows(path: Path, rows: VariantRows) -> None:
    """Write variants; see `read_rows`."""
    table = pa.table(
        {
            "utterance": pa.array(rows.utterance, pa.int32()),
            "change": pa.array(rows.change, pa.int8()),
            "number": pa.array(rows.number, pa.int16()),
            "text": pa.array(rows.text, pa.string()),
            "word": pa.array(rows.word, pa.string()),
            "reason": pa.array(rows.reason, pa.string()),
            "best": pa.array(rows.best, pa.float32()),
            "middle": pa.array(rows.middle, pa.float32()),
            "null_best": _lists(rows.null_best),
            "null_middle": _lists(rows.null_middle),
        }
    )
    _write(path, table)


def read_rows(path: Path) -> VariantRows:
    """Read variants; StoreError when the file is damaged."""
    table = _read(path)
    return VariantRows(
        _integers(table, "utterance"),
        _integers(table, "change"),
        _integers(table, "number"),
        _texts(table, "text"),
        _texts(table, "word"),
        _texts(table, "reason"),
        _numbers(table, "best"),
        _numbers(table, "middle"),
        _matrix(table, "null_best"),
        _matrix(table, "null_middle"),
    )


def write_utterances(path: Path, utterances: SampledUtterances) -> None:
    """Write the sampled utterances; see `read_utterances`."""
    table = pa.table(
        {
            "recording_id": pa.array(utterances.recording_ids, pa.string()),
            "utterance_id": pa.array(utterances.utterance_ids, pa.string()),
            "child_id": pa.array(utterances.child_ids, pa.string()),
            "onset_ms": pa.array(utterances.onset_ms, pa.int32()),
            "offset_ms": pa.array(utterances.offset_ms, pa.int32()),
            "text": pa.array(utterances.texts, pa.string()),
            "language": pa.array(utterances.languages, pa.string()),
            "z": pa.array(utterances.z, pa.float64()),
            "null_mean": pa.array(utterances.null_mean, pa.float64()),
            "null_sd": pa.array(utterances.null_sd, pa.float64()),
            "has_object": pa.array(utterances.has_object, pa.bool_()),
        }
    )
    _write(path, table)


def read_utterances(path: Path) -> SampledUtterances:
    """Read the sampled utterances; StoreError when the file is missing or damaged."""
    table = _read(path)
    return SampledUtterances(
        _texts(table, "recording_id"),
        _texts(table, "utterance_id"),
        _texts(table, "child_id"),
        _integers(table, "onset_ms"),
        _integers(table, "offset_ms"),
        _texts(table, "text"),
        _texts(table, "language"),
        _numbers(table, "z"),
        _numbers(table, "null_mean"),
        _numbers(table, "null_sd"),
        np.array(table["has_object"].to_pylist(), np.bool_),
    )


def damaged(path: Path) -> StoreError:
    """The error for a file that is missing or cannot be read."""
    return StoreError(
        f"The file {path.name} of the probe {path.parent.name} is missing or damaged.",
        hint="Delete its folder under derived/probes and give the command again: python -m "
        "pipeline probe STUDY",
    )


def _lists(values: Floats) -> pa.Array:
    flat = pa.array(values.astype(np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _integers(table: pa.Table, name: str) -> Ints:
    return np.asarray(table[name].to_numpy(), np.int64)


def _numbers(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].to_numpy(), np.float64)


def _texts(table: pa.Table, name: str) -> tuple[str, ...]:
    return tuple(table[name].to_pylist())


def _matrix(table: pa.Table, name: str) -> Floats:
    flat = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float64).reshape(-1, table[name].type.list_size)


def _write(path: Path, table: pa.Table) -> None:
    write_sealed_table(path, table)


def _read(path: Path) -> pa.Table:
    try:
        return read_sealed_table(path)
    except (OSError, ValueError) as problem:
        raise damaged(path) from problem
