"""From counts to the numbers of the report: shares with intervals, chance, paired changes.

Pure: frames of `score_queries` in, frames and intervals out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.stats.bootstrap import (
    Interval,
    ratio_interval,
    ratio_intervals,
    share_interval,
    share_intervals,
)
from pipeline.stats.chance import expected_above, expected_shares
from pipeline.stats.contrasts import Contrast, excess, within

Floats = NDArray[np.float64]

_NULL_SUMS = ("n", "n_high", "expected")
COUNTED = ("n_utterances", "n_scored", "n_high", "sum_score", "sum_sq")
MISSING_REASONS = ("no_frame_in_window", "no_null", "no_noun", "not_scored")


def per_recording(counts: pd.DataFrame, keys: Sequence[str] = ()) -> pd.DataFrame:
    """Counts of each recording, over the speakers unless they are among `keys`."""
    by = [*keys, "child_id", "recording_id", "age_days"]
    named = [*COUNTED, *(f"n_{reason}" for reason in MISSING_REASONS)]
    return counts.groupby(by, as_index=False, dropna=False, sort=True)[named].sum()


def overall_share(counts: pd.DataFrame) -> Interval:
    """Share of scored utterances at or above the threshold."""
    rows = per_recording(counts)
    return share_interval(floats(rows, "n_high"), floats(rows, "n_scored"), child_codes(rows))


def mean_score(counts: pd.DataFrame) -> Interval:
    """Mean of the scores."""
    rows = per_recording(counts)
    return ratio_interval(floats(rows, "sum_score"), floats(rows, "n_scored"), child_codes(rows))


def missing_by_reason(counts: pd.DataFrame) -> dict[str, int]:
    """Utterances without a score by reason, most first; reasons that never hold are left out."""
    found = {reason: int(counts[f"n_{reason}"].sum()) for reason in MISSING_REASONS}
    return {reason: n for reason, n in sorted(found.items(), key=lambda item: -item[1]) if n}


def shares_by_child(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per child: child_id, n_recordings, n_utterances, n_scored, share, low, high, mean,
    mean_low, mean_high."""
    rows = per_recording(counts)
    group = child_codes(rows)
    found = pd.DataFrame({"child_id": rows["child_id"].unique()})
    found["n_recordings"] = np.bincount(group)
    found["n_utterances"] = np.bincount(group, floats(rows, "n_utterances")).astype(np.int64)
    n_scored = floats(rows, "n_scored")
    return _with_intervals(
        found,
        share_intervals(floats(rows, "n_high"), n_scored, group),
        ratio_intervals(floats(rows, "sum_score"), n_scored, group),
    )


def shares_by_speaker(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per speaker, the columns of `shares_by_child`; recordings are drawn within child."""
    parts = []
    for speaker, rows in per_recording(counts, ["speaker"]).groupby("speaker", sort=True):
        n_scored, strata = floats(rows, "n_scored"), child_codes(rows)
        part = pd.DataFrame(
            {
                "speaker": [speaker],
                "n_recordings": [len(rows)],
                "n_utterances": [int(rows["n_utterances"].sum())],
            }
        )
        shares = [share_interval(floats(rows, "n_high"), n_scored, strata)]
        means = [ratio_interval(floats(rows, "sum_score"), n_scored, strata)]
        parts.append(_with_intervals(part, shares, means))
    return pd.concat(parts, ignore_index=True)


def _with_intervals(
    found: pd.DataFrame, shares: Sequence[Interval], means: Sequence[Interval]
) -> pd.DataFrame:
    found["n_scored"] = [int(share.n) for share in shares]
    found["share"] = [share.estimate for share in shares]
    found["low"] = [share.low for share in shares]
    found["high"] = [share.high for share in shares]
    found["mean"] = [mean.estimate for mean in means]
    found["mean_low"] = [mean.low for mean in means]
    found["mean_high"] = [mean.high for mean in means]
    return found


def chance_share(cells: pd.DataFrame, threshold: float) -> float:
    """Share at or above the threshold if every score were a null window; NaN if unknown."""
    values = [floats(cells, name) for name in ("null_mean", "null_sd", "n")]
    return float(expected_shares(values[0], values[1], values[2], np.array([threshold]))[0])


def chance_by(cells: pd.DataFrame, key: str, threshold: float) -> pd.DataFrame:
    """`chance_share` of each group: key, chance."""
    above = expected_above(floats(cells, "null_mean"), floats(cells, "null_sd"), threshold)
    weights = floats(cells, "n")
    sums = pd.DataFrame({key: cells[key], "above": above * weights, "n": weights})
    rows = sums.groupby(key, sort=True).sum()
    return (rows["above"] / rows["n"]).rename("chance").reset_index()


def excess_over_chance(nulls: pd.DataFrame) -> Contrast | None:
    """Share minus its chance level, over the utterances that have a null, from `null_sums`; None
    without any."""
    if not len(nulls):
        return None
    rows = nulls.groupby(["child_id", "recording_id"], as_index=False)[[*_NULL_SUMS]].sum()
    found = excess(
        floats(rows, "n_high"), floats(rows, "expected"), floats(rows, "n"), child_codes(rows)
    )
    return within(found, 1.0)


def excess_by(nulls: pd.DataFrame, key: str) -> pd.DataFrame:
    """`excess_over_chance` of each child_id or speaker: key, excess, excess_low, excess_high."""
    found = []
    for name, rows in nulls.groupby(key, sort=True):
        contrast = excess_over_chance(rows)
        if contrast is not None:
            interval = contrast.interval
            found.append((name, interval.estimate, interval.low, interval.high))
    return pd.DataFrame(found, columns=[key, "excess", "excess_low", "excess_high"])


def share_of_pairs(paired: pd.DataFrame) -> Interval:
    """Share at or above the threshold under B, over utterances scored under both."""
    return share_interval(floats(paired, "high_b"), floats(paired, "n_both"), child_codes(paired))


def share_change(paired: pd.DataFrame) -> Interval:
    """Change of the share from A to B, over utterances scored under both."""
    change = floats(paired, "high_b") - floats(paired, "high_a")
    return ratio_interval(change, floats(paired, "n_both"), child_codes(paired))


def mean_difference(paired: pd.DataFrame) -> Interval:
    """Mean of B minus A, over utterances scored under both."""
    return ratio_interval(
        floats(paired, "sum_difference"), floats(paired, "n_both"), child_codes(paired)
    )


def child_codes(rows: pd.DataFrame) -> NDArray[np.int64]:
    """The child of each row as a number from 0."""
    return pd.factorize(rows["child_id"])[0].astype(np.int64)


def floats(rows: pd.DataFrame, column: str) -> Floats:
    """A column as float64 (n,)."""
    return rows[column].to_numpy(dtype=np.float64)


def difference(first: float, second: float) -> float:
    """first - second, NaN where either is unknown."""
    return math.nan if math.isnan(first) or math.isnan(second) else first - second
