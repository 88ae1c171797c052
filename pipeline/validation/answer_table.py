"""Answers of 4AFC sets as one table: a row per answer, with what was asked and what the model
would have chosen."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.people.trial_records import N_OPTIONS

if TYPE_CHECKING:
    import pandas as pd

ANSWER_COLUMNS = (
    "set_id",
    "set",
    "rater_id",
    "rater",
    "is_simulated",
    "item",
    "mode",
    "part",
    "list",
    "position",
    "score",
    "z",
    "bin",
    "child",
    "recording",
    "selected_position",
    "selected_option",
    "correct_position",
    "is_correct",
    "model_position",
    "is_model_correct",
    "rt_ms",
    "answered_at",
)
"""Labels of raters and ids of items are unique within a set only: with several sets, a rater is a
`rater_id` and an item a pair of `set_id` and `item`."""

_COSINES = ", ".join(
    f"max(CASE WHEN option = {number} THEN cosine END) AS cosine_{number}"
    for number in range(N_OPTIONS)
)


def answer_table(
    con: sqlite3.Connection,
    set_ids: Sequence[int],
    children: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Every answer of these sets by set, rater and position: columns ANSWER_COLUMNS.

    `children` names the child of each recording; without it, or for a recording that it does not
    name, `child` is missing. Positions count from 1, `selected_option` from 0, the target.
    `model_position` is where the option of the largest cosine stood; it and `is_model_correct`
    are missing where an option has no cosine or where two share the first place. `score`, `z`
    and `rt_ms` are NaN where there is none. Practice and catch trials are in it: see `part`.
    """
    import numpy as np
    import pandas as pd

    marks = ", ".join("?" * len(set_ids))
    rows = con.execute(
        "SELECT s.set_id, s.name, r.rater_id, r.label, r.is_simulated, i.item_id, i.mode, i.part, "
        "t.list_number, t.position, i.score, i.z, i.bin, o.recording, a.selected_position, "
        "t.option_order, a.rt_ms, a.answered_at, cosine_0, cosine_1, cosine_2, cosine_3 "
        "FROM answers a JOIN raters r USING (rater_id) JOIN trials t USING (trial_id) "
        "JOIN trial_sets s ON s.set_id = t.set_id "
        "JOIN items i ON i.set_id = t.set_id AND i.item_id = t.item_id "
        f"JOIN (SELECT set_id, item_id, {_COSINES}, "
        "max(CASE WHEN option = 0 THEN recording_id END) AS recording "
        f"FROM item_options WHERE set_id IN ({marks}) GROUP BY set_id, item_id) o "
        "ON o.set_id = t.set_id AND o.item_id = t.item_id "
        f"WHERE t.set_id IN ({marks}) ORDER BY s.set_id, r.rater_id, t.position, t.trial_id",
        (*set_ids, *set_ids),
    ).fetchall()
    names = (
        *("set_id", "set", "rater_id", "rater", "is_simulated", "item", "mode", "part", "list"),
        *("position", "score", "z", "bin", "recording", "selected_position", "order", "rt_ms"),
        *("answered_at", *(f"cosine_{number}" for number in range(N_OPTIONS))),
    )
    table = pd.DataFrame(rows, columns=list(names))
    orders = np.array([[int(digit) for digit in order] for order in table["order"]], np.int64)
    orders = orders.reshape(-1, N_OPTIONS)
    lines = np.arange(len(table))
    selected = table["selected_position"].to_numpy(np.int64)
    table["selected_option"] = orders[lines, selected - 1]
    # Of an order, a permutation, argsort is the inverse: where each option stands.
    places = np.argsort(orders, axis=1) + 1
    table["correct_position"] = places[:, 0]
    table["is_correct"] = table["selected_option"] == 0
    cosines = table[[f"cosine_{number}" for number in range(N_OPTIONS)]].to_numpy(np.float64)
    chosen = np.where(np.isnan(cosines), -np.inf, cosines).argmax(axis=1)
    largest = cosines[lines, chosen]
    has_choice = ((cosines == largest[:, None]).sum(axis=1) == 1) & ~np.isnan(cosines).any(axis=1)
    table["model_position"] = pd.Series(places[lines, chosen], dtype="Int64").where(has_choice)
    table["is_model_correct"] = pd.Series(chosen == 0, dtype="boolean").where(has_choice)
    known = children or {}
    table["child"] = table["recording"].map(known.get).astype(object)
    for name in ("score", "z", "rt_ms"):
        table[name] = table[name].astype(np.float64)
    table["is_simulated"] = table["is_simulated"].astype(bool)
    table["bin"] = table["bin"].astype("Int64")
    return table[list(ANSWER_COLUMNS)]
