"""What the dashboard shows to a browser that someone rates in: the way to the rating screen."""

from __future__ import annotations

import streamlit as st

from dashboard.rating.passes import is_raters_browser
from dashboard.rating.routes import ROUTE


def is_rater() -> bool:
    """Whether the person who looks came to rate."""
    return is_raters_browser(st.context.cookies)


def rating_pointer() -> None:
    """Say so, and nothing of the study."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    address = f"{'/' + base if base else ''}{ROUTE}/"
    st.title("Rating")
    st.write("This browser is used for rating, so it shows the rating screen only.")
    # Not st.link_button, which opens another tab.
    st.html(f'<p><a href="{address}" target="_self">Go to the rating screen</a></p>')
    st.caption(
        "For the dashboard, open this address in another browser or in a private window, or sign "
        "out on the rating screen and close this browser."
    )
