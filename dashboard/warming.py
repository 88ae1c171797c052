"""Get ready before the first person comes: slow imports, compiled loops, the store's file read.

It runs in a thread of the server beside its start, so that nobody waits for it.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb

from pipeline.compiled import FEW
from pipeline.errors import StoreError
from pipeline.stats import counting, tallies
from pipeline.stats.lemmas import sums
from pipeline.store.locate import current_store_path

_SLOW_IMPORTS = (
    "pandas",
    "plotly.io",
    "scipy.special",
    "dashboard.summaries",
    "dashboard.charts.distribution",
    "dashboard.charts.children",
    "dashboard.queries.moments",
)


def warm_up(study_root: Callable[[], Path]) -> None:
    """Start getting ready; failures are left to the first page, which tells them."""
    threading.Thread(target=_warm_up, args=(study_root,), name="warm-up", daemon=True).start()


def _warm_up(study_root: Callable[[], Path]) -> None:
    for name in _SLOW_IMPORTS:
        importlib.import_module(name)
    try:
        path = current_store_path(study_root())
        if path is not None:
            with duckdb.connect(str(path), read_only=True) as con:
                sql = (
                    "SELECT count(DISTINCT recording_id), max(age_days), count(*) FROM scores_wide"
                )
                *_, n_scores = con.execute(sql).fetchall()[0]
            if n_scores > FEW:
                counting.prepare()
                tallies.prepare()
                sums.prepare()
    except (StoreError, duckdb.Error, OSError):
        return
