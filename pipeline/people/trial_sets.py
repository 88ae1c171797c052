"""Sets of trials in the people's store: kept whole, read back, closed."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from pipeline.people.store import MomentRef, PeopleStore
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    Trial,
    TrialMode,
    TrialSet,
)
from pipeline.records import TimeSpan

MAX_NAME = 80

_SET = "set_id, name, kind, settings, consent, is_simulated, created_at, closed_at"


def add_set(
    store: PeopleStore,
    *,
    name: str,
    kind: SetKind,
    settings: str,
    items: Sequence[Item],
    placed: Sequence[PlacedItem] = (),
    consent: str = "",
    is_simulated: bool = False,
) -> int:
    """Keep a set with its items and lists, all or nothing; its id.

    Raises ValueError for an empty or overlong name, a name that is taken, or no items.
    """
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > MAX_NAME:
        raise ValueError(f"the name of a set has 1 to {MAX_NAME} characters")
    if not items:
        raise ValueError("a set needs at least one item")
    with store.writing() as con:
        if con.execute("SELECT 1 FROM trial_sets WHERE name = ?", (tidy,)).fetchone():
            raise ValueError(f"there is a set named {tidy} already")
        cursor = con.execute(
            "INSERT INTO trial_sets (name, kind, settings, consent, is_simulated, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (tidy, kind.value, settings, consent, is_simulated, store.timestamp()),
        )
        assert cursor.lastrowid is not None
        set_id = cursor.lastrowid
        _insert(con, set_id, items, placed)
    return set_id


def add_trials(
    store: PeopleStore, set_id: int, items: Sequence[Item], placed: Sequence[PlacedItem]
) -> None:
    """Add to a set that grows with the files read into it, all or nothing.

    Neither an item nor a place of a list may be there already.
    """
    with store.writing() as con:
        _insert(con, set_id, items, placed)


def close_set(store: PeopleStore, set_id: int) -> None:
    """Take no more answers; what was answered stays."""
    with store.writing() as con:
        con.execute(
            "UPDATE trial_sets SET closed_at = ? WHERE set_id = ? AND closed_at IS NULL",
            (store.timestamp(), set_id),
        )


def delete_set(store: PeopleStore, set_id: int) -> None:
    """Delete a set with its raters and answers."""
    with store.writing() as con:
        con.execute("DELETE FROM trial_sets WHERE set_id = ?", (set_id,))


def trial_sets(con: sqlite3.Connection) -> tuple[TrialSet, ...]:
    """All sets, newest first."""
    return tuple(
        _set_of(row) for row in con.execute(f"SELECT {_SET} FROM trial_sets ORDER BY set_id DESC")
    )


def trial_set(con: sqlite3.Connection, set_id: int) -> TrialSet | None:
    """One set, or None."""
    row = con.execute(f"SELECT {_SET} FROM trial_sets WHERE set_id = ?", (set_id,)).fetchone()
    return None if row is None else _set_of(row)


def items_of(con: sqlite3.Connection, set_id: int) -> dict[str, Item]:
    """The items of a set by id."""
    return _items(con, "set_id = ?", (set_id,))


def n_main_items(con: sqlite3.Connection, set_id: int) -> int:
    """How many items of a set enter results."""
    row = con.execute(
        "SELECT count(*) FROM items WHERE set_id = ? AND part = ?", (set_id, Part.MAIN.value)
    ).fetchone()
    return int(row[0])


def item_of(con: sqlite3.Connection, set_id: int, item_id: str) -> Item | None:
    """One item, or None."""
    return _items(con, "set_id = ? AND item_id = ?", (set_id, item_id)).get(item_id)


def trials_of(con: sqlite3.Connection, set_id: int) -> tuple[Trial, ...]:
    """The trials of a set by list and position."""
    items = items_of(con, set_id)
    rows = con.execute(
        "SELECT trial_id, list_number, position, item_id, option_order FROM trials "
        "WHERE set_id = ? ORDER BY list_number, position",
        (set_id,),
    )
    return tuple(
        Trial(int(number), int(of_list), int(position), items[item_id], _order(order))
        for number, of_list, position, item_id, order in rows
    )


def trial_of(con: sqlite3.Connection, trial_id: int) -> Trial | None:
    """One trial, or None."""
    row = con.execute(
        "SELECT set_id, list_number, position, item_id, option_order FROM trials "
        "WHERE trial_id = ?",
        (trial_id,),
    ).fetchone()
    if row is None:
        return None
    set_id, of_list, position, item_id, order = row
    item = item_of(con, int(set_id), str(item_id))
    assert item is not None
    return Trial(trial_id, int(of_list), int(position), item, _order(order))


def _insert(
    con: sqlite3.Connection, set_id: int, items: Sequence[Item], placed: Sequence[PlacedItem]
) -> None:
    con.executemany(
        "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                set_id,
                item.item_id,
                item.mode.value,
                item.part.value,
                item.prompt,
                item.score,
                item.z,
                item.bin,
            )
            for item in items
        ],
    )
    con.executemany(
        "INSERT INTO item_options VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                set_id,
                item.item_id,
                number,
                option.moment.recording_id,
                option.moment.utterance_id,
                option.moment.span.onset_ms,
                option.moment.span.offset_ms,
                option.text,
                option.frame_ms,
                option.cosine,
                option.image,
            )
            for item in items
            for number, option in enumerate(item.options)
        ],
    )
    con.executemany(
        "INSERT INTO trials (set_id, list_number, position, item_id, option_order) "
        "VALUES (?, ?, ?, ?, ?)",
        [
            (
                set_id,
                one.list_number,
                one.position,
                one.item_id,
                "".join(map(str, one.option_order)),
            )
            for one in placed
        ],
    )


def _order(text: str) -> tuple[int, ...]:
    return tuple(int(digit) for digit in text)


def _set_of(row: tuple[object, ...]) -> TrialSet:
    set_id, name, kind, settings, consent, is_simulated, created_at, closed_at = row
    return TrialSet(
        int(str(set_id)),
        str(name),
        SetKind(kind),
        str(settings),
        str(consent),
        bool(is_simulated),
        str(created_at),
        None if closed_at is None else str(closed_at),
    )


def _items(
    con: sqlite3.Connection, condition: str, values: tuple[int | str, ...]
) -> dict[str, Item]:
    options: dict[str, list[ItemOption]] = defaultdict(list)
    for item_id, recording, utterance, onset, offset, text, frame_ms, cosine, image in con.execute(
        "SELECT item_id, recording_id, utterance_id, onset_ms, offset_ms, text, frame_ms, cosine, "
        f"image FROM item_options WHERE {condition} ORDER BY item_id, option",
        values,
    ):
        moment = MomentRef(str(recording), str(utterance), TimeSpan(int(onset), int(offset)))
        options[item_id].append(ItemOption(moment, str(text), frame_ms, cosine, str(image)))
    return {
        str(item_id): Item(
            str(item_id),
            TrialMode(mode),
            Part(part),
            str(prompt),
            tuple(options[item_id]),
            score,
            z,
            number,
        )
        for item_id, mode, part, prompt, score, z, number in con.execute(
            "SELECT item_id, mode, part, prompt, score, z, bin FROM items "
            f"WHERE {condition} ORDER BY item_id",
            values,
        )
    }
