"""One set of trials: what it is, what was made of it, its files, its end."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.components.export_job import Work, export_button
from dashboard.components.rate_make import SET_PARAM
from dashboard.components.rate_state import RatedSet, attempt, rated_set
from dashboard.components.saved_state import people
from dashboard.components.url_choice import keep_in_url, url_value
from dashboard.data import StoreHandle
from pipeline.errors import SettingsError
from pipeline.exchange.bundle import BundledFile, write_bundle
from pipeline.exchange.table_export import Bundle
from pipeline.people.trial_records import ImageVariant, SetKind, TrialSet
from pipeline.people.trial_sets import close_set, delete_set
from pipeline.store.opening import open_current_store
from pipeline.validation.files.export import export_set
from pipeline.validation.files.import_report import ImportOptions
from pipeline.validation.files.take import import_files
from pipeline.validation.plan import has_sound, image_variant_of, settings_values
from pipeline.validation.prepare import prepare_set

_N_PROBLEMS = 10
"""Rows that could not be taken of which each is told why."""
_MODES = {"images": "Image trials", "utterances": "Utterance trials", "moment": "Moments"}


def set_choice(sets: Sequence[TrialSet]) -> TrialSet:
    """A menu of the sets, newest first; the chosen one is named in the address bar."""
    by_id = {str(one.set_id): one for one in sets}
    current = url_value(SET_PARAM, next(iter(by_id)), by_id.__contains__)
    # The newest one is named as well: a link must mean the same when another was made.
    keep_in_url(SET_PARAM, current, "")
    st.session_state["rate_set"] = current

    def take() -> None:
        keep_in_url(SET_PARAM, str(st.session_state["rate_set"]), "")

    st.selectbox(
        "Set",
        list(by_id),
        format_func=lambda number: _title(by_id[number]),
        key="rate_set",
        on_change=take,
        width=420,
    )
    return by_id[current]


def _title(one: TrialSet) -> str:
    notes = ["labels"] if one.kind is SetKind.LABELS else []
    notes += ["simulated"] if one.is_simulated else []
    notes += ["closed"] if one.closed_at else []
    return f"{one.name} ({', '.join(notes)})" if notes else one.name


def set_facts(rated: RatedSet) -> None:
    """What the set is, in a line, and how it was made."""
    one = rated.one
    seen = {
        ImageVariant.FULL_FRAME: "the whole frame",
        ImageVariant.MODEL_INPUT: "the square that the model saw",
    }[image_variant_of(one.settings)]
    parts = [
        labels.plural(rated.n_main, "moment" if rated.is_labels else "item"),
        f"raters see {seen}" + (" and may listen" if has_sound(one.settings) else ""),
        "with a consent text" if one.consent else "without a consent text",
        f"made on {one.created_at[:10]}",
    ]
    if one.closed_at:
        parts.append(f"closed on {one.closed_at[:10]}: takes no more answers")
    st.caption(f"{'. '.join((parts[0], '; '.join(parts[1:]).capitalize()))}.")
    if one.is_simulated:
        st.info("Simulated raters answered this set, not people.", icon=":material/smart_toy:")
    table = _strata(one.settings)
    if table is None and not one.consent:
        return
    with st.expander("How it was made"):
        if table is not None:
            st.dataframe(
                table,
                hide_index=True,
                placeholder=labels.NO_VALUE,
                column_config={
                    name: st.column_config.NumberColumn(format="%.3f") for name in ("From", "To")
                },
            )
            st.caption(_settings_note(one.settings))
        if one.consent:
            st.markdown("**Raters agree to**")
            st.text(one.consent)


def _strata(settings: str) -> pd.DataFrame | None:
    """What each score bin could give and gave; None for a set that came from elsewhere."""
    try:
        strata = settings_values(settings).get("strata")
    except SettingsError:
        return None
    if not isinstance(strata, list):
        return None
    rows: dict[object, dict[str, object]] = {}
    for each in strata:
        if not isinstance(each, dict):
            return None
        number = each.get("bin")
        row = rows.setdefault(
            number,
            {
                "Bin": number + 1 if isinstance(number, int) else None,
                "From": each.get("low"),
                "To": each.get("high"),
                "Could be had": each.get("n_candidates"),
            },
        )
        mode = str(each.get("mode"))
        row[_MODES.get(mode, mode)] = f"{each.get('n_made')} of {each.get('n_wanted')}"
    return pd.DataFrame(list(rows.values())) if rows else None


def _settings_note(settings: str) -> str:
    values = settings_values(settings)
    left_out = values.get("left_out")
    told = [
        f"Scores of {values.get('scorer')}, {values.get('crop')} crop, {values.get('window')} "
        f"window; seed {values.get('seed')}; store {values.get('store_build')}."
    ]
    if isinstance(left_out, dict) and left_out:
        reasons = "; ".join(f"{n} {reason}" for reason, n in left_out.items())
        told.append(f"Of {values.get('n_utterances')} utterances not used: {reasons}.")
    told.append(
        "The first and the last bin also hold scores beyond. A bin that runs short gives fewer "
        "trials; no other bin fills its place."
    )
    return " ".join(told)


def set_files(store: StoreHandle, rated: RatedSet) -> None:
    """The trial lists and answers as files."""
    one = rated.one

    def make(work: Work) -> Bundle:
        written = export_set(store.study_root, one.set_id, work.folder / "set")
        target = work.folder / f"{_stem(one.name)}.zip"
        write_bundle(target, [BundledFile(path, path.name) for path in written.files], [])
        return Bundle(target, written.n_answers)

    export_button(
        "Export lists and answers",
        key="rate_export",
        store=store,
        what=f"rating set {one.set_id}",
        identity=f"{one.set_id} {people(store).state()}",
        make=make,
    )


def set_pictures(store: StoreHandle, rated: RatedSet) -> None:
    """Make the pictures ahead: the first raters would wait for them."""
    if not st.button(
        "Make pictures ahead",
        icon=":material/image:",
        key="rate_pictures",
        help="Pictures are cut from the videos when a rater first needs them. Made ahead, nobody "
        "waits. You may stop it by leaving the page and go on later.",
    ):
        return
    bar = st.progress(0.0, "Making pictures …")

    def show(n_done: int, n_total: int) -> None:
        bar.progress(n_done / n_total, f"Making pictures … {n_done} of {n_total}")

    def make() -> tuple[str, ...]:
        root = store.study_root
        with open_current_store(root) as con:
            return prepare_set(con, root, rated.one.set_id, show).sentences

    attempt(make)
    st.rerun()


def set_end(store: StoreHandle, rated: RatedSet) -> None:
    """Close the set, or delete it with everything in it."""
    one, box = rated.one, people(store)

    def close() -> tuple[str, ...]:
        close_set(box, one.set_id)
        return (f"{one.name} takes no more answers.",)

    def delete() -> tuple[str, ...]:
        # Counted now: raters may have answered since the page was drawn.
        lost = rated_set(store, one)
        delete_set(box, one.set_id)
        return (
            f"{one.name} was deleted with {labels.plural(len(lost.progress), 'rater')} and "
            f"{labels.plural(lost.n_answers, 'answer')}.",
        )

    if rated.is_open:
        with st.popover("Close", icon=":material/lock:"):
            st.write("Nobody can join or answer any more. The answers stay. It cannot be undone.")
            st.button("Close the set", key="rate_close", on_click=attempt, args=(close,))
    with st.popover("Delete", icon=":material/delete:"):
        st.write("Deletes the set with its raters and all their answers. Export it first.")
        is_sure = st.checkbox("Yes, delete all of it", key=f"rate_sure_{one.set_id}")
        st.button(
            "Delete the set",
            key="rate_delete",
            disabled=not is_sure,
            on_click=attempt,
            args=(delete,),
        )


def take_file(store: StoreHandle) -> None:
    """Take in answers or trial lists that were made elsewhere."""
    st.write(
        "A CSV file in the columns of the published study, an export of Coview (its zip or one of "
        "its files), or jsPsych’s JSON. "
        "Answers to a set of this study are added to it; others make a set of their own."
    )
    given = st.file_uploader("File", type=["csv", "json", "tsv", "zip"], key="rate_import_file")
    skip = st.checkbox("Leave out rows that cannot be taken", key="rate_import_skip")

    def take() -> tuple[str, ...]:
        if given is None:
            raise ValueError("choose a file first")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(given.name).name
            path.write_bytes(given.getvalue())
            reports = import_files(store.study_root, path, ImportOptions(skip_bad_rows=skip))
        return tuple(
            line
            for report in reports
            for line in (*report.lines, *(one.words for one in report.problems[:_N_PROBLEMS]))
        )

    if st.button("Take it in", key="rate_import", icon=":material/upload:"):
        with st.spinner("Reading …"):
            attempt(take)
        st.rerun()


def _stem(name: str) -> str:
    kept = "".join(c if c.isalnum() else "-" for c in name.lower())
    return "-".join(part for part in kept.split("-") if part) or "set"
