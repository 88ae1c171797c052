"""For the researcher: sets of trials, who rates them, and how far they are."""

from __future__ import annotations

import streamlit as st

from dashboard.components.rate_make import make_form, nothing_yet
from dashboard.components.rate_raters import invitations, progress, rater_actions
from dashboard.components.rate_sets import (
    set_choice,
    set_end,
    set_facts,
    set_files,
    set_pictures,
    take_file,
)
from dashboard.components.rate_state import rated_set, rating_screen, sets_of, show_told
from dashboard.components.view import bare_view, page_style

view = bare_view()
page_style()
st.title("Rate", anchor=False)
st.caption(
    "People answer what the model answered: which picture goes with these words? Make sets of "
    "trials, invite raters, and see how far they are. Raters see the rating screen only, never a "
    "score. Filters do not apply here."
)
show_told()
sets = sets_of(view.store)
if sets:
    rated = rated_set(view.store, set_choice(sets))
    set_facts(rated)
    st.subheader("Raters", anchor=False)
    invitations(view.store, rated)
    progress(view.store, rated)
    rater_actions(view.store, rated)
    st.subheader("The set", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # In another tab: a browser that rates shows the rating screen only from then on.
        st.link_button(
            "Open the rating screen",
            rating_screen(),
            icon=":material/open_in_new:",
            help="It asks for a code. A browser that rates shows nothing else of the dashboard: "
            "use a private window, or another browser.",
        )
        set_end(view.store, rated)
        set_files(view.store, rated)
    if rated.is_open:
        set_pictures(view.store, rated)
else:
    nothing_yet(view)
st.subheader("New", anchor=False)
with st.expander("Make a set", icon=":material/add:", expanded=not sets):
    make_form(view, [one.name for one in sets])
with st.expander("Take in answers from elsewhere", icon=":material/upload:"):
    take_file(view.store)
