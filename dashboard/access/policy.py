"""What a page of the dashboard may load and run: as little as Streamlit can do with."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def content_policy() -> str:
    """The Content-Security-Policy of every answer.

    Styles are written into the page by Streamlit and Plotly. Of scripts in the page, only those
    that Streamlit's own page came with may run: nothing that somebody writes into a text can. Its
    components are modules that its script makes itself (blob:).
    """
    scripts = " ".join(["'self'", "blob:", *(f"'sha256-{one}'" for one in _digests(_page_text()))])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-src 'self'; frame-ancestors 'none'"
    )


def _digests(page: str) -> list[str]:
    """SHA-256 of the scripts that stand in a page, as browsers want it."""
    return [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE.findall(page)
    ]


def _page_text() -> str:
    spec = find_spec("streamlit")
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        page = Path(folder) / "static" / "index.html"
        if page.is_file():
            return page.read_text(encoding="utf-8")
    return ""
