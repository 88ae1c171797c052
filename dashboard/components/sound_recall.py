"""The recall table: can the systems tell what belongs together? Within recordings first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.sound import recall_dots
from dashboard.components.figure import current_look, show_figure
from dashboard.components.url_choice import url_choice
from dashboard.queries.sound import Recalls
from pipeline.published import PUBLISHED_RECALL, PUBLISHED_RECALL_NOTE
from pipeline.sound.evaluate import pooled_warnings
from pipeline.sound.retrieval import Scope
from pipeline.sound.systems import SYSTEMS
from pipeline.sound_results import RecallRow

_TITLES = {system.name: system.title for system in SYSTEMS}
_GALLERIES = {"visual": "Picture", "audio": "Sound"}
_ORDER = (
    *(
        ("visual", kind)
        for kind in ("visual captions", "audio captions", "audio-visual captions", "utterances")
    ),
    ("visual", "audio"),
    *(
        ("audio", kind)
        for kind in ("audio captions", "visual captions", "audio-visual captions", "utterances")
    ),
)
"""Rows in the order of the published table; utterances stand in for captions behind them."""


def recall_section(found: Recalls, scoring: str = "") -> None:
    """Chart and tables; a hint when no system was tested. `scoring` is the system that scored the
    utterances: the sentence is about it.
    """
    st.subheader("Can the system tell what belongs together?", anchor=False)
    if not found.rows:
        st.caption(
            "No system was trained to be tested. `sound train` holds whole recordings back and "
            "tells how often what belongs together is found there."
        )
        return
    rows = _of_seed(found.rows)
    within = [row for row in rows if row.scope == Scope.WITHIN.value]
    pooled = [row for row in rows if row.scope == Scope.POOLED.value]
    st.markdown(_sentence(within or pooled, scoring))
    warnings = pooled_warnings(_titled(rows))
    if len(warnings) == 1:
        st.warning(warnings[0], icon=":material/meeting_room:")
    elif warnings:
        st.warning(
            f"{len(warnings)} of the pairs below are found among all recordings, but not within "
            "one: what is recognised there may be the room only.",
            icon=":material/meeting_room:",
        )
        with st.expander("Which pairs"):
            st.markdown("\n".join(f"- {warning}" for warning in warnings))
    drawn = within or pooled
    show_figure(
        recall_dots(_frame(drawn), list(_TITLES.values()), look=current_look()),
        key="sound_recall",
        title="How often the own clip is among the ten best"
        + (" of its recording" if within else " of all test clips"),
        caption=f"n = {_range(row.n for row in drawn)} test clips of recordings that no system has "
        "learnt from. Interval: 95 %, bootstrap over clips; clips of one recording resemble each "
        "other, so it is somewhat too narrow. Ticks: guessing.",
        setting="",
        subject=_learnt_from(rows),
        table=_long(rows),
    )
    with st.expander("As a table, one column for each system", expanded=True):
        for title, part in (
            ("Among the clips of the same recording", within),
            ("Among all test clips", pooled),
        ):
            st.markdown(f"**{title}**")
            if part:
                st.dataframe(
                    recall_layout(part, "" if part is within else found.corpus),
                    hide_index=True,
                    column_config={"Retrieve": st.column_config.TextColumn(pinned=True)},
                )
            else:
                st.caption("No recording has more than ten test clips, so this cannot be told.")
        st.caption(f"{_small_print(rows)}{_published(found.corpus)}")


def _of_seed(rows: Sequence[RecallRow]) -> list[RecallRow]:
    """The rows of one seed; a choice when there are several."""
    seeds = sorted({row.seed for row in rows})
    seed = str(seeds[0])
    if len(seeds) > 1:
        seed = url_choice("Seed", [str(one) for one in seeds], param="seed", default=seed)
    return [row for row in rows if str(row.seed) == seed]


def _sentence(rows: Sequence[RecallRow], scoring: str) -> str:
    """How well a system finds the picture that goes with a sound, or what it can find."""
    asked = [row for row in rows if row.system == scoring] or list(rows)
    best = next((row for row in asked if (row.gallery, row.query) == ("visual", "audio")), asked[0])
    is_within = best.scope == Scope.WITHIN.value
    among = "among the clips of its recording" if is_within else "among all test clips"
    what = f"{_GALLERIES[best.gallery].lower()} that goes with {_query_words(best.query)}"
    verdict = (
        "more often than by guessing" if best.lower > best.chance else "no better than by guessing"
    )
    return (
        f"Given ten guesses {among}, the system “{_TITLES.get(best.system, best.system)}” finds "
        f"the {what} for **{labels.percent(best.recall_at_10, 0)}** of clips (95 %: "
        f"{labels.percent_range(best.lower, best.upper, 0)}), against "
        f"**{labels.percent(best.chance, 0)}** by guessing: {verdict}."
    )


def _query_words(query: str) -> str:
    return {"audio": "a sound", "utterances": "an utterance"}.get(query, f"one of the {query}")


def _titled(rows: Sequence[RecallRow]) -> list[RecallRow]:
    """The rows with systems by their titles, for sentences."""
    return [replace(row, system=f"“{_TITLES.get(row.system, row.system)}”") for row in rows]


def _label(gallery: str, query: str) -> str:
    by = "sound" if query == "audio" else query
    return f"{_GALLERIES[gallery]}, by {by}"


def _in_order(rows: Sequence[RecallRow]) -> list[RecallRow]:
    places = {key: place for place, key in enumerate(_ORDER)}
    return sorted(rows, key=lambda row: places.get((row.gallery, row.query), len(places)))


def _frame(rows: Sequence[RecallRow]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "label": _label(row.gallery, row.query),
                "system": _TITLES.get(row.system, row.system),
                "recall": row.recall_at_10,
                "low": row.lower,
                "high": row.upper,
                "chance": row.chance,
                "n": row.n,
            }
            for row in _in_order(rows)
        ]
    )


def _long(rows: Sequence[RecallRow]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "System": _TITLES.get(row.system, row.system),
                "Retrieve": _GALLERIES[row.gallery],
                "By": "sound" if row.query == "audio" else row.query,
                "Among": "same recording" if row.scope == Scope.WITHIN.value else "all test clips",
                "Recall at 10": row.recall_at_10,
                "95 % from": row.lower,
                "95 % to": row.upper,
                "By guessing": row.chance,
                "Clips": row.n,
                "Queries left out": row.n_left_out,
                "Learnt from": row.text or "captions",
                "Seed": row.seed,
            }
            for row in _in_order(rows)
        ]
    )


def recall_layout(rows: Sequence[RecallRow], corpus: str) -> pd.DataFrame:
    """One line per query in the published order, one column per system, chance and n; with a
    `corpus`, the values published of it stand below each line.
    """
    lines: list[dict[str, str]] = []
    systems = [name for name in _TITLES if any(row.system == name for row in rows)]
    for gallery, query in _ORDER:
        mine = {row.system: row for row in rows if (row.gallery, row.query) == (gallery, query)}
        if not mine:
            continue
        cells = {
            _TITLES[name]: f"{100 * mine[name].recall_at_10:.0f} % "
            f"({100 * mine[name].lower:.0f}–{100 * mine[name].upper:.0f})"
            if name in mine
            else labels.NO_VALUE
            for name in systems
        }
        lines.append(
            {
                "Retrieve": _label(gallery, query),
                "By guessing": f"{_range(round(100 * row.chance) for row in mine.values())} %",
                "Clips": _range(row.n for row in mine.values()),
                **cells,
            }
        )
        published = PUBLISHED_RECALL.get((gallery, query), {}) if corpus else {}
        if published:
            shown = {
                _TITLES[name]: f"{100 * published[name]:.0f} %" if name in published else ""
                for name in systems
            }
            lines.append(
                {"Retrieve": "   published", "By guessing": "5 %", "Clips": "200", **shown}
            )
    return pd.DataFrame(lines)


def _range(values: Iterable[int]) -> str:
    found = sorted(set(values))
    if found[0] == found[-1]:
        return labels.count(found[0])
    return f"{labels.count(found[0])}–{labels.count(found[-1])}"


def _learnt_from(rows: Sequence[RecallRow]) -> str:
    said = sorted({row.text for row in rows if row.text})
    return f"Systems learnt from {' and from '.join(said)}." if said else "Learnt from captions."


def _small_print(rows: Sequence[RecallRow]) -> str:
    n_left_out = max(row.n_left_out for row in rows)
    left_out = (
        f" In up to {labels.plural(n_left_out, 'case')} of a line there were ten clips or fewer to "
        "search among; these say nothing and are left out."
        if n_left_out
        else ""
    )
    return (
        "In brackets: 95 % interval. Rows name what is looked for, and by what; columns systems. "
        f"{_learnt_from(rows)} Sound and picture of one recording share a room: a system that only "
        f"knows rooms apart does well among all clips, not within a recording.{left_out}"
    )


def _published(corpus: str) -> str:
    return f" {PUBLISHED_RECALL_NOTE}" if corpus else ""
