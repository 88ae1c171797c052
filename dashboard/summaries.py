"""From counts to numbers on screen: shares with intervals, chance levels, sweeps.

Frames of `dashboard.queries` in, frames and intervals out; nothing here reads a store.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.labels import DAYS_PER_MONTH, age_range, plural
from dashboard.queries.selection import MISSING_REASONS
from pipeline.stats.bootstrap import (
    Interval,
    ratio_interval,
    ratio_intervals,
    share_interval,
    share_intervals,
)
from pipeline.stats.chance import expected_above, expected_shares
from pipeline.stats.histogram import nice_width, spread_of

Floats = NDArray[np.float64]

MANY_RECORDINGS = 1_000
_SUMS = ("n_utterances", "n_scored", "n_high", "sum_score", "sum_sq")


def overall_share(counts: pd.DataFrame) -> Interval:
    """Share of scored utterances at or above the threshold, from `counts_by_recording`."""
    rows = _per_recording(counts)
    return share_interval(_floats(rows, "n_high"), _floats(rows, "n_scored"), _codes(rows))


def missing_by_reason(counts: pd.DataFrame) -> dict[str, int]:
    """Utterances without a score by reason, most first; reasons that never hold are left out."""
    found = {reason: int(counts[f"n_{reason}"].sum()) for reason in MISSING_REASONS}
    return {reason: n for reason, n in sorted(found.items(), key=lambda item: -item[1]) if n}


def shares_by(counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One row per value of `keys` (child_id, grp, recording_id, or several of them).

    Columns: the keys, n_utterances, n_scored (denominator), share, low, high (95 %, NaN with a
    single recording), mean, mean_low, mean_high, n_recordings, min_age_days, max_age_days.
    """
    rows = _per_recording(counts, keys)
    group, names = _grouped(rows, keys)
    if (group < 0).any():
        rows, group = rows[group >= 0], group[group >= 0]
    found = names.reset_index(drop=True)
    found["n_utterances"] = np.bincount(group, _floats(rows, "n_utterances")).astype(np.int64)
    found["n_recordings"] = np.bincount(group)
    for name, extreme in (("min_age_days", np.fmin), ("max_age_days", np.fmax)):
        ages = np.full(len(names), np.nan)
        extreme.at(ages, group, _floats(rows, "age_days"))
        found[name] = ages
    n_scored = _floats(rows, "n_scored")
    shares = share_intervals(_floats(rows, "n_high"), n_scored, group)
    means = ratio_intervals(_floats(rows, "sum_score"), n_scored, group)
    found["n_scored"] = [int(share.n) for share in shares]
    for name, intervals in (("", shares), ("mean_", means)):
        found[f"{name}low"] = [interval.low for interval in intervals]
        found[f"{name}high"] = [interval.high for interval in intervals]
    found["share"] = [share.estimate for share in shares]
    found["mean"] = [mean.estimate for mean in means]
    columns = [
        *keys,
        *("n_utterances", "n_scored", "share", "low", "high", "mean", "mean_low", "mean_high"),
        *("n_recordings", "min_age_days", "max_age_days"),
    ]
    return found[columns]


def score_width(counts: pd.DataFrame) -> float:
    """Width of a bin that suits these scores: models differ tenfold in how far they spread."""
    n = float(counts["n_scored"].sum())
    return nice_width(spread_of(counts["sum_score"].sum(), counts["sum_sq"].sum(), n), n)


def difference_width(paired: pd.DataFrame) -> float:
    """Width of a bin that suits the paired differences."""
    n = float(paired["n_both"].sum())
    spread = spread_of(paired["sum_difference"].sum(), paired["sum_sq_difference"].sum(), n)
    return nice_width(spread, n)


def chance_share(cells: pd.DataFrame, threshold: float) -> float:
    """Share at or above the threshold if every score were a null window; NaN if unknown."""
    return float(
        expected_shares(
            _floats(cells, "null_mean"),
            _floats(cells, "null_sd"),
            _floats(cells, "n"),
            np.array([threshold]),
        )[0]
    )


def chance_by_child(cells: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """`chance_share` for each child: child_id, chance."""
    above = expected_above(_floats(cells, "null_mean"), _floats(cells, "null_sd"), threshold)
    weights = _floats(cells, "n")
    child, names = _grouped(cells, ["child_id"])
    chance = np.bincount(child, above * weights) / np.bincount(child, weights)
    return names.reset_index(drop=True).assign(chance=chance)


def children_in_order(
    rows: pd.DataFrame, chance: pd.DataFrame, *, marked: str | None
) -> pd.DataFrame:
    """Children from the smallest share to the largest, with chance and a label of three lines.

    rows: `shares_by` child_id. The label names the child (underlined if `marked`), age range and n.
    """
    # Fifty children: a merge and a sort of frames would take longer than the chart.
    names, share = rows["child_id"].to_numpy(object), _floats(rows, "share")
    order = np.lexsort((names.astype(str), share, ~np.isnan(share)))
    names = names[order].tolist()
    known = {name: place for place, name in enumerate(chance["child_id"].tolist())}
    at = [known.get(name, len(known)) for name in names]
    found: dict[str, object] = {str(column): rows[column].array.take(order) for column in rows}
    for column in chance:
        if column != "child_id":
            found[str(column)] = np.append(_floats(chance, str(column)), np.nan)[at]
    told = ("min_age_days", "max_age_days", "n_scored")
    columns = (_floats(rows, column)[order].tolist() for column in told)
    found["label"] = [
        _child_label(name, age_range(low, high), int(n), is_marked=name == marked)
        for name, low, high, n in zip(names, *columns, strict=True)
    ]
    return pd.DataFrame(found)


def _child_label(child: str, ages: str, n: int, *, is_marked: bool) -> str:
    name = f"<b><u>{child}</u></b>" if is_marked else f"<b>{child}</b>"
    return f"{name}<br><span style='font-size:11px'>{ages}<br>n = {n:,}</span>"


def shares_by_age(counts: pd.DataFrame) -> pd.DataFrame:
    """Shares of known age, to be drawn as dots: child_id, name, months, share, n.

    One row per recording, named by it; from MANY_RECORDINGS on one per child and month of age.
    """
    rows = counts[(counts["n_scored"] > 0) & counts["age_days"].notna()]
    months = rows["age_days"].to_numpy(np.float64) / DAYS_PER_MONTH
    n_high, n = _floats(rows, "n_high"), _floats(rows, "n_scored")
    if len(rows) < MANY_RECORDINGS:
        return pd.DataFrame(
            {
                "child_id": rows["child_id"],
                "name": rows["recording_id"],
                "months": months,
                "share": n_high / n,
                "n": rows["n_scored"],
            }
        ).reset_index(drop=True)
    child, children = pd.factorize(rows["child_id"], sort=True)
    n_months = int(months.max()) + 1
    cell = child * n_months + months.astype(np.int64)
    k = np.bincount(cell)
    found = np.flatnonzero(k)
    return pd.DataFrame(
        {
            "child_id": children.take(found // n_months),
            "name": [plural(number, "recording") for number in k[found].tolist()],
            "months": np.bincount(cell, months)[found] / k[found],
            "share": np.bincount(cell, n_high)[found] / np.bincount(cell, n)[found],
            "n": np.bincount(cell, n)[found].astype(np.int64),
        }
    )


def bins_within(
    bins: pd.DataFrame, width: float, dragged: tuple[float, float]
) -> tuple[float, float] | None:
    """Edges of the bins whose middle lies in a dragged range; None when it holds no bin."""
    middles = bins["bin_start"] + width / 2
    inside = bins.loc[middles.between(*dragged), "bin_start"]
    if inside.empty:
        return None
    return float(inside.min()), float(inside.max()) + width


def share_change(paired: pd.DataFrame) -> Interval:
    """Change of the share from A to B, over utterances scored under both."""
    change = _floats(paired, "high_b") - _floats(paired, "high_a")
    return ratio_interval(change, _floats(paired, "n_both"), _codes(paired))


def mean_difference(paired: pd.DataFrame) -> Interval:
    """Mean of B minus A, over utterances scored under both."""
    return ratio_interval(
        _floats(paired, "sum_difference"), _floats(paired, "n_both"), _codes(paired)
    )


def paired_shares(paired: pd.DataFrame) -> pd.DataFrame:
    """Per child: child_id, n, share_a, low_a, high_a, share_b, low_b, high_b, gained, lost."""
    group, children = _grouped(paired, ["child_id"])
    found = children.reset_index(drop=True)
    for side in ("a", "b"):
        shares = share_intervals(_floats(paired, f"high_{side}"), _floats(paired, "n_both"), group)
        found["n"] = [int(share.n) for share in shares]
        found[f"share_{side}"] = [share.estimate for share in shares]
        found[f"low_{side}"] = [share.low for share in shares]
        found[f"high_{side}"] = [share.high for share in shares]
    for name in ("gained", "lost"):
        found[name] = np.bincount(group, _floats(paired, name)).astype(np.int64)
    columns = ["child_id", "n", "share_a", "low_a", "high_a", "share_b", "low_b", "high_b"]
    return found[[*columns, "gained", "lost"]]


def _grouped(rows: pd.DataFrame, keys: Sequence[str]) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Each row's place among the values of the keys in order, -1 when one is unknown; and these
    values."""
    group, is_known = np.zeros(len(rows), np.int64), np.ones(len(rows), np.bool_)
    for key in keys:
        code, names = pd.factorize(rows[key], sort=True)
        is_known &= code >= 0
        group = group * len(names) + code
    known = np.flatnonzero(is_known)
    is_there = np.bincount(group[known]) > 0
    place = np.cumsum(is_there) - 1
    found = np.full(len(rows), -1, np.int64)
    found[known] = place[group[known]]
    first = np.zeros(int(is_there.sum()), np.int64)
    first[found[known][::-1]] = known[::-1]  # the last that is written is the first row
    return found, rows[list(keys)].take(first)


def _per_recording(counts: pd.DataFrame, keys: Sequence[str] = ()) -> pd.DataFrame:
    """Counts summed over the groups that are not asked for, so that a recording is one cluster."""
    by = list(dict.fromkeys([*keys, "child_id", "recording_id"]))
    if counts["grp"].nunique(dropna=False) <= 1 or "grp" in by:
        return counts
    sums = counts.groupby(by, as_index=False, dropna=False)[list(_SUMS)].sum()
    ages = counts.drop_duplicates("recording_id")[["recording_id", "age_days"]]
    return sums.merge(ages, on="recording_id", how="left")


def _codes(rows: pd.DataFrame) -> NDArray[np.int64]:
    return pd.factorize(rows["child_id"])[0].astype(np.int64)


def _floats(rows: pd.DataFrame, column: str) -> Floats:
    return rows[column].to_numpy(dtype=np.float64)
