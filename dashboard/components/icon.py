"""The picture in the browser's tab, drawn here: Streamlit fetches its own icons from the web."""

from __future__ import annotations

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="12.5" cy="16" r="9.5" fill="#0b62a4" fill-opacity="0.75"/>'
    '<circle cx="19.5" cy="16" r="9.5" fill="#d55e00" fill-opacity="0.75"/></svg>'
)
"""Two overlapping discs: what was heard and what was seen."""
