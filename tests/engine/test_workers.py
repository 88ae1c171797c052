"""Several worker processes make what one process makes, whatever becomes of them."""

import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.engine.runner import Run, RunOptions
from pipeline.store.locate import current_store_path, stores_folder
from pipeline.store.publish import store_digests
from pipeline.study import open_study


def cosines(root: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(current_store_path(root)), read_only=True) as con:
        return con.execute(
            "SELECT COLUMNS('.*cosine$|.*null_mean$|.*null_sd$') FROM scores_wide"
        ).fetchall()


def test_two_workers_give_the_same_store_as_one(tiny_demo_copy: Path) -> None:
    """Texts and times are equal; cosines agree up to the rounding of other thread counts."""
    before = store_digests(current_store_path(tiny_demo_copy))  # type: ignore[arg-type]
    scores = cosines(tiny_demo_copy)
    for stage in ("speech", "text", "align"):
        shutil.rmtree(tiny_demo_copy / "derived" / stage)
    # Of the frames, which cost most, two recordings are enough for two workers.
    for path in (tiny_demo_copy / "derived" / "vision").glob("*/*_01~*"):
        path.unlink()
    shutil.rmtree(stores_folder(tiny_demo_copy))
    options = RunOptions(device="cpu", n_workers=2)
    Run(open_study(tiny_demo_copy), options, lambda event: None).execute()
    after = store_digests(current_store_path(tiny_demo_copy))  # type: ignore[arg-type]
    rounded = {"frame_embeddings", "utterance_embeddings", "lags", "scores_wide"}
    assert {t: d for t, d in after.items() if t not in rounded} == {
        t: d for t, d in before.items() if t not in rounded
    }
    for row, other in zip(cosines(tiny_demo_copy), scores, strict=True):
        assert row == pytest.approx(other, abs=1e-4, nan_ok=True)
