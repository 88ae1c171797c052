"""From counts to differences on screen: above chance, between groups, between children, by age.

Frames of `dashboard.queries` in, contrasts and frames out; nothing here reads a store.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.labels import DAYS_PER_MONTH
from pipeline.stats.bootstrap import Interval, share_interval, share_intervals
from pipeline.stats.contrasts import (
    Contrast,
    Side,
    excess,
    excesses,
    ratio_difference,
    ratio_differences,
    within,
)
from pipeline.stats.multiple import holm

Floats = NDArray[np.float64]

BAND_MONTHS = 3
"""Ages over which all children's share is drawn as one line."""
SIGNIFICANT = 0.05


def excess_share(chance: pd.DataFrame) -> Contrast | None:
    """Share minus its chance level, from `chance_by_recording`; None without a null."""
    if not len(chance):
        return None
    found = excess(
        _floats(chance, "n_high"),
        _floats(chance, "n_expected"),
        _floats(chance, "n_null"),
        _codes(chance["child_id"]),
    )
    return within(found, 1.0)


def expected_share(chance: pd.DataFrame) -> float:
    """The share that chance alone would give; NaN without a null."""
    total = float(chance["n_null"].sum())
    return float(chance["n_expected"].sum()) / total if total else math.nan


def excess_by_child(chance: pd.DataFrame) -> pd.DataFrame:
    """Per child: child_id, chance, excess, excess_low, excess_high, and p_holm: two-sided p of no
    excess, corrected for the number of children (Holm)."""
    group, names = pd.factorize(chance["child_id"], sort=True)
    columns = ["chance", "excess", "excess_low", "excess_high", "p_holm"]
    if not len(names):
        return pd.DataFrame({"child_id": [], **{name: [] for name in columns}})
    high, expected, n = (_floats(chance, name) for name in ("n_high", "n_expected", "n_null"))
    found = [within(one, 1.0) for one in excesses(high, expected, n, group)]
    return pd.DataFrame(
        {
            "child_id": names,
            "chance": np.bincount(group, expected) / np.bincount(group, n),
            "excess": [one.estimate for one in found],
            "excess_low": [one.interval.low for one in found],
            "excess_high": [one.interval.high for one in found],
            "p_holm": holm(np.array([one.p for one in found])),
        }
    )


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """One group against all other groups of a split: shares, their difference, corrected p."""

    code: str
    share: float
    others: float
    difference: Contrast
    p_holm: float
    n: int
    n_others: int


def group_differences(counts: pd.DataFrame) -> list[GroupDifference]:
    """Share of each group minus that of all others, p corrected for their number (Holm).

    counts: `counts_by_recording` with a split; utterances of no known group are left out.
    """
    rows = counts[counts["grp"].notna() & (counts["n_scored"] > 0)]
    group, codes = pd.factorize(rows["grp"], sort=True)
    if len(codes) < 2:
        return []
    recording = _codes(rows["recording_id"])
    n_recordings = int(recording.max()) + 1
    strata = np.zeros(n_recordings, np.int64)
    strata[recording] = _codes(rows["child_id"])
    high, scored = _floats(rows, "n_high"), _floats(rows, "n_scored")

    def side(mine: NDArray[np.bool_]) -> Side:
        place = recording[mine]
        return Side(*(_totals(place, values[mine], n_recordings) for values in (high, scored)))

    found = []
    for place, code in enumerate(codes):
        first, second = side(group == place), side(group != place)
        difference = within(ratio_difference(first, second, strata), 1.0)
        found.append(
            GroupDifference(
                str(code),
                float(first.tops.sum() / first.bottoms.sum()),
                float(second.tops.sum() / second.bottoms.sum()),
                difference,
                math.nan,
                int(first.bottoms.sum()),
                int(second.bottoms.sum()),
            )
        )
    corrected = holm(np.array([one.difference.p for one in found]))
    return [replace(one, p_holm=float(p)) for one, p in zip(found, corrected, strict=True)]


def children_difference(counts: pd.DataFrame, first: str, second: str) -> Contrast:
    """Share of one child minus that of another; recordings are drawn within each."""
    rows = counts[counts["child_id"].isin([first, second])]
    is_first = (rows["child_id"] == first).to_numpy()
    high, scored = _floats(rows, "n_high"), _floats(rows, "n_scored")
    found = ratio_difference(
        Side(high * is_first, scored * is_first),
        Side(high * ~is_first, scored * ~is_first),
        is_first.astype(np.int64),
    )
    return within(found, 1.0)


def speakers_by_child(counts: pd.DataFrame) -> pd.DataFrame:
    """Adults minus key child within each child: child_id, n_adults, n_child, difference, low,
    high, p_holm (corrected for the number of children).

    counts: `counts_by_recording` split by speaker. Children without one of the sides are left out.
    """
    rows = counts[counts["grp"].isin(["FEM", "MAL", "CHI"]) & (counts["n_scored"] > 0)]
    columns = ["child_id", "n_adults", "n_child", "difference", "low", "high", "p_holm"]
    if not len(rows):
        return pd.DataFrame({name: [] for name in columns})
    recording = _codes(rows["recording_id"])
    n = int(recording.max()) + 1
    of_row, names = pd.factorize(rows["child_id"], sort=True)
    child = np.zeros(n, np.int64)
    child[recording] = of_row
    is_child = (rows["grp"] == "CHI").to_numpy()
    high, scored = _floats(rows, "n_high"), _floats(rows, "n_scored")
    adults, key_child = (
        Side(*(_totals(recording, values * mine, n) for values in (high, scored)))
        for mine in (~is_child, is_child)
    )
    found = [within(one, 1.0) for one in ratio_differences(adults, key_child, child)]
    sizes = [np.bincount(child, side.bottoms, len(names)) for side in (adults, key_child)]
    table = pd.DataFrame(
        {
            "child_id": names,
            "n_adults": sizes[0].astype(np.int64),
            "n_child": sizes[1].astype(np.int64),
            "difference": [one.estimate for one in found],
            "low": [one.interval.low for one in found],
            "high": [one.interval.high for one in found],
            "p_holm": holm(np.array([one.p for one in found])),
        }
    )
    return table[table["difference"].notna()].reset_index(drop=True)


def share_by_age(counts: pd.DataFrame, chance: pd.DataFrame) -> pd.DataFrame:
    """All children together over BAND_MONTHS of age: months (middle), n, n_children,
    n_recordings, share, low, high, chance (NaN without a null)."""
    rows = counts[counts["age_days"].notna() & (counts["n_scored"] > 0)]
    columns = ["months", "n", "n_children", "n_recordings", "share", "low", "high", "chance"]
    if not len(rows):
        return pd.DataFrame({name: [] for name in columns})
    bands, place = np.unique(_age_band(rows), return_inverse=True)
    child = _codes(rows["child_id"])
    shares = share_intervals(_floats(rows, "n_high"), _floats(rows, "n_scored"), place, child)
    known = chance[chance["age_days"].notna()]
    expected = pd.DataFrame(
        {"band": _age_band(known), "expected": known["n_expected"], "n": known["n_null"]}
    )
    sums = expected.groupby("band").sum().reindex(bands)
    n_cells = int(child.max()) + 1
    cells = np.unique(place * n_cells + child)
    return pd.DataFrame(
        {
            "months": BAND_MONTHS * (bands + 0.5),
            "n": [int(one.n) for one in shares],
            "n_children": np.bincount(cells // n_cells, minlength=len(bands)),
            "n_recordings": np.bincount(place),
            "share": [one.estimate for one in shares],
            "low": [one.low for one in shares],
            "high": [one.high for one in shares],
            "chance": (sums["expected"] / sums["n"]).to_numpy(np.float64),
        }
    )


def paired_share(paired: pd.DataFrame, column: str) -> Interval:
    """A share of the utterances scored under both settings: high_a, high_b, gained or lost."""
    return share_interval(
        _floats(paired, column), _floats(paired, "n_both"), _codes(paired["child_id"])
    )


def conditional_share(paired: pd.DataFrame, part: str, whole: str) -> Interval:
    """Utterances in `part` as a share of those in `whole`, e.g. high under both of high under A."""
    return share_interval(_floats(paired, part), _floats(paired, whole), _codes(paired["child_id"]))


def _age_band(rows: pd.DataFrame) -> NDArray[np.int64]:
    months = rows["age_days"].to_numpy(np.float64) / DAYS_PER_MONTH
    return np.floor(months / BAND_MONTHS).astype(np.int64)


def _totals(places: NDArray[np.int64], values: Floats, n: int) -> Floats:
    return np.bincount(places, values, minlength=n).astype(np.float64)


def _codes(names: pd.Series) -> NDArray[np.int64]:
    return pd.factorize(names)[0].astype(np.int64)


def _floats(rows: pd.DataFrame, column: str) -> Floats:
    return rows[column].to_numpy(dtype=np.float64)
