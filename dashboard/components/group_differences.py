"""Differences between the groups of a split, with intervals; speakers also at equal frames."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import contrasts, data, labels
from dashboard.charts.children import Group
from dashboard.components.captions import p_text
from dashboard.components.view import View
from dashboard.queries.matched import MOST_FRAMES, SpeakerDifferences, speaker_differences
from pipeline.stats.contrasts import Contrast
from pipeline.stats.matched import MatchedDifference

_DRAWN = (
    "Intervals: 95 %, recordings drawn once for both sides, within children; p by Student’s t of "
    "the same spread."
)


def group_differences(
    view: View, split: str, counts: pd.DataFrame, groups: Sequence[Group]
) -> None:
    """What sets the groups apart. counts: `counts_by_recording` with the split."""
    if split == "speaker":
        found = data.count(view.store, speaker_differences, view.filters, view.measure)
        if found is not None:
            _speakers(view, found, counts)
    elif split != "none":
        _each_against_others(counts, groups)


def _speakers(view: View, found: SpeakerDifferences, counts: pd.DataFrame) -> None:
    st.subheader("Adults minus key child", anchor=False)
    rows = [
        *_rows("Share (%)", found.share, 100, 1),
        *_rows("Mean score", found.mean, 1, 4),
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="speaker_differences")
    share = found.share
    left_out = share.n_first_left_out + share.n_second_left_out
    st.caption(
        f"Adults: FEM and MAL. Of longer utterances more frames are compared, so their maximum is "
        "higher by chance alone. At equal numbers of frames every utterance is weighted so that "
        "both sides have the same distribution of frames, "
        f"{_levels(share.levels)}; {labels.plural(left_out, 'utterance')} with a number that the "
        f"other side does not have left out. {_DRAWN}"
    )
    by_child = contrasts.speakers_by_child(counts)
    n_found = int((by_child["p_holm"] < contrasts.SIGNIFICANT).sum())
    with st.expander("Adults minus key child, child by child"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Child": by_child["child_id"],
                    "Adults’ utterances": by_child["n_adults"],
                    "Key child’s": by_child["n_child"],
                    "Difference (points)": 100 * by_child["difference"],
                    "95 % from": 100 * by_child["low"],
                    "95 % to": 100 * by_child["high"],
                    "p (Holm)": [p_text(p) for p in by_child["p_holm"]],
                }
            ),
            hide_index=True,
            placeholder=labels.NO_VALUE,
            key="speakers_by_child",
            column_config={
                name: st.column_config.NumberColumn(format="%.1f")
                for name in ("Difference (points)", "95 % from", "95 % to")
            },
        )
        st.caption(
            f"p < .05 in {n_found} of {labels.plural(len(by_child), 'child')} after correction "
            "for their number by Holm. No interval where a side has no two recordings."
        )


def _rows(
    name: str, found: MatchedDifference, scale: float, digits: int
) -> list[dict[str, str | int]]:
    n_first = found.n_first + found.n_first_left_out
    n_second = found.n_second + found.n_second_left_out
    sides = (
        ("", found.plain, found.plain_first, found.plain_second, n_first, n_second),
        (
            *(", equal frames", found.matched, found.first, found.second),
            *(found.n_first, found.n_second),
        ),
    )
    return [
        {
            "": f"{name}{how}",
            "Adults": _number(scale * first, digits),
            "Key child": _number(scale * second, digits),
            **_difference(contrast, scale, digits),
            "p": p_text(contrast.p),
            "n adults": n_a,
            "n key child": n_b,
        }
        for how, contrast, first, second, n_a, n_b in sides
    ]


def _each_against_others(counts: pd.DataFrame, groups: Sequence[Group]) -> None:
    found = contrasts.group_differences(counts)
    if not found:
        return
    st.subheader("Each group against all others", anchor=False)
    names = {group.code: group.name for group in groups}
    rows = [
        {
            "Group": names.get(one.code, one.code),
            "Share (%)": _number(100 * one.share, 1),
            "All others (%)": _number(100 * one.others, 1),
            **_difference(one.difference, 100, 1),
            "p (Holm)": p_text(one.p_holm),
            "n": one.n,
            "n others": one.n_others,
        }
        for one in sorted(found, key=lambda one: list(names).index(one.code))
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="group_differences")
    st.caption(
        f"{_DRAWN} p is corrected for the number of groups by Holm. Children differ in how much of "
        "each group they have, so part of a difference may be one between children."
    )


def _difference(contrast: Contrast, scale: float, digits: int) -> dict[str, str]:
    interval = contrast.interval
    return {
        "Difference": _signed(scale * contrast.estimate, digits),
        "95 % from": _signed(scale * interval.low, digits),
        "95 % to": _signed(scale * interval.high, digits),
    }


def _levels(levels: Sequence[int]) -> str:
    if not levels:
        return "but there is no number that both have"
    last = f"{levels[-1]} or more" if levels[-1] == MOST_FRAMES else f"{levels[-1]}"
    return f"{levels[0]} frame" if len(levels) == 1 else f"{levels[0]} to {last} frames"


def _number(value: float, digits: int) -> str:
    # NaN is the only value unequal to itself.
    return labels.NO_VALUE if value != value else f"{value:.{digits}f}"


def _signed(value: float, digits: int) -> str:
    return labels.NO_VALUE if value != value else f"{value:+.{digits}f}"
