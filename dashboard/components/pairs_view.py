"""Highly and lowly aligned utterances side by side, alike in child, speaker and length."""

from __future__ import annotations

import random

import streamlit as st

from dashboard import data, labels
from dashboard.charts.look import speaker_colours
from dashboard.components.captions import threshold_text
from dashboard.components.figure import current_look
from dashboard.components.moment_facts import moment_title
from dashboard.components.moment_player import Margins, margin_choice, player, why_no_clip
from dashboard.components.moment_web import Json, Piece
from dashboard.components.url_choice import keep_in_url, url_value
from dashboard.components.view import View
from dashboard.moment_list import MAX_SEED
from dashboard.navigation import open_moment
from dashboard.queries import moment as queries
from dashboard.queries.pairs import (
    LOW_SHARE,
    MAX_WORDS_APART,
    PAGE_PAIRS,
    Pair,
    PairCount,
    Side,
    pair_count,
    pair_page,
)

_ROWS = Piece("pair_rows", html='<ol class="rows"></ol>')
_KEY = "pair_rows"


def pairs_view(view: View) -> None:
    """The list of pairs on the left, the chosen pair on the right."""
    count = data.load(view.store, pair_count, view.filters, view.measure)
    if not count.n_paired:
        st.info(_why_none(count), icon=":material/compare:")
        return
    n_pages = -(-count.n_paired // PAGE_PAIRS)
    seed = _number("pair_seed", 1, MAX_SEED)
    page = min(_number("pair_page", 0, 1_000_000), n_pages - 1)
    pairs = data.load(view.store, pair_page, view.filters, view.measure, count, seed, page)
    chosen = min(_number("pair", 0, PAGE_PAIRS - 1), len(pairs) - 1)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.caption(_note(view, count))
        _rows(pairs, chosen)
        _pager(count, seed, page, n_pages)
    with right:
        margins = margin_choice()
        columns = st.columns(2, gap="medium")
        for column, side, name, key in (
            (columns[0], pairs[chosen].high, "Highly aligned", "1"),
            (columns[1], pairs[chosen].low, "Lowly aligned", "2"),
        ):
            with column:
                _side(view, side, name, key, margins)


def _side(view: View, side: Side, name: str, key: str, margins: Margins) -> None:
    found = data.load(
        view.store, queries.moment, side.recording_id, side.utterance_id, view.measure
    )
    if found is None:
        return
    unit = "cosine" if view.measure.scale == "raw" else "z"
    st.markdown(f"**{name}** · {unit} {side.score:.3f}")
    moment_title(found)
    reason = why_no_clip(found)
    if reason:
        st.info(reason, icon=":material/videocam_off:")
    else:
        player(found, margins, play_key=key)
    if st.button("Open", icon=":material/open_in_full:", key=f"pair_open_{key}"):
        keep_in_url("view", "list", "list")
        open_moment(side.recording_id, side.utterance_id)


def _rows(pairs: tuple[Pair, ...], chosen: int) -> None:
    colours = speaker_colours(current_look())
    drawn: list[Json] = [
        {
            "is_open": place == chosen,
            "high": {"score": f"{pair.high.score:.3f}", "text": pair.high.text or labels.NO_WORDS},
            "low": {"score": f"{pair.low.score:.3f}", "text": pair.low.text or labels.NO_WORDS},
            "meta": f"{pair.child_id} · {labels.SPEAKERS.get(pair.speaker, pair.speaker)} · "
            f"{_words(pair)}",
            "colour": colours.get(pair.speaker, colours["NA"]),
        }
        for place, pair in enumerate(pairs)
    ]

    def choose() -> None:
        place = st.session_state[_KEY].opened
        if place is not None:
            keep_in_url("pair", str(int(place)), "0")

    _ROWS.draw(key=_KEY, data={"rows": drawn}, on_opened=choose)


def _words(pair: Pair) -> str:
    if pair.high.n_words == pair.low.n_words:
        return labels.plural(pair.high.n_words, "word")
    return f"{pair.high.n_words} and {labels.plural(pair.low.n_words, 'word')}"


def _pager(count: PairCount, seed: int, page: int, n_pages: int) -> None:
    def go(to: int, new_seed: int = seed) -> None:
        keep_in_url("pair_page", str(to), "0")
        keep_in_url("pair_seed", str(new_seed), "1")
        keep_in_url("pair", "0", "0")

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Earlier",
            icon=":material/chevron_left:",
            key="pairs_earlier",
            disabled=page == 0,
            on_click=go,
            args=(page - 1,),
        )
        last = min(count.n_paired, (page + 1) * PAGE_PAIRS)
        st.caption(
            f"{labels.count(page * PAGE_PAIRS + 1)}–{labels.count(last)} "
            f"of {labels.count(count.n_paired)}",
            width="content",
        )
        st.button(
            "Later",
            icon=":material/chevron_right:",
            icon_position="right",
            key="pairs_later",
            disabled=page + 1 >= n_pages,
            on_click=go,
            args=(page + 1,),
        )
        st.button(
            "Draw again",
            icon=":material/shuffle:",
            key="pairs_draw",
            on_click=go,
            args=(0, random.randrange(MAX_SEED)),
            help=f"Seed {seed}. The same seed gives the same pairs on every machine.",
        )


def _note(view: View, count: PairCount) -> str:
    lonely = count.n_high - count.n_paired
    without = f"; {labels.count(lonely)} more have no partner" if lonely else ""
    limit = "" if count.low_limit is None else f" (up to {count.low_limit:.3f})"
    return (
        f"{labels.count(count.n_paired)} highly aligned utterances ({threshold_text(view.measure)} "
        f"or more), each with one of the same child and speaker from the lowest "
        f"{100 * LOW_SHARE:.0f} % of scores{limit} and with as many words, at most "
        f"{MAX_WORDS_APART} more or fewer{without}. In random order. Keys 1 and 2 play."
    )


def _why_none(count: PairCount) -> str:
    if not count.n_high:
        return "No utterance is highly aligned under these filters. Lower the threshold."
    return (
        f"None of the {labels.count(count.n_high)} highly aligned utterances has a lowly aligned "
        "one of the same child, speaker and length. Take off a filter."
    )


def _number(param: str, default: int, high: int) -> int:
    return int(
        url_value(
            param,
            str(default),
            lambda text: text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= high,
        )
    )
