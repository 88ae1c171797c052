"""How often raters, and the model on the same trials, choose rightly: by score, mode and place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.people.trial_records import N_OPTIONS
from pipeline.stats.crossed import CrossedInterval, crossed_median, crossed_share

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

N_BINS = 8


@dataclass(frozen=True, slots=True, eq=False)
class MainAnswers:
    """Answers to main trials as arrays (n,): codes of raters and items from 0, the predictor
    `values` (score or z, NaN where there is none), and which `rows` of a table they are."""

    table: pd.DataFrame
    rows: Ints
    values: Floats
    is_right: Floats
    raters: Ints
    items: Ints

    @property
    def n(self) -> int:
        return len(self.rows)

    def part(self, chosen: NDArray[np.bool_]) -> MainAnswers:
        """The chosen (n,) of them; codes stay."""
        return MainAnswers(
            self.table,
            self.rows[chosen],
            self.values[chosen],
            self.is_right[chosen],
            self.raters[chosen],
            self.items[chosen],
        )

    def numbers(self, column: str) -> Floats:
        """A column of the table for these answers, NaN where missing: (n,)."""
        found: Floats = self.table[column].to_numpy(np.float64, na_value=np.nan)
        return found[self.rows]

    def words(self, column: str) -> NDArray[np.object_]:
        """A column of words for these answers: (n,)."""
        found: NDArray[np.object_] = self.table[column].to_numpy(object)
        return found[self.rows]

    def share(self, of: Floats) -> CrossedInterval:
        """Share of ones in an array (n,) of 0, 1 and NaN, which is left out."""
        known = ~np.isnan(of)
        return crossed_share(of[known], self.raters[known], self.items[known])


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """Accuracy of people and of the model on the same trials; chance is .25 for both.

    `low` and `high` are the range of the predictor, `middle` its mean over answers; NaN where a
    row is no bin of it.
    """

    name: str
    low: float
    high: float
    middle: float
    people: CrossedInterval
    model: CrossedInterval


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One of the four places: how often it was chosen, and how often rightly when it was the
    target's. Without bias the first is .25 for all, since targets stand anywhere."""

    position: int
    chosen: CrossedInterval
    right_there: CrossedInterval
    target_share: float


@dataclass(frozen=True, slots=True)
class TimeRow:
    """Median time per trial in ms, with its interval, and the middle half of the times."""

    name: str
    median: CrossedInterval
    quarter: float
    three_quarters: float


@dataclass(frozen=True, slots=True)
class ModelAgreement:
    """Answer by answer: do people and the model choose the same? Chance is .25.

    Counts of answers: both right, only the rater, only the model, neither. `same_foil` is the
    share of the same choice where both are wrong (chance 1 in 3). `n_no_choice` answers have no
    choice of the model: a cosine is missing, or two share the first place.
    """

    same: CrossedInterval
    both_right: int
    only_people: int
    only_model: int
    neither: int
    same_foil: CrossedInterval
    n_no_choice: int


def overall(answers: MainAnswers, name: str = "All") -> AccuracyRow:
    """Accuracy over all of these answers."""
    known = answers.values[~np.isnan(answers.values)]
    middle = float(known.mean()) if len(known) else math.nan
    return AccuracyRow(
        name,
        math.nan,
        math.nan,
        middle,
        answers.share(answers.is_right),
        answers.share(answers.numbers("is_model_correct")),
    )


def by_mode(answers: MainAnswers) -> tuple[AccuracyRow, ...]:
    """Accuracy of each kind of trial."""
    modes = answers.words("mode")
    return tuple(
        overall(answers.part(modes == mode), str(mode)) for mode in sorted(set(modes.tolist()))
    )


def by_bin(answers: MainAnswers, places: Ints) -> tuple[AccuracyRow, ...]:
    """Accuracy of each bin; `places` (n,) from `bin_places`, -1 for answers without a value."""
    rows = []
    for number in range(int(places.max(initial=-1)) + 1):
        inside = answers.part(places == number)
        if inside.n:
            row = overall(inside)
            low, high = float(inside.values.min()), float(inside.values.max())
            name = f"{low:.3g} to {high:.3g}"
            rows.append(AccuracyRow(name, low, high, row.middle, row.people, row.model))
    return tuple(rows)


def bin_places(answers: MainAnswers, *, own_bins: bool) -> Ints:
    """The bin of each answer (n,), -1 without a value.

    `own_bins`: those that the items were drawn by, if all have one and they come from one set;
    else N_BINS bins of equally many items.
    """
    known = ~np.isnan(answers.values)
    bins = answers.numbers("bin")
    if (
        own_bins
        and not np.isnan(bins[known]).any()
        and len(np.unique(answers.numbers("set_id"))) == 1
    ):
        return np.where(known, np.nan_to_num(bins, nan=-1), -1).astype(np.int64)
    _, first = np.unique(answers.items[known], return_index=True)
    of_items = answers.values[known][first]
    if not len(of_items):
        return np.full(answers.n, -1, np.int64)
    edges = np.unique(np.quantile(of_items, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, answers.values, side="right"), -1).astype(
        np.int64
    )


def by_position(answers: MainAnswers) -> tuple[PositionRow, ...]:
    """How often each place was chosen, and how well targets there were found."""
    chosen = answers.numbers("selected_position")
    correct = answers.numbers("correct_position")
    rows = []
    for position in range(1, N_OPTIONS + 1):
        there = answers.part(correct == position)
        rows.append(
            PositionRow(
                position,
                answers.share((chosen == position).astype(np.float64)),
                there.share(there.is_right),
                float((correct == position).mean()) if answers.n else math.nan,
            )
        )
    return tuple(rows)


def times(answers: MainAnswers, places: Ints, names: tuple[str, ...]) -> tuple[TimeRow, ...]:
    """Time per trial: of all, of right and of wrong answers, then by bin under these names.

    Answers without a measured time are left out; the intervals' n counts the others.
    """
    filled = [
        number for number in range(int(places.max(initial=-1)) + 1) if (places == number).any()
    ]
    parts = [
        ("All", np.ones(answers.n, np.bool_)),
        ("Right", answers.is_right == 1),
        ("Wrong", answers.is_right == 0),
        *((name, places == number) for name, number in zip(names, filled, strict=True)),
    ]
    measured = answers.numbers("rt_ms")
    rows = []
    for name, chosen in parts:
        inside = chosen & ~np.isnan(measured)
        own = measured[inside]
        quarter, three = np.quantile(own, [0.25, 0.75]) if len(own) else (math.nan, math.nan)
        median = crossed_median(own, answers.raters[inside], answers.items[inside])
        rows.append(TimeRow(name, median, float(quarter), float(three)))
    return tuple(rows)


def model_agreement(answers: MainAnswers) -> ModelAgreement:
    """Choices of people and of the model, answer by answer."""
    model = answers.numbers("is_model_correct")
    has_choice = ~np.isnan(model)
    inside = answers.part(has_choice)
    right, model_right = inside.is_right == 1, model[has_choice] == 1
    same = (inside.numbers("selected_position") == inside.numbers("model_position")).astype(
        np.float64
    )
    both_wrong = inside.part(~right & ~model_right)
    return ModelAgreement(
        inside.share(same),
        int((right & model_right).sum()),
        int((right & ~model_right).sum()),
        int((~right & model_right).sum()),
        both_wrong.n,
        both_wrong.share(same[~right & ~model_right]),
        int((~has_choice).sum()),
    )
