"""Coview's dashboard: `streamlit run dashboard/app.py`.

Streamlit reads this file twice: it imports it to find `app`, the server, and it runs it as a
script for every view of a page.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dashboard import data, navigation
from dashboard.components.icon import ICON
from dashboard.components.problems import told_kindly
from dashboard.components.rating_pointer import is_rater, rating_pointer
from dashboard.export_desk import export_routes
from dashboard.figure_scripts import figure_routes
from dashboard.rating.guard import closed_to_raters
from dashboard.rating.routes import rating_routes
from dashboard.server import clip_routes
from dashboard.warming import warm_up


def show_page() -> None:
    """Page config and navigation, then the page that the address asks for."""
    st.set_page_config(page_title="Coview", page_icon=ICON, layout="wide")
    overview = st.Page(navigation.OVERVIEW, title="Overview", default=True)
    children = st.Page(navigation.CHILDREN, title="Children", url_path="children")
    moments = st.Page(navigation.MOMENTS, title="Moments", url_path="moments")
    words = st.Page(navigation.WORDS, title="Words", url_path="words")
    saved = st.Page(navigation.SAVED, title="Saved", url_path="saved")
    compare = st.Page(navigation.COMPARE, title="Crops and windows", url_path="crops-and-windows")
    models = st.Page(navigation.MODELS, title="Models", url_path="models")
    agreement = st.Page(navigation.AGREEMENT, title="Human agreement", url_path="human-agreement")
    rate = st.Page(navigation.RATE, title="Rate", url_path="rating")
    predictors = st.Page(navigation.PREDICTORS, title="Predictors", url_path="predictors")
    drives = st.Page(navigation.DRIVES, title="What drives the score", url_path="drives")
    sound = st.Page(navigation.SOUND, title="Sound", url_path="sound")
    quality = st.Page(navigation.QUALITY, title="Quality", url_path="quality")
    provenance = st.Page(navigation.PROVENANCE, title="Provenance", url_path="provenance")
    export = st.Page(navigation.EXPORT, title="Export", url_path="export")
    welcome = st.Page(navigation.WELCOME, title="Welcome", default=True)

    # Every address leads a rater to the same few words, so the pages stay known.
    position: Literal["hidden", "sidebar"] = "hidden" if is_rater() else "sidebar"
    if data.is_ready():
        page = st.navigation(
            {
                "Explore": [overview, children, moments, words, saved],
                "Compare": [compare, models],
                "Validate": [rate, agreement],
                "Explain": [predictors, drives, sound],
                "Data": [quality, provenance, export],
            },
            position=position,
            expanded=True,
        )
    else:
        page = st.navigation([welcome], position=position)
    with told_kindly():
        if position == "hidden":
            rating_pointer()
        else:
            page.run()


if __name__ == "__main__":
    show_page()
else:
    warm_up(data.study_root)
    base_path = st.get_option("server.baseUrlPath")
    app = st.App(
        __file__,
        routes=[
            *rating_routes(data.study_root, base_path),
            *closed_to_raters(
                [
                    *clip_routes(data.study_root, base_path=base_path),
                    *figure_routes(base_path),
                    *export_routes(base_path),
                ]
            ),
        ],
    )
