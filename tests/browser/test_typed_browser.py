"""What is typed into a page stays text: a few boxes here, all of them in `tests.torture`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.torture.hostile.texts import MARKUP, SQL
from tests.torture.hostile.typing_in import typist

pytestmark = pytest.mark.browser

PAGES = ("/words", "/predictors?ask=formula")
TEXT = f"{MARKUP[1]} {MARKUP[2]} {MARKUP[3]} {SQL[0]}"
"""HTML, a picture and a link in Markdown, and quotes of SQL."""


def test_what_is_typed_stays_text(served_synthetic: tuple[Path, str], chromium: Browser):
    with typist(chromium, served_synthetic[1]) as hands:
        for path in PAGES:
            assert hands.type_into_page(path, (TEXT,), time.monotonic() + 60)
        assert hands.wrong == []
        assert hands.n_typed >= len(PAGES)
