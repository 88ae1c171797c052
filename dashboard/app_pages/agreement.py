"""What does a score mean to people? Choices of four and experts' labels against the score."""

from __future__ import annotations

import streamlit as st

from dashboard import data
from dashboard.components.human_answers import answers_of
from dashboard.components.human_choice import human_choice, simulated_banner, stop_when_mixed
from dashboard.components.human_curve import LEVELS_STATE, accuracy_curve
from dashboard.components.human_export import in_r
from dashboard.components.human_fits import human_fits_of
from dashboard.components.human_headline import human_headline, threshold_box
from dashboard.components.human_labels import label_view
from dashboard.components.human_parts import mixed_part, mode_part, time_part
from dashboard.components.human_raters import agreement_part, exclusions_part
from dashboard.components.saved_state import people, write_problem
from dashboard.components.theme_watch import theme_watch
from dashboard.components.url_choice import url_choice
from dashboard.components.view import bare_view, page_style
from dashboard.queries.human_answers import (
    answered_sets,
    human_labels,
    human_summary,
)
from pipeline.people.trial_records import SetKind

_PARTS = {
    "model": "Mixed model",
    "raters": "Agreement",
    "left_out": "Raters left out",
    "time": "Time and place",
    "kinds": "Kinds of trial",
}

view = bare_view()
page_style()
st.title("Human agreement", anchor=False)
with st.sidebar:
    theme_watch()
written = people(view.store)
state = written.state()
choice = human_choice(data.load(view.store, answered_sets, written, state))
write_problem()
if choice is None:
    st.info(
        "Nobody has answered a trial yet. Make a set of trials on the page Rate and invite raters, "
        "or read in answers that were collected elsewhere.",
        icon=":material/how_to_reg:",
    )
    st.code(
        "python -m pipeline trials STUDY\npython -m pipeline answers import STUDY FILE",
        language=None,
        wrap_lines=True,
    )
    st.stop()
simulated_banner(choice)
if choice.kind is SetKind.LABELS:
    given = data.load(view.store, human_labels, written, state, choice.set_ids)
    if given is not None:
        label_view(choice, given)
    st.stop()

stop_when_mixed(choice)
table = answers_of(view.store, written, state, choice.set_ids)
results = data.load_given(view.store, table, human_summary, state, choice.set_ids, choice.results)
if not results.after.people.n:
    st.info("No answer is left. Take fewer raters out, or choose another kind of trial.")
    st.stop()
fits = human_fits_of(f"{view.store.key} {state} {choice.set_ids}", table, choice.results)
human_headline(choice, results, fits)
left, right = st.columns([7, 4], gap="large")
with left:
    accuracy_curve(choice, results, fits)
with right:
    st.subheader("What score do people need?", anchor=False)
    if fits is None:
        st.caption("The curve is being fitted.")
    else:
        threshold_box(view.store, choice, fits)
    st.toggle("Published levels in the chart", value=True, key=LEVELS_STATE)
part = url_choice("More", tuple(_PARTS), param="part", default="model", words=_PARTS.__getitem__)
if part == "model" and fits is not None:
    mixed_part(view.store, choice, fits)
    in_r(choice, table, fits)
elif part == "raters":
    agreement_part(results)
elif part == "left_out":
    exclusions_part(results, fits)
elif part == "time":
    time_part(choice, results)
elif part == "kinds":
    mode_part(results)
