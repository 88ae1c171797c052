"""Labels that experts give to moments, and which moment an expert is shown next."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence

from pipeline.errors import RatingError
from pipeline.people.answers import Place
from pipeline.people.store import PeopleStore
from pipeline.people.trial_records import Item, LabelGiven, MomentLabel, Rater
from pipeline.people.trial_sets import item_of

MAX_REFERENT = 200


def save_label(
    store: PeopleStore,
    rater_id: int,
    item_id: str,
    *,
    label: MomentLabel,
    referent: str,
    rt_ms: float | None,
    app_version: str,
) -> bool:
    """Keep a label; on disk when this returns. False when the rater labelled it before.

    `referent` is what the words name; it may be empty and is cut at 200 characters. Raises
    RatingError when the moment is not in the rater's set, or the rater or the set is closed.
    """
    with store.writing() as con:
        row = con.execute(
            "SELECT r.set_id, coalesce(r.closed_at, s.closed_at), EXISTS (SELECT 1 "
            "FROM expert_labels e WHERE e.rater_id = r.rater_id AND e.set_id = i.set_id "
            "AND e.item_id = i.item_id) FROM raters r JOIN trial_sets s USING (set_id) "
            "JOIN items i USING (set_id) "
            "WHERE r.rater_id = ? AND i.item_id = ? AND s.kind = 'labels'",
            (rater_id, item_id),
        ).fetchone()
        if row is None:
            raise RatingError("This moment is not in this person's set.")
        set_id, closed_at, is_labelled = row
        if is_labelled:
            return False
        if closed_at is not None:
            raise RatingError("This study takes no more answers.")
        con.execute(
            "INSERT INTO expert_labels VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                rater_id,
                set_id,
                item_id,
                label.value,
                tidy_referent(referent),
                rt_ms,
                store.timestamp(),
                app_version,
            ),
        )
    return True


def tidy_referent(text: str) -> str:
    """A referent without control characters and surplus spaces, at most 200 characters."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())[:MAX_REFERENT].strip()


def add_labels(store: PeopleStore, set_id: int, labels: Sequence[LabelGiven]) -> int:
    """Keep labels that were given elsewhere, all or nothing; how many were new."""
    with store.writing() as con:
        before = con.total_changes
        con.executemany(
            "INSERT INTO expert_labels VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (rater_id, set_id, item_id) DO NOTHING",
            [
                (
                    one.rater_id,
                    set_id,
                    one.item_id,
                    one.label.value,
                    tidy_referent(one.referent),
                    one.rt_ms,
                    one.answered_at,
                    one.app_version,
                )
                for one in labels
            ],
        )
        return con.total_changes - before


def labels_of(con: sqlite3.Connection, set_id: int) -> tuple[LabelGiven, ...]:
    """The labels of a set, by rater and item."""
    rows = con.execute(
        "SELECT rater_id, item_id, label, referent, rt_ms, answered_at, app_version "
        "FROM expert_labels WHERE set_id = ? ORDER BY rater_id, item_id",
        (set_id,),
    )
    return tuple(
        LabelGiven(
            int(rater), str(item), MomentLabel(label), str(referent), rt_ms, str(at), str(version)
        )
        for rater, item, label, referent, rt_ms, at, version in rows
    )


def waiting_items(con: sqlite3.Connection, rater: Rater) -> Iterator[Item]:
    """The moments a rater has not labelled: those with the fewest ratings first.

    Equal ones come in an order of the rater's own, so that raters who work at the same time do
    not all label the same moments.
    """
    rows = con.execute(
        "SELECT i.item_id, count(e.rater_id) FROM items i "
        "LEFT JOIN expert_labels e USING (set_id, item_id) WHERE i.set_id = ? "
        "GROUP BY i.item_id HAVING coalesce(sum(e.rater_id = ?), 0) = 0",
        (rater.set_id, rater.rater_id),
    ).fetchall()
    ordered = sorted(
        (int(n), hashlib.sha256(f"{rater.rater_id}:{item_id}".encode()).digest(), str(item_id))
        for item_id, n in rows
    )
    for *_, item_id in ordered:
        item = item_of(con, rater.set_id, item_id)
        assert item is not None
        yield item


def next_item(con: sqlite3.Connection, rater: Rater) -> Item | None:
    """The moment a rater is shown next; None when they labelled all."""
    return next(waiting_items(con, rater), None)


def is_labelled(con: sqlite3.Connection, rater: Rater, item_id: str) -> bool:
    """Whether a rater has labelled a moment."""
    row = con.execute(
        "SELECT 1 FROM expert_labels WHERE rater_id = ? AND set_id = ? AND item_id = ?",
        (rater.rater_id, rater.set_id, item_id),
    ).fetchone()
    return row is not None


def label_place(con: sqlite3.Connection, rater: Rater) -> Place:
    """How far a rater is: the moment shown now is the first of those they have not labelled."""
    n_labelled, n_items = con.execute(
        "SELECT (SELECT count(*) FROM expert_labels WHERE rater_id = ?), "
        "(SELECT count(*) FROM items WHERE set_id = ?)",
        (rater.rater_id, rater.set_id),
    ).fetchone()
    return Place(int(n_labelled) + 1, int(n_items))
