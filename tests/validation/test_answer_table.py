"""The table of answers: what each row says about the trial, the rater and the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.people.store import MomentRef, PeopleStore
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan
from pipeline.validation.answer_table import ANSWER_COLUMNS, answer_table


def _item(name: str, cosines: tuple[float | None, ...], part: Part = Part.MAIN) -> Item:
    options = tuple(
        ItemOption(MomentRef("rec1", f"{name}{i}", TimeSpan(0, 1000)), f"w{i}", 500, cosine)
        for i, cosine in enumerate(cosines)
    )
    return Item(name, TrialMode.IMAGES, part, "look", options, cosines[0], 1.5, 2)


@pytest.fixture
def store(tmp_path: Path) -> PeopleStore:
    return PeopleStore(tmp_path / "people.sqlite")


def _answered(store: PeopleStore, items: list[Item], orders: list[str], chosen: list[int]) -> int:
    placed = [
        PlacedItem(1, place, item.item_id, tuple(map(int, order)))
        for place, (item, order) in enumerate(zip(items, orders, strict=True), start=1)
    ]
    set_id = add_set(
        store, name="one", kind=SetKind.FOUR_CHOICES, settings="{}", items=items, placed=placed
    )
    with store.writing() as con:
        con.execute(
            "INSERT INTO raters (set_id, label, list_number, is_simulated, source, created_at) "
            "VALUES (?, 'ann', 1, 0, 'here', '2026-01-01')",
            (set_id,),
        )
        for place, position in enumerate(chosen, start=1):
            con.execute(
                "INSERT INTO answers SELECT 1, trial_id, ?, NULL, '2026-01-01', '1' FROM trials "
                "WHERE position = ?",
                (position, place),
            )
    return set_id


def test_a_row_tells_the_option_chosen_and_where_the_target_and_the_models_choice_stood(
    store: PeopleStore,
) -> None:
    items = [_item("a", (0.3, 0.1, 0.2, 0.1)), _item("b", (0.2, 0.1, 0.4, 0.1))]
    set_id = _answered(store, items, ["2031", "1320"], [2, 3])
    with store.reading() as con:
        table = answer_table(con, [set_id], {"rec1": "child A"})
    assert tuple(table.columns) == ANSWER_COLUMNS
    assert table["selected_option"].tolist() == [0, 2]
    assert table["correct_position"].tolist() == [2, 4]
    assert table["is_correct"].tolist() == [True, False]
    assert table["model_position"].tolist() == [2, 3]
    assert table["is_model_correct"].tolist() == [True, False]
    assert table["child"].tolist() == ["child A", "child A"]
    assert table["rt_ms"].isna().all()
    assert table["rater"].tolist() == ["ann", "ann"]


def test_the_model_has_no_choice_where_a_cosine_is_missing_or_two_share_the_first_place(
    store: PeopleStore,
) -> None:
    items = [_item("a", (0.3, 0.3, 0.2, 0.1)), _item("b", (None, None, None, None), Part.CATCH)]
    set_id = _answered(store, items, ["0123", "0123"], [1, 1])
    with store.reading() as con:
        table = answer_table(con, [set_id])
    assert table["model_position"].isna().all()
    assert table["is_model_correct"].isna().all()
    assert table["part"].tolist() == ["main", "catch"]
    assert table["score"].isna().tolist() == [False, True]
    assert table["child"].isna().all()


def test_no_answers_and_no_sets_give_an_empty_table_with_all_columns(store: PeopleStore) -> None:
    with store.reading() as con:
        assert tuple(answer_table(con, [7]).columns) == ANSWER_COLUMNS
        assert not len(answer_table(con, []))
