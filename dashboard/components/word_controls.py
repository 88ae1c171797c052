"""Choosing which words are listed: part of a word, order, minimum count, page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from dashboard import labels
from dashboard.components.word_state import change_words, saved_words
from dashboard.queries.word_index import WordIndex
from dashboard.queries.word_table import WordPage
from dashboard.word_list import MAX_MIN_COUNT, NORM_PREFIX, PAGE_WORDS, SORTS, WordList
from pipeline.parts_of_speech import PARTS_OF_SPEECH

_SORT_WORDS = {
    "n": "Utterances",
    "word": "Alphabet",
    "mean": "Mean score",
    "z": "Mean z",
    "share": "Highly aligned",
}


def word_controls(listing: WordList, index: WordIndex, *, has_z: bool) -> None:
    """Search, part of speech, order, direction, minimum count, and shrinking."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state["word_search"] = listing.search
        st.text_input(
            "Word",
            key="word_search",
            placeholder="part of a word",
            max_chars=60,
            width=180,
            on_change=_take("word_search", lambda text: replace(_first(), search=str(text))),
            help="Finds a word by any of its forms: went finds go.",
        )
        _part_of_speech(listing, index)
        sorts = [sort for sort in SORTS if has_z or sort != "z"]
        sorts += [NORM_PREFIX + norm for norm in index.norms]
        st.session_state["word_sort"] = listing.sort if listing.sort in sorts else "n"
        st.selectbox(
            "Sort by",
            sorts,
            key="word_sort",
            format_func=lambda sort: _SORT_WORDS.get(sort, sort.removeprefix(NORM_PREFIX)),
            width=180,
            on_change=_take("word_sort", _sorted_by),
        )
        st.session_state["word_up"] = "up" if listing.is_ascending else "down"
        st.segmented_control(
            "Direction",
            ["down", "up"],
            key="word_up",
            format_func={"down": "High first", "up": "Low first"}.__getitem__
            if listing.sort != "word"
            else {"down": "Z to A", "up": "A to Z"}.__getitem__,
            required=True,
            on_change=_take("word_up", lambda way: replace(_first(), is_ascending=way == "up")),
        )
        _min_count(listing)
        st.session_state["word_shrink"] = listing.is_shrunk
        st.toggle(
            "Shrink rare words",
            key="word_shrink",
            on_change=_take("word_shrink", lambda on: replace(_first(), is_shrunk=bool(on))),
            help="A word heard a few times has a high or low mean by chance. Its shrunken mean is "
            "the best guess of its true mean: between its own and that of all words, nearer to "
            "that of all the less it was heard.",
        )


def part_control(listing: WordList, index: WordIndex) -> None:
    """Part of speech and minimum count."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _part_of_speech(listing, index)
        _min_count(listing)


def _part_of_speech(listing: WordList, index: WordIndex) -> None:
    known = [part for code, part in enumerate(PARTS_OF_SPEECH) if (index.parts == code).any()]
    if not known and not listing.part_of_speech:
        return
    st.session_state["word_part"] = listing.part_of_speech
    choices = ["", *known]
    if listing.part_of_speech not in choices:
        choices.append(listing.part_of_speech)
    st.selectbox(
        "Part of speech",
        choices,
        key="word_part",
        format_func=lambda part: part.capitalize() if part else "All words",
        width=160,
        on_change=_take("word_part", lambda part: replace(_first(), part_of_speech=str(part))),
        help="The most usual one of each word, from the study's norms and a list of function "
        "words; words in neither are only under All words.",
    )


def _min_count(listing: WordList) -> None:
    st.session_state["word_min"] = listing.min_count
    st.number_input(
        "At least (utterances)",
        1,
        MAX_MIN_COUNT,
        key="word_min",
        width=150,
        on_change=_take("word_min", lambda n: replace(_first(), min_count=int(str(n)))),
        help="Words heard in fewer scored utterances are hidden: their means say little.",
    )


def word_pager(listing: WordList, page: WordPage) -> None:
    """Page forward and back through the words."""
    n_pages = -(-page.n_listed // PAGE_WORDS)
    if n_pages < 2:
        return
    first = listing.page * PAGE_WORDS
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.button(
            "Earlier",
            key="words_earlier",
            icon=":material/chevron_left:",
            disabled=listing.page == 0,
            on_click=lambda: change_words(replace(saved_words(), page=listing.page - 1)),
        )
        st.caption(
            f"{labels.count(first + 1)}–{labels.count(min(page.n_listed, first + PAGE_WORDS))} "
            f"of {labels.count(page.n_listed)}",
            width="content",
        )
        st.button(
            "Later",
            key="words_later",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=listing.page + 1 >= n_pages,
            on_click=lambda: change_words(replace(saved_words(), page=listing.page + 1)),
        )


def _first() -> WordList:
    """The list as it is now, on its first page."""
    return replace(saved_words(), page=0)


def _sorted_by(sort: object) -> WordList:
    """Words start at A, numbers at the largest."""
    return replace(_first(), sort=str(sort), is_ascending=sort == "word")


def _take(key: str, change: Callable[[object], WordList]) -> Callable[[], None]:
    return lambda: change_words(change(st.session_state[key]))
