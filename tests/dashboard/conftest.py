"""Stores of every kind that a page must be able to show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.factories import write_synthetic_study

APP = Path(__file__).parents[2] / "dashboard" / "app.py"

VARIANTS: dict[str, dict[str, object]] = {
    "everything": {"n_utterances": 400},
    "one child": {"n_children": 1, "n_recordings": 3},
    "one recording": {"n_children": 1, "n_recordings": 1},
    "one recording each": {"n_children": 3, "n_recordings": 3},
    "no speakers": {"with_speakers": False},
    "no ages": {"with_ages": False},
    "no contexts": {"with_contexts": False},
    "no null": {"with_null": False},
    "no threshold": {"threshold": None},
    "two models": {"scorers": ("synthetic", "synthetic-b")},
}

Page = Callable[..., AppTest]


def assert_plotly_accepts(spec: dict) -> None:
    """Let Plotly look at every property of a chart, which the dashboard does not."""
    go.Figure(spec)


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The study of a variant, made once."""
    made: dict[str, Path] = {}

    def study(variant: str) -> Path:
        if variant not in made:
            root = tmp_path_factory.mktemp(variant.replace(" ", "-"))
            write_synthetic_study(root, **{"n_utterances": 120, **VARIANTS[variant]})
            made[variant] = root
        return made[variant]

    return study


@pytest.fixture(scope="session")
def everything(studies: Callable[[str], Path]) -> Path:
    """The store with everything, which nobody may change."""
    return studies("everything") / "derived" / "stores" / "store-synthetic.duckdb"


@pytest.fixture
def store(everything: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the store with everything."""
    with duckdb.connect(str(everything), read_only=True) as con:
        yield con


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, studies: Callable[[str], Path]) -> Page:
    """Open one page of the app on one variant, with parameters in the address bar."""

    def open_(page: str = "", variant: str = "everything", **params: str | list[str]) -> AppTest:
        monkeypatch.setenv("COVIEW_STUDY", str(studies(variant)))
        app = AppTest.from_file(str(APP), default_timeout=120)
        if page:
            app.run()
            app.switch_page(f"app_pages/{page}.py")
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        for drawn in app.get("plotly_chart"):
            assert_plotly_accepts(json.loads(drawn.proto.spec))
        return app

    yield open_
    st.cache_data.clear()
    st.cache_resource.clear()
