"""Raters of a set: invited by a code, joined through an open link, simulated or imported.

Only the digest of a code is kept, so the file does not give a way in. A code has 49 random bits;
whoever serves the rating screen limits wrong tries.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from pipeline.errors import RatingError
from pipeline.people.store import PeopleStore
from pipeline.people.trial_records import Rater, SetKind

HERE = "here"
"""Source of raters who answer on the rating screen."""

MAX_LABEL = 80
NO_SUCH_LINK = "This link is not known here."
NO_MORE_PEOPLE = "This study takes no more people."
ENOUGH_PEOPLE = "Enough people have taken part in this study."
HAS_OWN_CODE = "This name was invited with a code of its own."
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without the characters that are mistaken for one another: 0 O, 1 I L."""
_GROUPS = (4, 4, 2)
_RATER = (
    "rater_id, set_id, label, list_number, is_simulated, source, created_at, consented_at, "
    "closed_at"
)
_IS_JOINED = f"code_digest IS NULL AND source = '{HERE}' AND NOT is_simulated"


@dataclass(frozen=True, slots=True)
class RaterProgress:
    """How far a rater is: answers among all trials of their list (or moments of a labels set)."""

    rater: Rater
    n_answered: int
    n_trials: int
    last_at: str | None


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link with which anyone may join; `n_joined` counts everyone who joined the set so."""

    max_raters: int
    n_joined: int
    created_at: str
    closed_at: str | None


def invite(store: PeopleStore, set_id: int, label: str) -> tuple[int, str]:
    """A new rater on the list with the fewest raters, and the code that lets them in.

    The code is told once and never again. Raises ValueError for a label that is empty, overlong
    or taken, and RatingError for a set that is gone or has no lists.
    """
    code = _new_code()
    with store.writing() as con:
        rater_id = _insert(
            con, store, set_id, label, _list_with_fewest(con, set_id), digest=_digest(code)
        )
    return rater_id, code


def add_rater(
    store: PeopleStore,
    set_id: int,
    label: str,
    *,
    list_number: int | None,
    is_simulated: bool,
    source: str,
) -> int:
    """A rater without a code, whose answers are simulated or come from a file; the id.

    Raises ValueError as `invite`.
    """
    with store.writing() as con:
        return _insert(
            con, store, set_id, label, list_number, is_simulated=is_simulated, source=source
        )


def new_code(store: PeopleStore, rater_id: int) -> str:
    """Another code for a rater; the one before lets nobody in any more.

    Raises RatingError for a rater who is gone.
    """
    code = _new_code()
    with store.writing() as con:
        found = con.execute(
            "UPDATE raters SET code_digest = ? WHERE rater_id = ?", (_digest(code), rater_id)
        )
        if not found.rowcount:
            raise RatingError("This rater is no longer in the study.", hint="Reload the page.")
    return code


def rater_by_code(con: sqlite3.Connection, code: str) -> Rater | None:
    """Whom a code lets in; capitals, spaces and hyphens do not matter."""
    return _one(con, "code_digest = ?", (_digest(code),))


def open_link(store: PeopleStore, set_id: int, max_raters: int) -> str:
    """A code with which up to `max_raters` people join under labels of their own.

    Raises ValueError for a number below 1 and RatingError for a set that is gone.
    """
    if max_raters < 1:
        raise ValueError("an open link lets in at least one rater")
    code = _new_code()
    with store.writing() as con:
        _kind(con, set_id)
        con.execute(
            "INSERT INTO open_links (code_digest, set_id, max_raters, created_at) "
            "VALUES (?, ?, ?, ?)",
            (_digest(code), set_id, max_raters, store.timestamp()),
        )
    return code


def close_links(store: PeopleStore, set_id: int) -> None:
    """Let nobody new join a set; who has joined may go on."""
    with store.writing() as con:
        con.execute(
            "UPDATE open_links SET closed_at = ? WHERE set_id = ? AND closed_at IS NULL",
            (store.timestamp(), set_id),
        )


def open_links_of(con: sqlite3.Connection, set_id: int) -> tuple[OpenLink, ...]:
    """The open links of a set, oldest first."""
    n_joined = _n_joined(con, set_id)
    return tuple(
        OpenLink(int(max_raters), n_joined, str(created), closed and str(closed))
        for max_raters, created, closed in con.execute(
            "SELECT max_raters, created_at, closed_at FROM open_links WHERE set_id = ? "
            "ORDER BY rowid",
            (set_id,),
        )
    )


def join(store: PeopleStore, code: str, label: str) -> Rater:
    """Who comes through an open link: a new rater, or the one who joined under this label.

    Raises RatingError for a wrong, closed or full link, a closed set, and a label that someone
    has who did not come through an open link; ValueError for an empty or overlong label.
    """
    with store.reading() as con:
        known = joined_rater(con, code, label)
    if known is not None:
        return known
    with store.writing() as con:
        known = joined_rater(con, code, label)
        if known is not None:
            return known
        link = con.execute(
            "SELECT set_id, max_raters, coalesce(l.closed_at, s.closed_at) FROM open_links l "
            "JOIN trial_sets s USING (set_id) WHERE code_digest = ?",
            (_digest(code),),
        ).fetchone()
        if link is None:
            raise RatingError(NO_SUCH_LINK, hint="Check that it is complete.")
        set_id, max_raters, closed_at = link
        if closed_at is not None:
            raise RatingError(NO_MORE_PEOPLE)
        if _n_joined(con, set_id) >= max_raters:
            raise RatingError(ENOUGH_PEOPLE)
        if _one(con, "set_id = ? AND label = ?", (set_id, _tidy(label))) is not None:
            raise RatingError(HAS_OWN_CODE, hint="Use that.")
        rater_id = _insert(con, store, set_id, label, _list_with_fewest(con, set_id))
        joined = _one(con, "rater_id = ?", (rater_id,))
        assert joined is not None
        return joined


def joined_rater(con: sqlite3.Connection, code: str, label: str) -> Rater | None:
    """Who joined through an open link under a label before; also when the link is closed now."""
    return _one(
        con,
        f"{_IS_JOINED} AND label = ? "
        "AND set_id = (SELECT set_id FROM open_links WHERE open_links.code_digest = ?)",
        (" ".join(label.split()), _digest(code)),
    )


def consent(store: PeopleStore, rater_id: int) -> None:
    """Note that a rater agreed, and when; the first time stays."""
    with store.writing() as con:
        con.execute(
            "UPDATE raters SET consented_at = ? WHERE rater_id = ? AND consented_at IS NULL",
            (store.timestamp(), rater_id),
        )


def close_rater(store: PeopleStore, rater_id: int) -> None:
    """Take no more answers from a rater; those given stay."""
    with store.writing() as con:
        con.execute(
            "UPDATE raters SET closed_at = ? WHERE rater_id = ? AND closed_at IS NULL",
            (store.timestamp(), rater_id),
        )


def withdraw_rater(store: PeopleStore, rater_id: int) -> None:
    """Delete a rater with every answer and label they gave."""
    with store.writing() as con:
        con.execute("DELETE FROM raters WHERE rater_id = ?", (rater_id,))


def raters_of(con: sqlite3.Connection, set_id: int) -> tuple[Rater, ...]:
    """The raters of a set in the order they came."""
    rows = con.execute(f"SELECT {_RATER} FROM raters WHERE set_id = ? ORDER BY rater_id", (set_id,))
    return tuple(_rater(row) for row in rows)


def progress_of(con: sqlite3.Connection, set_id: int) -> tuple[RaterProgress, ...]:
    """How far each rater of a set is, in the order they came."""
    given = {
        int(rater_id): (int(n), str(last))
        for rater_id, n, last in con.execute(
            "SELECT rater_id, count(*), max(answered_at) FROM "
            "(SELECT rater_id, answered_at FROM answers "
            "UNION ALL SELECT rater_id, answered_at FROM expert_labels) "
            "WHERE rater_id IN (SELECT rater_id FROM raters WHERE set_id = ?) GROUP BY rater_id",
            (set_id,),
        )
    }
    lists = {
        int(number): int(n)
        for number, n in con.execute(
            "SELECT list_number, count(*) FROM trials WHERE set_id = ? GROUP BY list_number",
            (set_id,),
        )
    }
    n_items = int(
        con.execute("SELECT count(*) FROM items WHERE set_id = ?", (set_id,)).fetchone()[0]
    )
    found = []
    for rater in raters_of(con, set_id):
        n_answered, last_at = given.get(rater.rater_id, (0, None))
        n_trials = n_items if rater.list_number is None else lists.get(rater.list_number, 0)
        found.append(RaterProgress(rater, n_answered, n_trials, last_at))
    return tuple(found)


def _new_code() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(n)) for n in _GROUPS)


def _digest(code: str) -> str:
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _tidy(label: str) -> str:
    tidy = " ".join(label.split())
    if not tidy or len(tidy) > MAX_LABEL or not tidy.isprintable():
        raise ValueError(f"the name of a rater has 1 to {MAX_LABEL} visible characters")
    return tidy


def _kind(con: sqlite3.Connection, set_id: int) -> SetKind:
    row = con.execute("SELECT kind FROM trial_sets WHERE set_id = ?", (set_id,)).fetchone()
    if row is None:
        raise RatingError("This set of trials was deleted.", hint="Reload the page.")
    return SetKind(row[0])


def _list_with_fewest(con: sqlite3.Connection, set_id: int) -> int | None:
    """The list that the next rater gets; None in a set of labels, which has no lists."""
    if _kind(con, set_id) is SetKind.LABELS:
        return None
    row = con.execute(
        "SELECT l.list_number FROM (SELECT DISTINCT list_number FROM trials WHERE set_id = ?) l "
        "LEFT JOIN raters r ON r.set_id = ? AND r.list_number = l.list_number "
        "AND NOT r.is_simulated GROUP BY l.list_number ORDER BY count(r.rater_id), l.list_number",
        (set_id, set_id),
    ).fetchone()
    if row is None:
        raise RatingError("This set has no lists of trials.", hint="Make the set again.")
    return int(row[0])


def _n_joined(con: sqlite3.Connection, set_id: int) -> int:
    row = con.execute(
        f"SELECT count(*) FROM raters WHERE set_id = ? AND {_IS_JOINED}", (set_id,)
    ).fetchone()
    return int(row[0])


def _insert(
    con: sqlite3.Connection,
    store: PeopleStore,
    set_id: int,
    label: str,
    list_number: int | None,
    *,
    digest: str | None = None,
    is_simulated: bool = False,
    source: str = HERE,
) -> int:
    tidy = _tidy(label)
    if _one(con, "set_id = ? AND label = ?", (set_id, tidy)) is not None:
        raise ValueError(f"there is a rater named {tidy} in this set already")
    cursor = con.execute(
        "INSERT INTO raters (set_id, label, code_digest, list_number, is_simulated, source, "
        "created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (set_id, tidy, digest, list_number, is_simulated, source, store.timestamp()),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _one(con: sqlite3.Connection, condition: str, values: tuple[int | str, ...]) -> Rater | None:
    row = con.execute(f"SELECT {_RATER} FROM raters WHERE {condition}", values).fetchone()
    return None if row is None else _rater(row)


def _rater(row: tuple[object, ...]) -> Rater:
    rater_id, set_id, label, number, is_simulated, source, created, consented, closed = row
    return Rater(
        int(str(rater_id)),
        int(str(set_id)),
        str(label),
        None if number is None else int(str(number)),
        bool(is_simulated),
        str(source),
        str(created),
        None if consented is None else str(consented),
        None if closed is None else str(closed),
    )
