"""What a page with one chart takes over an empty page, when Streamlit runs it again.

Both are run as in a session, without a browser: the page asks for the study's store, makes the
chart and draws it with its caption and menu; the empty page imports Streamlit. Answers that the
dashboard remembers are not asked for: the chart is made anew in every run.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from pipeline.serving import STUDY_VARIABLE

RUNS, WARM_UP = 20, 5
_PAGE = "from benchmarks.charts_rerun import draw\ndraw({chart!r})\n"
_EMPTY = "import streamlit as st\n"
_LONGEST_S = 60


def draw(chart: str) -> None:
    """The page: to be called in a session of Streamlit."""
    from benchmarks.charts_speed_ways import WAYS, OpenStore
    from dashboard import data
    from dashboard.components.figure import show_figure
    from dashboard.filters import Filters

    store = data.current_store()
    opened = OpenStore(store.connection, store.options, store.arrays)
    show_figure(WAYS[chart].make(opened, Filters()), key="chart", title=chart, caption="n")


def rerun_ms(study: Path, chart: str) -> float:
    """Milliseconds of the processor: median of RUNS of the page less that of the empty page.

    Both are run by turns, so that other work on the machine slows both.
    """
    os.environ[STUDY_VARIABLE] = str(study)
    page, empty = (
        AppTest.from_string(script, default_timeout=_LONGEST_S)
        for script in (_PAGE.format(chart=chart), _EMPTY)
    )
    pairs = [(_took(page.run), _took(empty.run)) for _ in range(WARM_UP + RUNS)][WARM_UP:]
    if page.exception:
        raise RuntimeError(f"{chart}: {page.exception[0].message}")
    of_page, of_empty = zip(*pairs, strict=True)
    return float(statistics.median(of_page) - statistics.median(of_empty))


def _took(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return 1_000 * (time.process_time() - begun)
