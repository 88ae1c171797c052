"""Texts made to hurt: shown as written on every page, and no more than text to every query."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np
import streamlit as st
from google.protobuf.message import Message  # type: ignore[import-untyped]
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node

from dashboard import filters, marked, moment_list, word_list
from pipeline.records import ModelRef
from pipeline.vision.text_client import TextEncoder
from tests.torture import Count, Plan
from tests.torture.hostile.texts import MARKUP, SQL, make_hostile_study, opened, unescaped
from tests.torture.watching.server import running

TITLE = "Hostile text"
_APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
PAGES = (
    *("overview", "moments", "saved", "words", "children", "compare_windows", "quality"),
    *("export", "rating", "agreement", "models", "provenance", "predictors", "drives", "sound"),
)
_SMALL_PAGES = ("overview",)
_ASKED_PAGES = ("moments", "words", "saved", "children")
_PICTURE = MARKUP[2]
_MARKDOWN_FIELDS = frozenset(("body", "label", "help", "caption", "content", "text"))
"""Fields of Streamlit's messages that its pages read as Markdown."""
_PLAIN = frozenset(
    (
        *("text_input", "text_area", "arrow_data_frame", "plotly_chart", "code", "text", "json"),
        *("bidi_component", "html", "number_input", "iframe", "exception"),
    )
)
"""Elements that show text as it is, or whose pages escape it themselves."""


def run(plan: Plan) -> Iterator[Count]:
    """A row for what is shown, one for what is asked in addresses, one for what is typed."""
    began = time.monotonic()
    store = make_hostile_study(plan.folder / "study")
    with (
        patch.dict(os.environ, {"COVIEW_STUDY": str(plan.folder / "study")}),
        patch.object(TextEncoder, "embed", _vector),
    ):
        yield _shown(store, _SMALL_PAGES if plan.small else PAGES)
        # A small run is bounded by its numbers.
        yield _asked(store, plan, began + (60.0 if plan.small else plan.seconds * 0.5))
    st.cache_data.clear()
    st.cache_resource.clear()
    if not plan.small:  # tests/browser types a little of it
        yield _typed(plan, began + plan.seconds)


def _shown(store: Path, pages: tuple[str, ...]) -> Count:
    """Every text on every page that is read as Markdown has what is hostile in it escaped."""
    moment = opened(store)
    tried, wrong = 0, []
    for page in pages:
        app = _page(page, {"recording": moment.recording_id, "utterance": moment.utterance_id})
        tried += 1
        found = sorted({piece for text in markdown_of(app) if (piece := unescaped(text))})
        if app.exception:
            found.append(f"an error trace: {app.exception[0].value}")
        if found:
            wrong.append(
                f"{page}: {found[0]!r}" + (f" and {len(found) - 1} more" * (len(found) > 1))
            )
    return Count("pages of a study full of markup", tried, tried - len(wrong), tuple(wrong))


def _asked(store: Path, plan: Plan, until_s: float) -> Count:
    """Texts in the address: no error trace, none that Markdown would act upon is shown as it is,
    and the store stays as it is to the byte."""
    before = _digest(store)
    keys = (
        *filters.URL_KEYS.values(),
        *moment_list.URL_KEYS.values(),
        *word_list.URL_KEYS.values(),
    )
    names = sorted({*keys, *marked.URL_KEYS, "recording", "utterance", "word", "about"})
    tried, wrong = 0, []
    texts = SQL[:1] if plan.small else (*MARKUP, *SQL)
    pages = _ASKED_PAGES[:1] if plan.small else _ASKED_PAGES
    # One part alone as well: what all parts together choose is mostly nothing.
    alone = [moment_list.URL_KEYS["look"]] if plan.small else names
    cases = [(page, {name: _PICTURE}) for name, page in product(alone, pages[:1])]
    cases += [(page, dict.fromkeys(names, text)) for text, page in product(texts, pages)]
    for page, asked in cases:
        if time.monotonic() > until_s:
            break
        tried += 1
        text = next(iter(asked.values()))
        try:
            app = _page(page, asked)
        except UnicodeEncodeError:
            continue  # Half a character cannot be sent in an address.
        if app.exception:
            wrong.append(f"{page} with {text[:30]!r}: {app.exception[0].value}")
        elif found := next(filter(None, map(unescaped, markdown_of(app))), None):
            wrong.append(f"{page} with {text[:30]!r} shows {found!r}")
    if _digest(store) != before:
        wrong.append("the store has changed")
        tried += 1
    what = f"pages with hostile texts in {len(names)} parts of the address"
    return Count(what, tried, tried - len(wrong), tuple(wrong))


def _typed(plan: Plan, until_s: float) -> Count:
    """Texts typed into every box of every page, in a real browser."""
    from tests.torture.hostile.typing_in import PATHS, TEXTS, chromium_path, own_browser, typist

    chromium = chromium_path()
    if chromium is None or plan.study is None:
        missing = "no Chromium" if chromium is None else "no demo study"
        return Count(f"texts typed into the boxes of pages: {missing}, not tried", 0, 0)
    study = plan.folder / "typed"
    shutil.copytree(plan.study, study)
    n_pages = 0
    with (
        running(study, plan.folder) as server,
        own_browser(chromium) as browser,
        typist(browser, f"http://127.0.0.1:{server.port}") as hands,
    ):
        # All pages get the first text before any gets the others.
        for texts, path in product((TEXTS[:1], TEXTS[1:]), PATHS):
            if not hands.type_into_page(path, texts, until_s):
                break
            n_pages += 1
        wrong = (*hands.wrong, *(f"the log: {line}" for line in server.errors()))
        tried = max(hands.n_typed, len(wrong))
    what = f"hostile texts typed into a box of one of {len(PATHS)} pages ({n_pages} visits)"
    return Count(what, tried, tried - len(wrong), wrong)


def _vector(client: TextEncoder, text: str, model: ModelRef) -> tuple[float, ...]:
    """In place of the text encoder, which the study has none of and would look for each time."""
    seed = int.from_bytes(hashlib.sha256(text.encode(errors="replace")).digest()[:8], "little")
    vector = np.random.default_rng(seed).normal(size=model.dim)
    return tuple((vector / np.linalg.norm(vector)).tolist())


def markdown_of(app: AppTest) -> Iterator[str]:
    """Every text of a page that Streamlit reads as Markdown."""
    for element in _elements(app._tree):
        proto = getattr(element, "proto", None)
        if element.type not in _PLAIN and isinstance(proto, Message):
            yield from _texts(proto)


def _elements(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Block):
        for child in node.children.values():
            yield from _elements(child)


def _texts(proto: Message) -> Iterator[str]:
    for field, value in proto.ListFields():
        values = value if not isinstance(value, (str, bytes, Message)) else [value]
        if field.type == field.TYPE_STRING and field.name in _MARKDOWN_FIELDS:
            yield from (str(one) for one in values)
        elif field.type == field.TYPE_MESSAGE:
            for one in values:
                if isinstance(one, Message):
                    yield from _texts(one)


def _page(page: str, params: Mapping[str, str]) -> AppTest:
    app = AppTest.from_file(str(_APP), default_timeout=120)
    if page != PAGES[0]:
        app.run()
        app.switch_page(f"app_pages/{page}.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
