"""The form that makes a set of trials, or of moments for experts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import count

import streamlit as st

from dashboard import labels
from dashboard.components.rate_fields import Scoring, number, scoring_fields
from dashboard.components.rate_state import attempt
from dashboard.components.url_choice import keep_in_url
from dashboard.components.view import View
from pipeline.people.trial_records import TrialMode
from pipeline.store.opening import open_current_store
from pipeline.validation.consent import consent_of
from pipeline.validation.plan import MAX_CLOSING, Foils, LabelPlan, TrialPlan, label_plan
from pipeline.validation.told import sentences
from pipeline.validation.trial_set import make_set

SET_PARAM = "set"
Planned = Callable[[str], TrialPlan | LabelPlan]

_KINDS = {"4afc": "Choose one of four", "labels": "Label moments (experts)"}
_MODES = {
    "both": (TrialMode.IMAGES, TrialMode.UTTERANCES),
    "images": (TrialMode.IMAGES,),
    "utterances": (TrialMode.UTTERANCES,),
}
_MODE_WORDS = {
    "both": "Both",
    "images": "An utterance with four images",
    "utterances": "An image with four utterances",
}
_FOIL_WORDS = {Foils.SAME_CHILD.value: "The same child", Foils.ANY_CHILD.value: "Any child"}


def make_form(view: View, taken: Collection[str]) -> None:
    """Draw the form; a set that was made is opened. `taken` are the names of the others."""
    kind = st.segmented_control(
        "What raters do",
        list(_KINDS),
        default="4afc",
        required=True,
        format_func=_KINDS.__getitem__,
        key="rate_kind",
    )
    with st.form("rate_make", border=False, enter_to_submit=False):
        # A key of its own for each number of sets: the next set starts with another free name.
        name = st.text_input(
            "Name", _free_name(taken), max_chars=80, key=f"rate_name_{len(taken)}", width=420
        )
        planned = _label_fields(view) if kind == "labels" else _trial_fields(view)
        consent = st.file_uploader(
            "Consent text: a text file that raters agree to before they start",
            type=["txt", "md"],
            key="rate_consent",
        )
        closing = st.text_input(
            "At the end raters read",
            max_chars=MAX_CLOSING,
            key="rate_closing",
            placeholder="Such as a completion code, or the https link that Prolific gives",
        )
        is_asked = st.form_submit_button("Make the set", icon=":material/add:", type="primary")
    if is_asked:
        given = None if consent is None else (consent.getvalue(), consent.name)
        with st.spinner("Drawing moments and dealing lists …"):
            attempt(lambda: _make(view, planned, name, closing.strip(), given))
        st.rerun()


def _free_name(taken: Collection[str]) -> str:
    return next(name for n in count(len(taken) + 1) if (name := f"Set {n}") not in taken)


def _make(
    view: View, planned: Planned, name: str, closing: str, consent: tuple[bytes, str] | None
) -> tuple[str, ...]:
    plan = replace(planned(name), closing=closing)
    text = "" if consent is None else consent_of(*consent)
    root = view.store.study_root
    with open_current_store(root) as con:
        new = make_set(con, root, plan, consent=text)
    keep_in_url(SET_PARAM, str(new.set_id), "")
    return (f"{new.name} was made.", *sentences(new))


def _trial_fields(view: View) -> Planned:
    with st.container(horizontal=True):
        lists = number("Lists", 20, 1, 1_000, "Each rater works through one list.")
        per_list = number("Trials a list", 40, 4, 500, "Practice and catch trials come on top.")
        per_item = number(
            "Raters an item", 4, 1, 50, "Lists that share an item, so that agreement can be told."
        )
        bins = number("Score bins", 8, 1, 50, "Targets come in equal numbers from each.")
    with st.container(horizontal=True):
        mode = st.selectbox(
            "Questions", list(_MODES), format_func=_MODE_WORDS.__getitem__, key="rate_mode"
        )
        foils = st.selectbox(
            "Wrong options from",
            list(_FOIL_WORDS),
            format_func=_FOIL_WORDS.__getitem__,
            key="rate_foils",
        )
    is_matched = st.checkbox("Wrong options as long as the right one (± 1 word)", key="rate_match")
    scoring = scoring_fields(view, with_sound=False)
    with st.container(horizontal=True):
        n_catch = number("Catch trials", 2, 0, 20, "“Please choose picture 3”, in each list.")
        n_practice = number("Practice trials", 3, 0, 20, "Before each list; they do not count.")
        seed = number("Seed", 1, 0, 2**31 - 1, "The same seed gives the same lists.")

    def planned(name: str) -> TrialPlan:
        return replace(
            scoring.plan(name, bins=bins, seed=seed),
            lists=lists,
            per_list=per_list,
            modes=_MODES[mode],
            foils=Foils(foils),
            is_matched_on_length=is_matched,
            raters_per_item=per_item,
            n_catch=n_catch,
            n_practice=n_practice,
        )

    return planned


def _label_fields(view: View) -> Planned:
    with st.container(horizontal=True):
        n_moments = number("Moments", 100, 1, 20_000, "Every expert may label all of them.")
        bins = number("Score bins", 8, 1, 50, "Moments come in equal numbers from each.")
        seed = number("Seed", 1, 0, 2**31 - 1, "The same seed gives the same moments.")
    scoring: Scoring = scoring_fields(view, with_sound=True)

    def planned(name: str) -> LabelPlan:
        return label_plan(scoring.plan(name, bins=bins, seed=seed), n_moments)

    return planned


def nothing_yet(view: View) -> None:
    """What to do when the study has no set."""
    st.info(
        "No set of trials yet. Make one below from "
        f"{labels.plural(len(view.store.options.children), 'child')} of this study, invite raters, "
        "and see on Human agreement what a score means to people. Or take in a file of answers.",
        icon=":material/how_to_vote:",
    )
