"""Experts' labels: agreement on an ordered scale, and the scores behind each label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.people.store import MomentRef, PeopleStore
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    MomentLabel,
    Part,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan
from pipeline.stats.rater_agreement import ORDINAL, krippendorff_alpha
from pipeline.validation.labels import ALL_LABELS, label_results

GIVEN = (
    "not not partly",
    "not not not",
    "partly aligned partly",
    "aligned aligned cannot_tell",
    "aligned aligned aligned",
    "partly not partly",
)


@pytest.fixture
def store(tmp_path: Path) -> PeopleStore:
    store = PeopleStore(tmp_path / "people.sqlite")
    items = [
        Item(
            f"m{number}",
            TrialMode.MOMENT,
            Part.MAIN,
            "",
            (ItemOption(MomentRef("r", f"u{number}", TimeSpan(0, 900)), "words", None, None),),
            0.1 + 0.03 * number,
            None,
        )
        for number in range(len(GIVEN))
    ]
    set_id = add_set(store, name="labels", kind=SetKind.LABELS, settings="{}", items=items)
    with store.writing() as con:
        for rater in range(3):
            con.execute(
                "INSERT INTO raters (set_id, label, is_simulated, source, created_at) "
                "VALUES (?, ?, 0, 'here', '2026')",
                (set_id, f"r{rater}"),
            )
            for item, labels in zip(items, GIVEN, strict=True):
                con.execute(
                    "INSERT INTO expert_labels VALUES (?, ?, ?, ?, '', NULL, '2026', '1')",
                    (rater + 1, set_id, item.item_id, labels.split()[rater]),
                )
    return store


def test_labels_are_counted_with_the_mean_score_of_their_moments(store: PeopleStore) -> None:
    with store.reading() as con:
        found = label_results(con, [1])
    assert found is not None
    rows = {row.label: row for row in found.rows}
    assert [rows[label].n for label in ALL_LABELS] == [6, 5, 6, 1]
    aligned = rows[MomentLabel.ALIGNED].score
    assert aligned.estimate == pytest.approx((0.16 + 2 * 0.19 + 3 * 0.22) / 6)
    assert (aligned.n, aligned.n_raters, aligned.n_items) == (6, 3, 3)
    assert aligned.low < aligned.estimate < aligned.high
    assert rows[MomentLabel.ALIGNED].z.n == 0
    assert (found.n, found.n_raters, found.n_moments, found.cannot_tell) == (18, 3, 6, 1)


def test_alpha_is_ordinal_and_leaves_out_what_cannot_be_told(store: PeopleStore) -> None:
    with store.reading() as con:
        found = label_results(con, [1])
    codes = {"not": 0.0, "partly": 1.0, "aligned": 2.0, "cannot_tell": np.nan}
    table = np.array([[codes[label] for label in labels.split()] for labels in GIVEN])
    assert found is not None
    assert found.agreement.alpha.estimate == pytest.approx(krippendorff_alpha(table, ORDINAL).value)
    # Pairs of raters: two of the first moment and two of the last; the diagonal counts twice.
    assert found.confusion[0, 1] == found.confusion[1, 0] == 4
    assert found.confusion[3].tolist() == [0, 0, 2, 0]
    assert found.confusion.sum() == 6 * 6


def test_a_set_without_labels_has_no_results(tmp_path: Path) -> None:
    with PeopleStore(tmp_path / "none.sqlite").reading() as con:
        assert label_results(con, [1]) is None
