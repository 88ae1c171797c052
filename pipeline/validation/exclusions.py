"""Raters left out: those who miss catch trials, or answer faster than anybody can look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.people.trial_records import Part

if TYPE_CHECKING:
    import pandas as pd

FEW_CATCH = "catch trials"
TOO_FAST = "too fast"


@dataclass(frozen=True, slots=True)
class ExclusionRule:
    """Who is left out: raters right in fewer than `least_catch_share` of their catch trials, or,
    unless `least_median_ms` is 0, with a shorter median time per main trial. 0 and 0: nobody.

    A rater without a catch trial, or without a measured time, is not left out for want of it.
    """

    least_catch_share: float = 0.5
    least_median_ms: float = 0.0


DEFAULT_RULE = ExclusionRule()
NOBODY = ExclusionRule(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class RaterRow:
    """One rater: answers to main and catch trials, and why left out ("" when kept).

    `median_rt_ms` of main trials is NaN where no time was measured.
    """

    rater_id: int
    rater: str
    set_name: str
    n_main: int
    n_right: int
    n_catch: int
    n_catch_right: int
    median_rt_ms: float
    reason: str


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What a rule does to a set of answers; counts are of raters who answered a main trial, and of
    their answers to main trials."""

    rule: ExclusionRule
    raters: tuple[RaterRow, ...]

    @property
    def n_raters(self) -> int:
        return len(self.raters)

    @property
    def n_excluded(self) -> int:
        return sum(bool(one.reason) for one in self.raters)

    @property
    def n_answers_excluded(self) -> int:
        return sum(one.n_main for one in self.raters if one.reason)

    @property
    def n_without_catch(self) -> int:
        """Raters that the catch trials say nothing about."""
        return sum(not one.n_catch for one in self.raters)

    @property
    def kept_ids(self) -> frozenset[int]:
        """Ids of the raters who stay."""
        return frozenset(one.rater_id for one in self.raters if not one.reason)


def exclusions(table: pd.DataFrame, rule: ExclusionRule) -> Exclusions:
    """Judge every rater of an answer table (see `answer_table`), of all its modes together."""
    catch = table[table["part"] == Part.CATCH.value].groupby("rater_id")["is_correct"]
    main = table[table["part"] == Part.MAIN.value].groupby("rater_id", sort=True)
    found = main.agg(
        rater=("rater", "first"),
        set_name=("set", "first"),
        n_main=("is_correct", "size"),
        n_right=("is_correct", "sum"),
        median_rt_ms=("rt_ms", "median"),
    )
    found["n_catch"] = catch.size()
    found["n_catch_right"] = catch.sum()
    rows = []
    for rater_id, rater, set_name, n_main, n_right, median_ms, shown, right in zip(
        found.index.tolist(),
        *(
            found[name].fillna(0).tolist() if name.startswith("n_") else found[name].tolist()
            for name in found.columns
        ),
        strict=True,
    ):
        reason = ""
        if shown and right < rule.least_catch_share * shown:
            reason = FEW_CATCH
        elif median_ms < rule.least_median_ms:
            reason = TOO_FAST
        counts = (int(n_main), int(n_right), int(shown), int(right))
        rows.append(RaterRow(rater_id, rater, set_name, *counts, float(median_ms), reason))
    return Exclusions(rule, tuple(rows))
