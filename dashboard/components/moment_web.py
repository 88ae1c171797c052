"""The small pieces of HTML, style and script that the moments are drawn with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

_FOLDER = Path(__file__).parent / "web"


class Piece:
    """Draws one piece; what a click in it sends is read from `st.session_state[key]`."""

    def __init__(self, name: str, html: str = "") -> None:
        """Made of web/NAME.js, NAME.css and `html` (or NAME.html)."""
        self._mount = st.components.v2.component(
            f"coview_{name}",
            html=html or (_FOLDER / f"{name}.html").read_text(encoding="utf-8"),
            css=(_FOLDER / f"{name}.css").read_text(encoding="utf-8"),
            js=(_FOLDER / f"{name}.js").read_text(encoding="utf-8"),
        )

    def draw(
        self,
        *,
        key: str,
        data: dict[str, Json],
        on_opened: Callable[[], None] | None = None,
        on_expired: Callable[[], None] | None = None,
    ) -> Mapping[str, object]:
        """Draw it with `data`; the callbacks run when it sends "opened" or "expired"."""
        result: Mapping[str, object] = self._mount(
            key=key, data=data, on_opened_change=on_opened, on_expired_change=on_expired
        )
        return result
