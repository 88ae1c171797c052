"""Get ready before the first person comes: the opening page's numbers, slow imports, compiled
loops.

It runs in a thread of the server beside its start, so that nobody waits for it. What it counts
lies in the same cache that the pages ask, so a page that comes early waits for the rest only.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

from pipeline.compiled import FEW
from pipeline.errors import StoreError

_SLOW_IMPORTS = (
    "plotly.io",
    "streamlit.emojis",
    "dashboard.components.filter_sidebar",
    "dashboard.components.headline",
    "dashboard.components.missing_data",
    "dashboard.components.figure",
    "dashboard.charts.distribution",
    "dashboard.charts.children",
    "dashboard.queries.moments",
)


def warm_up(study_root: Callable[[], Path]) -> threading.Thread:
    """Start getting ready; failures are left to the first page, which tells them."""
    thread = threading.Thread(target=_warm_up, args=(study_root,), name="warm-up", daemon=True)
    thread.start()
    return thread


def _warm_up(study_root: Callable[[], Path]) -> None:
    try:
        n_scores = _count_ahead(study_root())
    except (StoreError, duckdb.Error, OSError):
        n_scores = 0
    for name in _SLOW_IMPORTS:
        with suppress(ImportError):  # Streamlit's own parts may go by other names one day
            importlib.import_module(name)
    if n_scores > FEW:
        from pipeline import ratio_moments
        from pipeline.stats import choosing, products, tallies
        from pipeline.stats.lemmas import sums

        choosing.prepare()
        tallies.prepare()
        ratio_moments.prepare()
        sums.prepare()
        products.prepare()


def _count_ahead(root: Path) -> int:
    """Count what the opening page shows without filters; how many utterances that were."""
    # Imported here: the server answers before these are.
    from dashboard import data
    from dashboard.filters import Filters
    from dashboard.overview_numbers import overview_numbers
    from dashboard.queries.selection import resolve_measure

    store = data.open_ahead(root)
    if store is None:
        return 0
    filters = Filters()
    numbers = overview_numbers(store, filters, resolve_measure(filters, store.options.models))
    return 0 if numbers is None else int(numbers.counts["n_utterances"].sum())
