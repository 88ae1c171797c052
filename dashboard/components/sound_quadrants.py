"""Seen, heard, both or neither: numbers beside chance, the map of both scores, shares by group."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import data, labels, summaries
from dashboard.charts.sound import SHARE_NAMES, seen_by_heard, shares_of_groups
from dashboard.components.captions import MIN_DRAWN
from dashboard.components.figure import clicked_point, current_look
from dashboard.components.groups import groups_of
from dashboard.components.sound_headline import KINDS, counted, expected_share
from dashboard.components.url_choice import url_choice
from dashboard.components.view import View
from dashboard.filters import Filters
from dashboard.navigation import open_with_filters
from dashboard.queries import sound
from dashboard.queries.selection import AGE_BAND_DAYS
from dashboard.queries.sound import SURE_Z, Z_WIDTH

_MAX_DRAWN = 40
"""Groups beyond this are in the table only."""


def quadrant_section(view: View, counts: pd.DataFrame) -> None:
    """The four numbers and the map; a row or a click opens the moments."""
    st.subheader("Seen, heard, both or neither", anchor=False)
    _table(view, counts)
    squares = data.count(view.store, sound.joint_bins, view.filters, view.measure.scorer)
    clicked = clicked_point(
        seen_by_heard(squares, width=2 * Z_WIDTH, threshold=SURE_Z, look=current_look()),
        key="sound_map",
        title="See–say and hear–say of the same utterances",
        hint="A click on a dot opens the moments of its colour.",
        caption=f"n = {labels.count(int(counts['n_scored'].sum()))} utterances with both scores; "
        "dots grow with their number; z beyond ± 8 stands at the edge. Dotted lines: "
        f"{SURE_Z:g}.",
        setting="",
        table=squares.assign(quadrant=squares["quadrant"].map(labels.QUADRANTS)).rename(
            columns={
                "see": "See–say z from",
                "hear": "Hear–say z from",
                "quadrant": "Quadrant",
                "n": "Utterances",
            }
        ),
    )
    if clicked:
        open_with_filters(replace(view.filters, heard=(clicked[0],)))


def _table(view: View, counts: pd.DataFrame) -> None:
    n = max(1, int(counts["n_scored"].sum()))
    seen, heard, both = (expected_share(counts, kind) for kind in KINDS)
    expected = {
        "seen_and_heard": both,
        "seen_only": seen - both,
        "heard_only": heard - both,
        "neither": 1 - seen - heard + both,
    }
    shares = {name: summaries.overall_share(counted(counts, (name,))) for name in expected}
    shown = pd.DataFrame(
        {
            "": [labels.QUADRANTS[name] for name in expected],
            "Utterances": [int(counts[name].sum()) for name in expected],
            "%": [100 * int(counts[name].sum()) / n for name in expected],
            "95 %": [
                f"{100 * share.low:.1f} to {100 * share.high:.1f}"
                if share.is_known
                else labels.NO_VALUE
                for share in shares.values()
            ],
            "By chance (%)": [100 * value for value in expected.values()],
        }
    )
    event = st.dataframe(
        shown,
        hide_index=True,
        key="sound_quadrants",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "%": st.column_config.NumberColumn(format="%.1f"),
            "By chance (%)": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    st.caption(
        f"Of {labels.count(int(counts['n_scored'].sum()))} utterances with scores. Seen: see–say z "
        f"of at least {SURE_Z:g}; heard: hear–say z of at least {SURE_Z:g}. By chance: if neither "
        "picture nor sound had anything to do with the words, or with each other; slightly more "
        "than 5 % each, as every z rests on a limited number of other moments. Choose a row to "
        "open its moments."
    )
    chosen = event["selection"]["rows"]
    if chosen:
        open_with_filters(replace(view.filters, heard=(list(expected)[chosen[0]],)))


def group_section(view: View) -> None:
    """Shares by child, speaker, age, activity or location."""
    options = view.store.options
    splits = ["child", *(split for split in options.splits if split != "none")]
    st.subheader("Whose words go with what is seen and heard?", anchor=False)
    split = url_choice("Split by", splits, param="by", default="child", words=_split_name)
    wanted = "none" if split == "child" else split
    counts = data.count(
        view.store, sound.quadrant_counts, view.filters, view.measure.scorer, wanted
    )
    rows = _rows(view, counts, split)
    drawn = rows[rows["n"] >= MIN_DRAWN]
    if drawn.empty:
        st.caption(f"No group has {MIN_DRAWN} utterances with scores.")
        return
    kept = drawn["label"].drop_duplicates().head(_MAX_DRAWN)
    n_left_out = rows["label"].nunique() - len(kept)
    left_out = (
        f"In the table only: {labels.plural(n_left_out, 'group')} of fewer than {MIN_DRAWN} "
        f"utterances, or beyond the first {_MAX_DRAWN}. "
        if n_left_out
        else ""
    )
    clicked = clicked_point(
        shares_of_groups(
            drawn[drawn["label"].isin(kept)],
            axis="Share of utterances with scores (%)",
            look=current_look(),
        ),
        key=f"sound_groups_{split}",
        title=f"Seen and heard utterances by {_split_name(split).lower()}",
        hint="A click on a dot opens these moments.",
        caption=f"{left_out}Interval: 95 %, bootstrap over recordings; none for a group of one "
        "recording. Ticks: by chance. Groups differ in how much there was to hear, too.",
        setting="",
        table=rows.assign(kind=rows["kind"].map(SHARE_NAMES))
        .rename(
            columns={
                "label": _split_name(split),
                "kind": "What",
                "n": "Utterances with scores",
                "share": "Share",
                "low": "95 % from",
                "high": "95 % to",
                "expected": "By chance",
            }
        )
        .drop(columns="code"),
    )
    if clicked:
        open_with_filters(_narrowed(view.filters, split, clicked[0], KINDS[clicked[1]]))


def _rows(view: View, counts: pd.DataFrame, split: str) -> pd.DataFrame:
    """One row per group and kind of share: label, code, kind, share, low, high, expected, n."""
    key = "child_id" if split == "child" else "grp"
    known = counts[counts[key].notna()]
    names = {
        group.code: group.name
        for group in groups_of(split, view.store.options, current_look())
        if split != "child"
    }
    tables = []
    for kind, quadrants in KINDS.items():
        shares = summaries.shares_by(counted(known, quadrants), [key])
        codes = shares[key].astype(str)
        sums = known.groupby(key)[[f"expected_{kind}", "n_scored"]].sum()
        by_chance = sums[f"expected_{kind}"] / sums["n_scored"].where(sums["n_scored"] > 0)
        tables.append(
            shares.assign(code=codes, label=codes.map(lambda code: names.get(code, code)))
            .assign(kind=kind, n=shares["n_scored"], expected=shares[key].map(by_chance))
            .loc[:, ["label", "code", "kind", "share", "low", "high", "expected", "n"]]
        )
    rows = pd.concat(tables, ignore_index=True)
    order = {code: place for place, code in enumerate(names)}
    rows["place"] = rows["code"].map(lambda code: order.get(code, len(order)))
    return rows.sort_values(["place", "code", "kind"], ignore_index=True).drop(columns="place")


def _split_name(split: str) -> str:
    return "Child" if split == "child" else labels.GROUPS[split]


def _narrowed(filters: Filters, split: str, code: str, heard: tuple[str, ...]) -> Filters:
    """The filters with one group and these quadrants."""
    chosen = replace(filters, heard=tuple(sorted(heard)))
    if split == "age":
        first = round(int(code) * AGE_BAND_DAYS)
        return replace(
            chosen, min_age_days=first, max_age_days=round((int(code) + 1) * AGE_BAND_DAYS) - 1
        )
    field = {
        "child": "children",
        "speaker": "speakers",
        "activity": "activities",
        "location": "locations",
    }[split]
    return replace(chosen, **{field: (code,)})  # type: ignore[arg-type]
