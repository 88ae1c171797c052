"""The numbers behind a chart under column names that a reader understands."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.charts.children import Group

_TITLES: dict[str, str] = {
    "child_id": "Child",
    "recording_id": "Recording",
    "grp": "Group",
    "months": "Age (months)",
    "n": "Utterances",
    "n_children": "Children",
    "n_scored": "Scored utterances",
    "share": "Share highly aligned (0-1)",
    "low": "95 % interval from",
    "high": "95 % interval to",
    "chance": "Share expected by chance (0-1)",
    "mean": "Mean score",
    "mean_low": "Mean: 95 % interval from",
    "mean_high": "Mean: 95 % interval to",
    "excess": "Share above chance",
    "excess_low": "Above chance: 95 % interval from",
    "excess_high": "Above chance: 95 % interval to",
    "p_holm": "p of no excess (Holm)",
    "share_a": "Share under A (0-1)",
    "low_a": "A: 95 % interval from",
    "high_a": "A: 95 % interval to",
    "share_b": "Share under B (0-1)",
    "low_b": "B: 95 % interval from",
    "high_b": "B: 95 % interval to",
}


def readable(rows: pd.DataFrame, *columns: str, **titles: str) -> pd.DataFrame:
    """These columns of `rows`, those that exist, under readable names; `titles` overrides them."""
    known = [name for name in columns if name in rows.columns]
    return rows[known].rename(columns={**_TITLES, **titles})


def shares_table(shares: pd.DataFrame, groups: Sequence[Group]) -> pd.DataFrame:
    """The shares of each child and group; without a column of groups where there is only one."""
    shown = ["child_id"]
    if len(groups) > 1:
        names = {group.code: group.name for group in groups}
        shares = shares.assign(grp=shares["grp"].map(names))
        shown.append("grp")
    return readable(
        shares,
        *shown,
        *("n_scored", "share", "low", "high", "chance", "mean", "mean_low", "mean_high"),
    )
