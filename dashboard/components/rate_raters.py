"""The raters of a set: invite them, see how far they are, give them new codes, delete them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.components.rate_state import (
    NewCode,
    RatedSet,
    attempt,
    codes_of,
    keep_codes,
    link_of,
    put_codes_away,
    rated_set,
    raters_address,
)
from dashboard.components.saved_state import people
from dashboard.data import StoreHandle
from dashboard.plain import escaped
from pipeline.people.raters import (
    MAX_LABEL,
    RaterProgress,
    close_links,
    invite,
    new_code,
    open_link,
    withdraw_rater,
)
from pipeline.spreadsheet import csv_text

_REFRESH_S = 15
_SOURCES = {"here": "Rating screen", "simulated": "Simulated"}
_MAX_INVITED = 200


def invitations(store: StoreHandle, rated: RatedSet) -> None:
    """Ways to invite, then the codes that were just made, told once."""
    set_id = rated.one.set_id
    if rated.is_open:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            # A key that changes closes the popover, which would hide the codes.
            with st.popover(
                "Invite raters",
                icon=":material/person_add:",
                key=f"rate_invite_{set_id}_{len(rated.progress)}",
            ):
                _invite_form(store, rated)
            with st.popover(
                "Link for anyone",
                icon=":material/link:",
                key=f"rate_links_{set_id}_{len(rated.links)}",
            ):
                _link_form(store, rated)
    codes = codes_of(set_id)
    if codes:
        _codes_once(set_id, codes)
    open_now = [link for link in rated.links if link.closed_at is None]
    if open_now and rated.is_open:
        most = max(link.max_raters for link in open_now)
        st.caption(
            f"{labels.plural(len(open_now), 'link')} for anyone: "
            f"{labels.plural(open_now[0].n_joined, 'rater')} of at most {labels.count(most)} came."
        )


def _invite_form(store: StoreHandle, rated: RatedSet) -> None:
    names = st.text_area(
        "Names, one a line",
        key=f"rate_names_{len(rated.progress)}",
        placeholder="R01\nR02",
        help="Pseudonyms, not names of people: they stand in every export.",
    )

    def take() -> tuple[str, ...]:
        wanted = list(
            dict.fromkeys(
                " ".join(line.split()) for line in str(names or "").splitlines() if line.strip()
            )
        )
        if not wanted:
            raise ValueError("write at least one name")
        if len(wanted) > _MAX_INVITED:
            raise ValueError(f"at most {_MAX_INVITED} raters can be invited at once")
        known = {each.rater.label for each in rated.progress}
        taken = [name for name in wanted if name in known or len(name) > MAX_LABEL]
        if taken:
            raise ValueError(
                f"{taken[0][:MAX_LABEL]} is a rater of this set already, or too long a name"
            )
        box, set_id = people(store), rated.one.set_id
        made = [NewCode(set_id, name, invite(box, set_id, name)[1]) for name in wanted]
        keep_codes(made)
        return (f"{labels.plural(len(made), 'rater')} invited. Their codes are below.",)

    if st.button("Invite", key="rate_invite", type="primary"):
        attempt(take)
        st.rerun()


def _link_form(store: StoreHandle, rated: RatedSet) -> None:
    st.write(
        "Whoever has this link joins under the name that the link carries: Prolific fills in its "
        "participant’s id."
    )
    most = st.number_input("At most so many raters", 1, 5_000, 80, key="rate_link_most")

    def take() -> tuple[str, ...]:
        code = open_link(people(store), rated.one.set_id, int(most))
        keep_codes([NewCode(rated.one.set_id, None, code)])
        return ("The link is below.",)

    def close() -> tuple[str, ...]:
        close_links(people(store), rated.one.set_id)
        return ("Nobody new can join. Who has joined may go on.",)

    st.button("Make a link", key="rate_link", type="primary", on_click=attempt, args=(take,))
    if any(link.closed_at is None for link in rated.links):
        st.button("Close all links", key="rate_close_links", on_click=attempt, args=(close,))


def _codes_once(set_id: int, codes: list[NewCode]) -> None:
    """Codes with their links; only their digests are stored."""
    with st.container(border=True):
        st.markdown(
            "**New codes, shown only now.** Send each rater their own link. Keep the file: the "
            "study keeps no code, but a new one can be made at any time."
        )
        address = raters_address()
        table = pd.DataFrame(
            {
                "Rater": [one.label or "anyone" for one in codes],
                "Code": [one.code for one in codes],
                "Link": [link_of(one, address) for one in codes],
            }
        )
        st.dataframe(table, hide_index=True, key="rate_codes_table")
        with st.container(horizontal=True):
            st.download_button(
                "Codes as CSV",
                csv_text(table).encode(),
                file_name=f"codes-of-set-{set_id}.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="rate_codes_csv",
            )
            st.button(
                "I have kept them",
                key="rate_codes_away",
                on_click=put_codes_away,
                args=(set_id,),
            )


@st.fragment(run_every=_REFRESH_S)
def progress(store: StoreHandle, rated: RatedSet) -> None:
    """How far each rater is, read anew every few seconds."""
    rated = rated_set(store, rated.one)
    if not rated.progress:
        st.caption("Nobody was invited yet.")
        return
    n_done = sum(0 < each.n_trials <= each.n_answered for each in rated.progress)
    st.caption(
        f"{labels.plural(len(rated.progress), 'rater')}, {labels.count(n_done)} finished; "
        f"{labels.plural(rated.n_answers, 'label' if rated.is_labels else 'answer')} so far."
        + ("" if rated.is_labels else " Practice and catch trials count here.")
    )
    table = pd.DataFrame([_row(each) for each in rated.progress])
    if set(table["From"]) == {_SOURCES["here"]}:
        table = table.drop(columns="From")
    if rated.is_labels:
        table = table.drop(columns="List").rename(columns={"Answers": "Labels"})
    st.dataframe(
        table,
        hide_index=True,
        placeholder=labels.NO_VALUE,
        key=f"rate_progress_{rated.one.set_id}",
        column_config={
            "Done": st.column_config.ProgressColumn(format="%d %%", max_value=100),
            "List": st.column_config.NumberColumn(width="small"),
        },
    )


def _row(each: RaterProgress) -> dict[str, str | int | float | None]:
    rater = each.rater
    is_done = 0 < each.n_trials <= each.n_answered
    state = "Finished" if is_done else "Started" if each.n_answered else "Not started"
    return {
        "Rater": rater.label,
        "List": rater.list_number,
        "Done": min(100, 100 * each.n_answered // each.n_trials) if each.n_trials else 0,
        "Answers": f"{each.n_answered} of {each.n_trials}",
        "State": state,
        "Last answer (UTC)": (each.last_at or "").replace("T", " ")[:16] or labels.NO_VALUE,
        "From": "Simulated"
        if rater.is_simulated
        else _SOURCES.get(rater.source, f"File {rater.source}"),
    }


def rater_actions(store: StoreHandle, rated: RatedSet) -> None:
    """A new code for one rater, or their deletion."""
    if not rated.progress:
        return
    by_label = {each.rater.label: each for each in rated.progress}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        label = st.selectbox(
            "Rater", list(by_label), key=f"rate_rater_{rated.one.set_id}", width=260
        )
        each = by_label[label]
        rater_id, set_id = each.rater.rater_id, rated.one.set_id

        def renew() -> tuple[str, ...]:
            keep_codes([NewCode(set_id, label, new_code(people(store), rater_id))])
            return (f"{label} has a new code; the one before lets nobody in any more.",)

        def delete() -> tuple[str, ...]:
            # Counted now: the rater may have answered since the page was drawn.
            now = {p.rater.rater_id: p.n_answered for p in rated_set(store, rated.one).progress}
            withdraw_rater(people(store), rater_id)
            return (f"{label} was deleted with {labels.plural(now.get(rater_id, 0), 'answer')}.",)

        if each.rater.source == "here" and rated.is_open:
            st.button(
                "New code", icon=":material/key:", key="rate_renew", on_click=attempt, args=(renew,)
            )
        with st.popover("Delete the rater", icon=":material/person_remove:"):
            st.write(
                f"Deletes {escaped(label)} and all their answers for good, as when somebody "
                "withdraws."
            )
            st.button("Delete", key="rate_withdraw", on_click=attempt, args=(delete,))
