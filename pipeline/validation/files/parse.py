"""From the cells of a row to its value, or to a sentence saying what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pipeline.people.trial_records import N_OPTIONS, Item, ItemOption, Part, TrialMode
from pipeline.validation.files.cells import (
    CellError,
    is_missing,
    order_of,
)
from pipeline.validation.files.columns import CONTENT, RATER, SELECTED, SET_FACTS, foil
from pipeline.validation.files.row_cells import (
    RowCells,
    RowError,
    moment_in,
    rater_in,
    rt_ms_in,
    time_in,
)
from pipeline.validation.files.rows import (
    AnswerGiven,
    FileRow,
    content_key,
    image_name,
    numbers_of_foils,
)

_CATCH_MARK = "_AG"
"""The published study marks its catch trials so, in the column `mode`."""
_WHOLE = ("item_id", "list_id", "option_order")


def missing_columns(columns: Sequence[str]) -> list[str]:
    """Columns without which a file cannot be read; empty when it can be."""
    missing = [name for name in ("mode",) if name not in columns and "item_id" not in columns]
    if "item_id" not in columns:
        missing += [column.name for column in CONTENT if column.name not in columns]
    if RATER.name in columns or SELECTED.name in columns:
        missing += [c.name for c in (RATER, SELECTED) if c.name not in columns]
        if not {"correct_position", "option_order"} & set(columns):
            missing.append("correct_position")
    return missing


def first_position(rows: Sequence[Mapping[str, str]]) -> int:
    """Whether positions count from 0, as in the published study, or from 1.

    Raises RowError for a file in which both 0 and 4 occur.
    """
    if any("option_order" in row for row in rows[:1]):
        return 1
    found = {
        row.get(name, "").strip() for row in rows for name in (SELECTED.name, "correct_position")
    }
    if {"0", "4"} <= found:
        raise RowError(
            "positions 0 and 4 both occur.",
            "Count positions from 0 to 3 or from 1 to 4 in the whole file.",
        )
    return 0 if "0" in found else 1


def parsed(cells: Mapping[str, str], line: str, first: int) -> FileRow:
    """The row of these cells, whose positions count from `first`. Raises RowError."""
    row = RowCells(cells)
    is_whole = all(not is_missing(row.text(name)) for name in _WHOLE) and "image_path" in cells
    item = _item(row)
    selected = row.whole(SELECTED.name)
    order = _order(row, first)
    answer = None
    if order is None:
        # A list without the targets' places: each item gets an order of its own, always the same.
        order = _drawn_order(item.item_id)
    if RATER.name in cells:
        answer = _answer(row, selected, order.index(0) + 1, first)
    row_index, list_index = row.whole("row_index"), row.whole("annotator_index")
    list_id = row.whole("list_id")
    for name, number in (("row_index", row_index), ("annotator_index", list_index)):
        if number is not None and number < 0:
            raise RowError(f"{name} is {number}.", "It counts from 0.")
    if is_whole and row_index is None:
        raise RowError("row_index is empty.", "It is the place of the trial in its list, from 0.")
    return FileRow(
        line=line,
        set_name=" ".join(row.text("set_name").split()),
        item=item,
        list_number=list_id if list_id is not None else _next(list_index),
        position=_next(row_index),
        option_order=order,
        is_whole=is_whole,
        has_content=any(not is_missing(row.text(column.name)) for column in CONTENT),
        facts=tuple((name, row.text(name)) for name in SET_FACTS if row.text(name).strip()),
        answer=answer,
    )


def _order(row: RowCells, first: int) -> tuple[int, ...] | None:
    """The order of the options, None where nothing is said of it.

    Where only the target's place is known, the foils stand as they are numbered.
    """
    try:
        order = order_of(row.text("option_order"))
    except CellError as problem:
        raise RowError(f"option_order: {problem}.", "Write such as 2 0 1 3.") from None
    given = row.whole("correct_position")
    correct = None if given is None else given + 1 - first
    _check_position("correct_position", given, first)
    if order is None:
        if correct is None:
            return None
        foils = list(numbers_of_foils())
        return (*foils[: correct - 1], 0, *foils[correct - 1 :])
    if correct is not None and correct != order.index(0) + 1:
        raise RowError(
            f"correct_position is {given}, but by option_order it is {order.index(0) + 1}.",
            "Correct the one that is wrong.",
        )
    return order


def _drawn_order(item_id: str) -> tuple[int, ...]:
    digest = hashlib.sha256(item_id.encode()).digest()
    return tuple(sorted(range(N_OPTIONS), key=lambda number: digest[number]))


def _check_position(name: str, position: int | None, first: int) -> None:
    last = N_OPTIONS - 1 + first
    if position is not None and not first <= position <= last:
        raise RowError(f"{name} is {position}.", f"Positions in this file are {first} to {last}.")


def _answer(row: RowCells, given: int | None, correct: int, first: int) -> AnswerGiven:
    rater = rater_in(row)
    if given is None:
        raise RowError("selected_position is empty.", "Leave rows without an answer out.")
    if not row.text("option_order").strip() and is_missing(row.text("correct_position")):
        raise RowError("correct_position is empty.", "Say where the target stood.")
    _check_position(SELECTED.name, given, first)
    selected = given + 1 - first
    is_correct = row.yes_no("is_correct")
    if is_correct is not None and is_correct != (selected == correct):
        raise RowError(
            f"is_correct is {str(is_correct).lower()}, but position {given} was chosen and "
            f"{correct - 1 + first} is right.",
            "Correct the one that is wrong.",
        )
    return AnswerGiven(
        rater,
        bool(row.yes_no("is_simulated")),
        selected,
        rt_ms_in(row),
        time_in(row),
        row.text("app_version"),
    )


def _item(row: RowCells) -> Item:
    mode_text = row.text("mode").strip()
    is_marked = mode_text.endswith(_CATCH_MARK)
    try:
        mode = TrialMode(mode_text.removesuffix(_CATCH_MARK) or TrialMode.IMAGES.value)
    except ValueError:
        mode = TrialMode.MOMENT
    if mode is TrialMode.MOMENT:
        raise RowError(f"mode is {mode_text!r}.", "Write images or utterances.")
    part = Part.MAIN
    if is_marked or row.yes_no("is_catch"):
        part = Part.CATCH
    elif row.yes_no("is_practice"):
        part = Part.PRACTICE
    prompt = row.text("prompt")
    if not prompt and mode is TrialMode.IMAGES:
        prompt = row.text("utterance")
    target = _option(
        row,
        row.text("target_text" if row.has("target_text") else "utterance"),
        row.text("image_path"),
        None,
    )
    foils = tuple(
        _option(row, row.text(foil("utt", k)), row.text(foil("img", k)), k)
        for k in numbers_of_foils()
    )
    item = Item(
        row.text("item_id").strip(),
        mode,
        part,
        prompt,
        (target, *foils),
        row.real("score"),
        row.real("z"),
        row.whole("bin"),
    )
    if item.item_id:
        return item
    key = content_key(item)
    return Item(key, mode, part, prompt, item.options, item.score, item.z, item.bin)


def _option(row: RowCells, text: str, image: str, number: int | None) -> ItemOption:
    def name(plain: str) -> str:
        return plain if number is None else foil(plain, number)

    moment = moment_in(row, name)
    frame_ms = row.whole(name("frame_ms"))
    option = ItemOption(moment, text, frame_ms, row.real(name("cosine")))
    own_name = "" if image == image_name(option) else image
    return ItemOption(moment, text, frame_ms, option.cosine, own_name)


def _next(number: int | None) -> int | None:
    return None if number is None else number + 1
