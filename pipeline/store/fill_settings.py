"""Put the study's own scorers into the store: its model, and further settings of its score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.config import AlignSettings
from pipeline.records import ModelRef
from pipeline.schema import HUBS, MODELS
from pipeline.score_settings import ScorerSetting
from pipeline.store.setting_shards import read_hubs


def insert_models(
    con: duckdb.DuckDBPyConnection, models: Sequence[ModelRef], align: AlignSettings
) -> None:
    """One row of `models` for each model and each further setting of its score.

    A threshold of study.toml is of the plain score; those of the settings are not known.
    """
    for model in models:
        threshold, source = model.default_threshold, model.threshold_source
        if align.threshold is not None:
            threshold, source = align.threshold, "study.toml"
        for ref in (model, *(model.under(setting) for setting in align.score_settings)):
            is_plain = ref.scorer == ref.base
            values = [getattr(ref, name) for name in MODELS.column_names]
            row = dict(zip(MODELS.column_names, values, strict=True))
            row["base_scorer"] = ref.base
            if is_plain:
                row["default_threshold"], row["threshold_source"] = threshold, source
            marks = ", ".join("?" for _ in row)
            con.execute(f"INSERT INTO models VALUES ({marks})", list(row.values()))


def insert_settings(
    con: duckdb.DuckDBPyConnection,
    models: Sequence[ModelRef],
    align: AlignSettings,
    variants: Sequence[Path],
    hubs: Sequence[Path],
) -> None:
    """Fill `scored_texts` and `hubs`. Utterances and models must be in."""
    if variants:
        files = [str(path) for path in variants]
        con.execute(
            """
            INSERT INTO scored_texts
            SELECT u.utterance_number, u.recording_id, u.utterance_id, v.variant, v.text
            FROM read_parquet(?, union_by_name = true, hive_partitioning = false) v
            JOIN utterances u USING (recording_id, utterance_id)
            JOIN recordings r USING (recording_id)
            WHERE r.permission <> 'scores_only'
            ORDER BY v.variant, u.utterance_number
            """,
            [files],
        )
    for model in models:
        for setting in align.score_settings:
            if setting.is_hub_corrected:
                _insert_hubs(con, model, setting, hubs)


def _insert_hubs(
    con: duckdb.DuckDBPyConnection,
    model: ModelRef,
    setting: ScorerSetting,
    paths: Sequence[Path],
) -> None:
    """The rows of one scorer, by child and crop."""
    found = sorted((read_hubs(path) for path in paths), key=lambda hubs: hubs.child_id)
    for hubs in found:
        text = hubs.texts.get(setting.text)
        if text is None:
            continue
        crops = sorted(hubs.frames, key=lambda crop: crop.value)
        n = len(crops)
        table = pa.table(
            {
                "scorer": [setting.scorer(model.base)] * n,
                "child_id": [hubs.child_id] * n,
                "crop": [crop.value for crop in crops],
                "n_texts": pa.array([text.n] * n, pa.int64()),
                "n_frames": pa.array([hubs.frames[crop].n for crop in crops], pa.int64()),
                "text_mean": pa.array([text.vector] * n, pa.list_(pa.float32())),
                "frame_mean": pa.array(
                    [hubs.frames[crop].vector for crop in crops], pa.list_(pa.float32())
                ),
            }
        )
        con.register("hubs_read", table)
        con.execute(f"INSERT INTO {HUBS.name} BY NAME SELECT * FROM hubs_read")
        con.unregister("hubs_read")
