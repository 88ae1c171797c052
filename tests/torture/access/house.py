"""A study of three children for people of every role: C01 is theirs, C02 is not, C03 was withdrawn.

Each child has a word that is said nowhere else. C01 and C02 have each a recording for talks and one
for the lab alone, with videos; a set of questions shows pictures of C01's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dashboard.navigation import MomentKey
from pipeline.people.marks import add_note, star
from pipeline.people.raters import invite
from pipeline.people.store import MomentRef, people_store
from pipeline.people.trial_records import Item, ItemOption, Part, PlacedItem, SetKind, TrialMode
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan
from pipeline.schema import TABLES
from pipeline.schema_sql import create_table_sql
from pipeline.store.locate import current_store_path, stores_folder, switch_current_store
from pipeline.store.narrowed import write_narrowed
from tests.factories import write_synthetic_study
from tests.media.recordings import record
from tests.torture.access.expected import Who

HOST = "coview.example.org"
HEADER = "X-Forwarded-Email"
THEIRS, ANOTHERS, WITHDRAWN = "C01", "C02", "C03"
WORDS = {THEIRS: "robinredbreast", ANOTHERS: "zebrafinch", WITHDRAWN: "quetzalbird"}
_RECORDINGS = {"rec01": THEIRS, "rec02": ANOTHERS, "rec03": WITHDRAWN}
_FOR_LAB = {"rec04": THEIRS, "rec05": ANOTHERS, "rec06": WITHDRAWN}


@dataclass(frozen=True, slots=True)
class Someone:
    """Who asks: their role, their e-mail address, and whether they see some children only."""

    who: Who
    email: str
    is_limited: bool = False

    @property
    def name(self) -> str:
        """What a table of failures calls them."""
        return f"{self.who.value}{', some children' if self.is_limited else ''}"


PEOPLE = (
    Someone(Who.NOBODY, ""),
    Someone(Who.STRANGER, "stranger@example.org"),
    Someone(Who.BLIND, "blind@example.org", is_limited=True),
    Someone(Who.BLIND, "blind-all@example.org"),
    Someone(Who.VIEWER, "seer@example.org", is_limited=True),
    Someone(Who.VIEWER, "seer-all@example.org"),
    Someone(Who.RATER, "rater@example.org"),
    Someone(Who.ADMIN, "pi@example.org"),
)


def someone(who: Who, *, is_limited: bool = False) -> Someone:
    return next(one for one in PEOPLE if (one.who, one.is_limited) == (who, is_limited))


@dataclass(frozen=True, slots=True)
class House:
    """The study. `talks` and `lab` are moments by child, `codes` let raters in."""

    root: Path
    talks: dict[str, MomentKey]
    lab: dict[str, MomentKey]
    codes: tuple[str, ...] = field(default=())

    def let_in(self, how: str, changed: dict[str, str] | None = None, without: str = "") -> None:
        """Write access.toml. changed: roles by e-mail address; without: who is taken out."""
        extra = f'header = "{HEADER}"\nproxies = ["127.0.0.1"]\n' if how == "proxy" else ""
        parts = [f'[sign_in]\nhow = "{how}"\nhosts = ["{HOST}"]\n{extra}']
        for one in PEOPLE:
            if one.who in (Who.NOBODY, Who.STRANGER) or one.email == without:
                continue
            role = (changed or {}).get(one.email, one.who.value)
            children = json.dumps([THEIRS]) if one.is_limited else '"all"'
            children = '"all"' if role in ("admin", "rater") else children
            parts.append(f'[users."{one.email}"]\nrole = "{role}"\nchildren = {children}\n')
        partial = self.root / "access.partial"
        partial.write_text("\n".join(parts), encoding="utf-8")
        partial.replace(self.root / "access.toml")

    def permit(self, recording_id: str, permission: str) -> None:
        """Say in the metadata what a family allows."""
        table = self.root / "metadata" / "recordings.csv"
        lines = [
            f"{line.rpartition(',')[0]},{permission}" if f"{recording_id}." in line else line
            for line in table.read_text(encoding="utf-8").splitlines()
        ]
        partial = table.with_suffix(".partial")
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        partial.replace(table)


def write_house(root: Path, *, has_pages: bool) -> House:
    """The study, with C03 already withdrawn: its rows are out of the metadata and of the store.

    has_pages: with a whole store, which the pages need and which takes seconds to be made.
    """
    if has_pages:
        store = write_synthetic_study(
            root, n_children=3, n_recordings=6, n_utterances=90, with_sound=True
        )
    else:
        store = _bare_store(root)
    with duckdb.connect(str(store)) as con:
        if has_pages:
            _mark(con)
        talks = _moments(con, _RECORDINGS)
        lab = _moments(con, _FOR_LAB)
        frames = [
            int(row[0])
            for row in con.execute(
                "SELECT time_ms FROM frames WHERE recording_id = 'rec01' AND time_ms < 5000 "
                "ORDER BY time_ms LIMIT 4"
            ).fetchall()
        ]
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True)
    first = raw / "rec01.mp4"
    record(first, seconds=6)
    for name in (*_RECORDINGS, *_FOR_LAB):
        if name != "rec01":
            (raw / f"{name}.mp4").write_bytes(first.read_bytes())
    house = House(root, talks, lab, _questions(root, talks[THEIRS], frames))
    for name in _RECORDINGS:
        house.permit(name, "excerpts")
    for name in _FOR_LAB:
        house.permit(name, "media")
    _write_about(root, talks)
    _withdraw(root, store, has_pages=has_pages)
    return house


def _bare_store(root: Path) -> Path:
    """A store of what the routes ask: recordings, utterances, frames."""
    store = stores_folder(root) / "store-synthetic.duckdb"
    store.parent.mkdir(parents=True)
    (root / "study.toml").write_text("[study]\n", encoding="utf-8")
    (root / "metadata").mkdir()
    lines = ["child_id,recording_filename,permission"]
    with duckdb.connect(str(store)) as con:
        for table in TABLES:
            if table.name in ("recordings", "utterances", "frames"):
                con.execute(create_table_sql(table))
        for name, child in {**_RECORDINGS, **_FOR_LAB}.items():
            lines.append(f"{child},{name}.mp4,media")
            permission = "excerpts" if name in _RECORDINGS else "media"
            con.execute(
                "INSERT INTO recordings BY NAME SELECT ? AS recording_id, ? AS child_id, "
                "? || '.mp4' AS media_path, ? AS permission",
                [name, child, name, permission],
            )
            con.execute(
                "INSERT INTO utterances BY NAME SELECT ? AS recording_id, 'u1' AS utterance_id, "
                "? AS child_id, 2000 AS onset_ms, 3000 AS offset_ms, ? AS text",
                [name, child, WORDS[child]],
            )
            con.execute(
                "INSERT INTO frames BY NAME SELECT ? AS recording_id, unnest(range(4)) * 1000 "
                "AS time_ms",
                [name],
            )
    (root / "metadata/recordings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return store


def _mark(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("UPDATE recordings SET permission = 'media'")
    con.execute("UPDATE recordings SET permission = 'excerpts' WHERE recording_id <= 'rec03'")
    con.execute("UPDATE utterances SET onset_ms = 2000, offset_ms = 3000")
    for child, word in WORDS.items():
        con.execute(
            "UPDATE utterances SET text = text || ' ' || ? WHERE child_id = ?", [word, child]
        )
        con.execute(
            "INSERT INTO words BY NAME SELECT recording_id, utterance_id, 90 AS word_index, "
            "? AS word, ? AS token FROM utterances WHERE child_id = ?",
            [word, word, child],
        )
        con.execute(
            "INSERT INTO word_index SELECT ?, ?, utterance_number FROM utterances "
            "WHERE child_id = ?",
            [word, word, child],
        )


def _moments(con: duckdb.DuckDBPyConnection, recordings: dict[str, str]) -> dict[str, MomentKey]:
    """The first moment of each recording, by child."""
    found: dict[str, MomentKey] = {}
    for recording_id, child in recordings.items():
        row = con.execute(
            "SELECT child_id, min(utterance_id) FROM utterances WHERE recording_id = ? GROUP BY 1",
            [recording_id],
        ).fetchone()
        if row is None or row[0] != child:
            raise ValueError(f"{recording_id} is not of {child}")
        found[child] = MomentKey(recording_id, str(row[1]))
    return found


def _questions(root: Path, moment: MomentKey, frames: list[int]) -> tuple[str, ...]:
    """Two questions with four pictures; codes of two raters."""
    people = people_store(root)
    span = TimeSpan(2_000, 3_000)
    options = tuple(
        ItemOption(MomentRef(moment.recording_id, moment.utterance_id, span), "words", ms, 0.2)
        for ms in frames
    )
    items = [
        Item(f"item{number}", TrialMode.IMAGES, Part.MAIN, "words", options) for number in (1, 2)
    ]
    set_id = add_set(
        people,
        name="Questions",
        kind=SetKind.FOUR_CHOICES,
        settings=json.dumps({"image_variant": "full_frame", "with_sound": False, "closing": ""}),
        items=items,
        placed=[PlacedItem(1, at, item.item_id, (0, 1, 2, 3)) for at, item in enumerate(items, 1)],
    )
    return tuple(invite(people, set_id, name)[1] for name in ("one", "two"))


def _write_about(root: Path, talks: dict[str, MomentKey]) -> None:
    people = people_store(root)
    for child in (THEIRS, ANOTHERS):
        key = talks[child]
        ref = MomentRef(key.recording_id, key.utterance_id, TimeSpan(2_000, 3_000))
        star(people, ref)
        add_note(people, ref, f"note about {WORDS[child]}")


def _withdraw(root: Path, store: Path, *, has_pages: bool) -> None:
    """A build without C03 takes the store's place; the video stays, as a withdrawal leaves it."""
    table = root / "metadata" / "recordings.csv"
    kept = [line for line in table.read_text().splitlines() if not line.startswith(WITHDRAWN)]
    table.write_text("\n".join(kept) + "\n", encoding="utf-8")
    without = stores_folder(root) / "store-without.duckdb"
    if has_pages:
        write_narrowed(store, without, {THEIRS, ANOTHERS}, without)
    else:
        without.write_bytes(store.read_bytes())
        with duckdb.connect(str(without)) as con:
            con.execute("DELETE FROM utterances WHERE child_id = ?", [WITHDRAWN])
            con.execute("DELETE FROM recordings WHERE child_id = ?", [WITHDRAWN])
    switch_current_store(root, without.name)
    for path in (store, *store.parent.glob(f"{store.stem}.*")):
        path.unlink(missing_ok=True)
    assert current_store_path(root) == without
