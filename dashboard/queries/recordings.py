"""The recordings of a store, in the order of their codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from pipeline.store.store_columns import StoreColumns
from pipeline.store.store_facts import enum_names

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Recordings:
    """All recordings in the order of their codes, which are those of the ENUM type.

    `child` int32 (n,) are places in `child_names`, which is in alphabetical order. `ages` float64
    (n,) in days, NaN when unknown. `by_name` int64 (n,) are the codes in the order of the
    children's and the recordings' names.
    """

    child: Numbers
    child_names: tuple[str, ...]
    ages: Doubles
    by_name: Ints
    _names: Callable[[], ExtensionArray]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """child_id, recording_id, age_days; made when it is first asked for."""
        return pd.DataFrame(
            {
                "child_id": self.children(self.child),
                "recording_id": self._names(),
                "age_days": self.ages,
            }
        )

    def children(self, places: Ints | Numbers) -> ExtensionArray:
        """Names of the children at these places, as a column."""
        return self._children.take(places)

    @cached_property
    def _children(self) -> ExtensionArray:
        return pd.array(self.child_names, dtype="str")

    def rows(
        self, counts: Ints, sums: Doubles, names: list[str | None]
    ) -> tuple[pd.DataFrame, Ints, Doubles]:
        """Recordings and groups that hold something, in the order of names: a frame with a column
        grp, and what was counted and summed of each, (k, n) and (l, n).

        counts (n_recordings, n_groups, k), of which the first is how many; sums (n_recordings,
        n_groups, l); names of the groups.
        """
        is_in_order = bool((self.by_name[1:] > self.by_name[:-1]).all())
        if not is_in_order:
            counts, sums = counts[self.by_name], sums[self.by_name]
        place, group = np.nonzero(counts[:, :, 0])
        if len(place) and len(place) == counts.shape[0] * counts.shape[1]:
            found, added = (cells.reshape(len(place), -1).T for cells in (counts, sums))
        else:
            found, added = counts[place, group].T, sums[place, group].T
        frame = self.frame
        if not is_in_order or len(place) != len(frame) or counts.shape[1] > 1:
            frame = frame.take(place if is_in_order else self.by_name[place]).reset_index(drop=True)
        grp = pd.Series(names, dtype="str").take(group).array
        return frame.assign(grp=grp), np.ascontiguousarray(found), np.ascontiguousarray(added)


def read_recordings(con: DuckDBPyConnection) -> Recordings:
    names = enum_names(con, "recording_names")
    child_names = enum_names(con, "child_names")
    known = con.execute(
        """SELECT enum_code(CAST(recording_id AS recording_names))::INTEGER AS code,
               enum_code(CAST(child_id AS child_names))::INTEGER AS child,
               CAST(age_days AS DOUBLE) AS age_days FROM recordings"""
    ).fetchnumpy()
    order = np.argsort(known["code"], kind="stable")
    used = np.unique(known["child"])
    alphabet = sorted(int(code) for code in used)
    alphabet.sort(key=child_names.__getitem__)
    place = np.zeros(len(child_names), np.int32)
    place[alphabet] = np.arange(len(alphabet))
    child = place[known["child"][order]]
    children = tuple(child_names[code] for code in alphabet)
    ages = np.asarray(np.ma.filled(known["age_days"][order], np.nan), np.float64)
    is_sorted = all(one <= other for one, other in pairwise(names))
    rank = np.arange(len(names)) if is_sorted else np.argsort(np.argsort(np.array(names)))
    by_name = np.lexsort((rank, child))
    return Recordings(child, children, ages, by_name, lambda: pd.Series(names, dtype="str").array)


def mapped_recordings(columns: StoreColumns) -> Recordings:
    ages = np.asarray(columns.known("age of recording"), np.float64)
    return Recordings(
        columns.child_of_recording(),
        tuple(columns.names("child names")),
        ages,
        np.asarray(columns.known("recordings by name"), np.int64),
        lambda: _as_text(columns.bytes_of("recording names")),
    )


def _as_text(names: NDArray[np.uint8]) -> ExtensionArray:
    """Names that zeros part, as a column; to make words of ninety thousand takes far longer."""
    import pyarrow as pa

    is_end = names == 0
    ends = np.append(np.flatnonzero(is_end), len(names))
    starts = np.concatenate([[0], ends - np.arange(len(ends))]).astype(np.int64)
    n = len(ends) if len(names) else 0
    buffers = [None, pa.py_buffer(starts), pa.py_buffer(names[~is_end])]
    text: ExtensionArray = pd.array(
        pa.Array.from_buffers(pa.large_string(), n, buffers), dtype="str"
    )
    return text
