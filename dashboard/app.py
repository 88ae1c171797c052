"""Coview's dashboard: `streamlit run dashboard/app.py`.

Streamlit reads this file twice: it imports it to find `app`, the server, and it runs it as a
script for every view of a page.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st
from starlette.middleware import Middleware

from dashboard import data, navigation
from dashboard.access.copies import BeingMadeError
from dashboard.access.gate import Gate
from dashboard.access.serving import refuse_unguarded
from dashboard.access.session import (
    DOOR,
    FILES,
    REFUSALS,
    WAYS_BACK,
    current_viewer,
    signed_in_name,
)
from dashboard.access.viewer import NotLetInError
from dashboard.components.being_made import being_made_screen
from dashboard.components.icon import ICON
from dashboard.components.problems import told_kindly
from dashboard.components.rating_pointer import is_rater, rating_pointer
from dashboard.components.sign_in import sign_in_screen, signed_in_as
from dashboard.export_desk import export_routes, sweep_exports
from dashboard.figure_scripts import figure_routes
from dashboard.keeping import keep
from dashboard.place import study_root
from dashboard.rating.guard import closed_to_raters
from dashboard.rating.routes import rating_routes
from dashboard.server import clip_routes
from dashboard.warming import warm_up
from pipeline.media.file_cache import sweep_clips


def show_page() -> None:
    """Page config and navigation, then the page that the address asks for."""
    st.set_page_config(page_title="Coview", page_icon=ICON, layout="wide")
    try:
        viewer = current_viewer()
    except NotLetInError as problem:
        sign_in_screen(problem)
        return
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
    opened = st.Page(navigation.OPENED, title="Who opened what", url_path="opened")
    welcome = st.Page(navigation.WELCOME, title="Welcome", default=True)

    # Every address leads a rater to the same few words, so the pages stay known.
    is_to_rate = is_rater() or not viewer.role.opens_pages
    position: Literal["hidden", "sidebar"] = "hidden" if is_to_rate else "sidebar"
    # Answers of raters and probes are about all children at once.
    sees_all = viewer.children is None
    shows_opened = viewer.role.manages and not viewer.is_local
    try:
        is_shown = is_to_rate or data.is_ready()
    except BeingMadeError as problem:
        # Known already, so that the address leads to its page when the wait is over.
        explore = [overview, children, moments, words, saved, compare, models]
        st.navigation([*explore, predictors, sound, quality, provenance, export], position="hidden")
        being_made_screen(problem)
        return
    if is_shown:
        sections = {
            "Explore": [overview, children, moments, words, saved],
            "Compare": [compare, models],
            "Validate": [*([rate] if viewer.role.manages else []), *([agreement] * sees_all)],
            "Explain": [predictors, *([drives] * sees_all), sound],
            "Data": [quality, provenance, export, *([opened] * shows_opened)],
        }
        page = st.navigation(
            {name: pages for name, pages in sections.items() if pages},
            position=position,
            expanded=True,
        )
    else:
        page = st.navigation([welcome], position=position)
    with told_kindly():
        if not viewer.is_local:
            signed_in_as(viewer)
        if position == "hidden":
            rating_pointer()
        else:
            page.run()


if __name__ == "__main__":
    show_page()
else:
    refuse_unguarded(study_root())
    keep(study_root(), sweep_exports, sweep_clips)
    warm_up(study_root)
    base_path = st.get_option("server.baseUrlPath")
    app = st.App(
        __file__,
        routes=[
            *rating_routes(study_root, base_path, signed_in=signed_in_name, refusals=REFUSALS),
            *closed_to_raters(
                [
                    *clip_routes(study_root, base_path=base_path, door=DOOR, refusals=REFUSALS),
                    *figure_routes(base_path),
                    *export_routes(DOOR, REFUSALS, base_path),
                ],
                REFUSALS,
            ),
        ],
        middleware=[
            Middleware(
                Gate,
                door=DOOR,
                files=FILES,
                refusals=REFUSALS,
                ways_back=WAYS_BACK,
                base_path=base_path,
                allowed_hosts=lambda: st.get_option("server.allowedHosts"),
            )
        ],
    )
