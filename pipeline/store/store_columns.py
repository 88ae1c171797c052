"""The columns that the dashboard's charts count over, as arrays in one file beside a store.

`store-<build>~columns.npy` holds, over all utterances by utterance_number, what charts look at
first: names as codes, flags, and for each scorer the scores and null of the crop that pages open
with. To map them takes milliseconds where reading a column of ten million rows from the store
takes most of a second. It also holds what the opening page counts (`pipeline.store.first_counts`)
and what the store says of itself, so that a chart can be drawn before the store is open.

Nothing is in it that the store does not say; a store without such a file is asked in SQL.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.schema import SCHEMA_VERSION
from pipeline.store.column_file import Array, ColumnFile, damaged, open_column_file, part_name
from pipeline.store.store_facts import StoreFacts

KIND = "columns 1"
"""Another number for another content: a file of another kind is left alone."""
_HEAD_BYTES = 12_288
"""DuckDB's headers: they tell the state of the whole file."""
SEPARATOR = "\0"
LEMMAS_AT_ONCE = 64
"""A word is looked up without a look at all the others."""

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class StoreColumns:
    """An open file of columns and what it says of its store. `scorers` in alphabetical order;
    `whole` are those with a row for every utterance."""

    file: ColumnFile
    facts: StoreFacts
    n_utterances: int
    scorers: tuple[str, ...]
    whole: frozenset[str]
    _fit: set[str] = field(default_factory=set)

    def find(self, name: str) -> Array | None:
        """An array by its name, None where it is not in the file; StoreError if damaged, and when
        it does not fit the utterances: loops that count do not look where they write."""
        found = self.file.array(name)
        if found is not None and name not in self._fit:
            if not self._fits(name, found):
                raise damaged(self.file.path)
            self._fit.add(name)
        return found

    def _fits(self, name: str, found: Array) -> bool:
        kind, _, column = name.partition(" ")
        n = self.n_utterances
        if kind == "codes":
            names = self.facts.names.get(column.removesuffix("_id"), ())
            return _is_within(found, np.uint16, n, len(names))
        if kind == "flags":
            return found.shape == (n,) and found.dtype == np.uint32
        if kind == "numbers" and column.startswith("of "):
            return _is_within(found, np.int32, len(found), n - 1)
        if kind in ("numbers", "column"):
            return found.dtype == np.float32 and found.shape in ((n,), (0,))
        return True

    def several(self, name: str) -> tuple[Array, ...] | None:
        """Arrays that were counted together; None where they are not in the file."""
        found: list[Array] = []
        while (part := self.file.array(part_name(name, len(found)))) is not None:
            found.append(part)
        return tuple(found) or None

    def names(self, what: str) -> list[str]:
        """A list of names: "recording names" in the order of their codes, or "child names"."""
        text = self.bytes_of(what)
        return text.tobytes().decode().split(SEPARATOR) if len(text) else []

    def bytes_of(self, what: str) -> NDArray[np.uint8]:
        """`names` as they lie in the file, with a zero between one and the next."""
        return np.asarray(self.known(what), np.uint8)

    def recording_of_utterances(self) -> Numbers:
        """int32 (n_utterances,): the code of each one's recording."""
        order, n_each = self.known("recordings in order"), self.known("utterances of recordings")
        last = len(self.known("child of recording")) - 1
        if not _is_within(order, np.int32, len(n_each), last) or n_each.min(initial=0) < 0:
            raise damaged(self.file.path)
        found = np.repeat(np.asarray(order, np.int32), np.asarray(n_each, np.int64))
        if len(found) != self.n_utterances:
            raise damaged(self.file.path)
        return found

    def child_of_recording(self) -> Numbers:
        """int32 (n_recordings,): places in "child names"."""
        found, n_children = self.known("child of recording"), len(self.names("child names"))
        if not _is_within(found, np.int32, len(found), n_children - 1):
            raise damaged(self.file.path)
        return np.asarray(found, np.int32)

    def heard(self, lemma: str) -> Numbers:
        """Numbers of the utterances in which a lemma is heard, ascending."""
        lemmas = b"\0" + self.bytes_of("lemmas").tobytes() + b"\0"
        found_at = lemmas.find(b"\0" + lemma.encode() + b"\0")
        if not lemma or found_at < 0:
            return np.zeros(0, np.int32)
        block, place = divmod(lemmas.count(b"\0", 0, found_at), LEMMAS_AT_ONCE)
        starts = np.asarray(self.known(f"lemmas {block} starts"), np.int64)
        numbers = np.asarray(self.known(f"lemmas {block} utterances"), np.int32)
        found = numbers[starts[place] : starts[place + 1]]
        if not _is_within(found, np.int32, len(found), self.n_utterances - 1):
            raise damaged(self.file.path)
        return found

    def known(self, name: str) -> Array:
        """An array that every such file has."""
        found = self.file.array(name)
        if found is None:
            raise damaged(self.file.path)
        return found


def _is_within(found: Array, dtype: type[np.generic], n: int, last: int) -> bool:
    """Whether an array holds n whole numbers from 0 to `last`."""
    if found.dtype != dtype or found.shape != (n,):
        return False
    return not n or bool(int(found.min()) >= 0 and int(found.max()) <= last)


def columns_path(store: Path) -> Path:
    """Where the columns of a store lie, whether they were written or not."""
    return store.with_name(f"{store.stem}~columns.npy")


def open_columns(store: Path) -> StoreColumns | None:
    """The columns of a store; None where there are none for just this file.

    Raises StoreError when the file of columns is damaged.
    """
    file = open_column_file(columns_path(store))
    if file is None:
        return None
    about = json.loads(file.about)
    if about.get("kind") != KIND or about["store"] != state_of(store):
        return None
    facts = StoreFacts.from_json(about["facts"])
    if facts.schema_version != SCHEMA_VERSION:
        return None
    return StoreColumns(
        file, facts, about["n_utterances"], tuple(about["scorers"]), frozenset(about["whole"])
    )


def state_of(store: Path) -> str:
    """Size and head of a file of DuckDB, by which it is known again after copying."""
    with store.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return f"{store.stat().st_size} {hashlib.sha256(head).hexdigest()}"
