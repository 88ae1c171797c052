"""Shards of the stage align: scores packed into lists, so that thousands of files open fast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reach import reach_of
from pipeline.records import Crop
from pipeline.results import RecordingAlignment
from pipeline.schema import SCORE_STATISTICS, WINDOWS, wide_column
from pipeline.score_tables import FRAME_COUNT_COLUMNS, SCORE_NUMBER_COLUMNS
from pipeline.store.shards import model_facts, write_table


def write_alignment(
    path: Path, alignment: RecordingAlignment, settings: Sequence[RecordingAlignment] = ()
) -> None:
    """Write an align shard: the score columns of `scores_wide` as lists, and lags as lists.

    Hundreds of columns of a hundred rows would be mostly headers, slow to open. settings: the
    same utterances under further settings of the score, below the plain rows. NaN becomes NULL;
    a crop that was not made has NULL in all its places.
    """
    table = pa.concat_tables([_alignment_table(part) for part in (alignment, *settings)])
    meta = {"recording_id": alignment.recording_id, "model": model_facts(alignment.model)}
    write_table(path, table, meta)


def _alignment_table(alignment: RecordingAlignment) -> pa.Table:
    n = len(alignment.utterance_ids)
    columns: dict[str, pa.Array] = {
        "recording_id": pa.array([alignment.recording_id] * n, pa.string()),
        "utterance_id": pa.array(alignment.utterance_ids, pa.string()),
        "scorer": pa.array([alignment.model.scorer] * n, pa.string()),
        "missing_reason": pa.array([r or None for r in alignment.missing_reason], pa.string()),
    }
    scores = _scores_by_name(alignment)
    for name, columns_of, kind in (
        ("counts", FRAME_COUNT_COLUMNS, pa.int16()),
        ("scores", SCORE_NUMBER_COLUMNS, pa.float32()),
    ):
        flat = np.stack([scores[column] for column in columns_of], axis=1).ravel()
        values = pa.array(flat, kind, from_pandas=True)
        columns[name] = pa.FixedSizeListArray.from_arrays(values, len(columns_of))
    lags = alignment.lags
    bounds = np.searchsorted(lags.utterance_row, np.arange(n + 1)).astype(np.int32)
    offsets = pa.array(bounds)
    columns["lag_time_ms"] = pa.ListArray.from_arrays(offsets, pa.array(lags.time_ms, pa.int32()))
    columns["lag_ms"] = pa.ListArray.from_arrays(offsets, pa.array(lags.lag_ms, pa.int32()))
    for crop in Crop:
        values = (
            np.ascontiguousarray(lags.cosines[:, alignment.crops.index(crop)])
            if crop in alignment.crops
            else np.full(len(lags.time_ms), np.nan, np.float32)
        )
        cosines = pa.array(values, pa.float32(), from_pandas=True)
        columns[f"lag_{crop.value}"] = pa.ListArray.from_arrays(offsets, cosines)
    return pa.table(columns)


def _scores_by_name(
    alignment: RecordingAlignment,
) -> dict[str, NDArray[np.int16] | NDArray[np.float32]]:
    """Every score column of `scores_wide` that a recording's alignment tells, each (n,)."""
    n, lags = len(alignment.utterance_ids), alignment.lags
    found: dict[str, NDArray[np.int16] | NDArray[np.float32]] = {
        f"n_frames_{window}": alignment.n_frames[:, j].astype(np.int16)
        for j, window in enumerate(WINDOWS)
    }
    not_made = np.full(n, np.nan, np.float32)
    for crop in Crop:
        made = alignment.crops.index(crop) if crop in alignment.crops else None
        for j, window in enumerate(WINDOWS):
            for k, statistic in enumerate(SCORE_STATISTICS):
                name = wide_column(crop.value, window, statistic.name)
                found[name] = not_made if made is None else alignment.statistics[:, made, j, k]
    reach = reach_of(n, lags.utterance_row, lags.lag_ms, lags.cosines)
    return found | reach.columns([crop.value for crop in alignment.crops])


def unpacked_columns() -> dict[str, str]:
    """SQL over a packed align shard for each score column that it packs."""
    return {
        name: f"{packed}[{place}]"
        for packed, names in (("counts", FRAME_COUNT_COLUMNS), ("scores", SCORE_NUMBER_COLUMNS))
        for place, name in enumerate(names, start=1)
    }
