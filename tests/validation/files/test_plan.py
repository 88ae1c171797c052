"""Every row of a file is accounted for, whatever it holds."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.people.trial_records import Item, ItemOption, Part, TrialMode
from pipeline.validation.files.known import StoreMoments
from pipeline.validation.files.plan import ImportPlan, plan_import
from pipeline.validation.files.rows import NOWHERE, AnswerGiven, FileRow

ORDERS = ((0, 1, 2, 3), (1, 0, 2, 3), (1, 2, 0, 3))


def question(name: str, mode: TrialMode) -> Item:
    texts = (name, "one", "two", "three")
    options = tuple(ItemOption(NOWHERE, text, None, None, f"{text}.jpg") for text in texts)
    prompt = name if mode is TrialMode.IMAGES else ""
    return Item(f"{mode.value}-{name}", mode, Part.MAIN, prompt, options)


@st.composite
def rows(draw: st.DrawFn) -> FileRow:
    item = question(
        draw(st.sampled_from(["ball", "cat", "owl", "cup"])),
        draw(st.sampled_from([TrialMode.IMAGES, TrialMode.UTTERANCES])),
    )
    is_whole = draw(st.booleans())
    answer = AnswerGiven(
        draw(st.sampled_from(["P1", "P2", "P3"])),
        False,
        draw(st.integers(1, 4)),
        None,
        draw(st.sampled_from(["", "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"])),
        "",
    )
    return FileRow(
        line="line",
        set_name="",
        item=item,
        list_number=draw(st.integers(1, 3)) if is_whole else draw(st.none() | st.integers(1, 3)),
        position=draw(st.integers(1, 4)) if is_whole else draw(st.none() | st.integers(1, 4)),
        option_order=draw(st.sampled_from(ORDERS)),
        is_whole=is_whole,
        has_content=True,
        facts=(),
        answer=answer if draw(st.integers(0, 4)) else None,
    )


def numbered(found: list[FileRow]) -> list[FileRow]:
    return [replace(row, line=f"line {number}") for number, row in enumerate(found, start=2)]


@settings(max_examples=60, deadline=None)
@given(st.lists(rows(), max_size=25).map(numbered))
def test_every_answer_is_taken_repeated_or_told(found: list[FileRow]) -> None:
    plan = plan_import("f.csv", found, None, (), StoreMoments())
    lines = {f"f.csv, {row.line}" for row in found if row.answer is not None}
    told = [problem for problem in plan.problems if problem.place in lines]
    assert len(plan.answers) + plan.n_repeated + len(told) == len(lines)
    check_whole(plan)


def check_whole(plan: ImportPlan) -> None:
    """The plan can be stored: places and items are unique, answers have trials and raters."""
    places = [(one.list_number, one.position) for one in plan.placed]
    assert len(set(places)) == len(places)
    items = [item.item_id for item in plan.items]
    assert len(set(items)) == len(items)
    assert {one.item_id for one in plan.placed} == set(items)
    given_by = [(one.answer.rater, one.place) for one in plan.answers]
    assert len(set(given_by)) == len(given_by)
    assert {place for _, place in given_by} <= set(places)
    assert {rater for rater, _ in given_by} == {rater.label for rater in plan.raters}
    placed = {(one.list_number, one.position): one for one in plan.placed}
    for one in plan.answers:
        assert sorted(placed[one.place].option_order) == [0, 1, 2, 3]
