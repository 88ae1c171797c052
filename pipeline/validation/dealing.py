"""Dealing items to lists, so that each list has its share of every bin and mode."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.validation.foils import in_random_order, stream

Needs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dealt:
    """An item as it is dealt: what it is, its stratum, and the moment it is about."""

    item_id: str
    bin: int
    mode: str
    target: Hashable


@dataclass(frozen=True, slots=True)
class Lists:
    """Item ids of each list; `n_unplaced` placements found no list that could take them."""

    items: tuple[tuple[str, ...], ...]
    n_unplaced: int


def deal(
    items: Sequence[Dealt], *, n_lists: int, n_copies: int, max_per_list: int, seed: int
) -> Lists:
    """Put each item into `n_copies` of `n_lists` lists.

    No list has an item twice, two items about the same target, or more than `max_per_list`. Within
    that, each item goes to the list that has the fewest items of its bin and mode, then of its
    bin, then at all.
    """
    table = _Table(items, n_lists, max_per_list)
    rng = stream(seed, "deal")
    n_unplaced = 0
    for _ in range(n_copies):
        for number in in_random_order(rng, range(len(items))):
            first = int(rng.random() * n_lists)
            n_unplaced += not table.place(number, first)
    table.even_out()
    return Lists(
        tuple(tuple(items[number].item_id for number in one) for one in table.lists), n_unplaced
    )


class _Table:
    """Who has what, as counts per list; lists are columns."""

    def __init__(self, items: Sequence[Dealt], n_lists: int, max_per_list: int) -> None:
        targets = {one.target: place for place, one in enumerate(items)}
        cells = {(one.bin, one.mode): 0 for one in items}
        bins = {one.bin: 0 for one in items}
        cells = {cell: row for row, cell in enumerate(cells)}
        bins = {number: row for row, number in enumerate(bins)}
        self._target = [targets[one.target] for one in items]
        self._cell = [cells[one.bin, one.mode] for one in items]
        self._bin = [bins[one.bin] for one in items]
        self._has_target = np.zeros((len(items), n_lists), np.bool_)
        self._n_cell = np.zeros((len(cells), n_lists), np.int64)
        self._n_bin = np.zeros((len(bins), n_lists), np.int64)
        self._n = np.zeros(n_lists, np.int64)
        self._max = max_per_list
        self.lists: list[list[int]] = [[] for _ in range(n_lists)]

    def place(self, number: int, first: int) -> bool:
        """Put an item where it is needed most; of equal lists the next from `first` on.

        Where those lists have the item's target already, an item of the same stratum moves there
        and makes room elsewhere. False when no list can take the item.
        """
        need = self._need(number, first)
        takes = ~self._has_target[self._target[number]]
        has_room = self._n < self._max
        if has_room.any():
            level = self._n_cell[self._cell[number]]
            is_best = has_room & (level == level[has_room].min())
            if (is_best & takes).any():
                self._add(number, _least(need, is_best & takes))
                return True
            neediest = [_least(need, is_best)]
            if self._swap(number, need, neediest, is_same_stratum=True):
                return True
            if (has_room & takes).any():
                self._add(number, _least(need, has_room & takes))
                return True
        open_lists = [int(one) for one in np.flatnonzero(has_room)]
        return self._swap(number, need, open_lists, is_same_stratum=False)

    def even_out(self) -> None:
        """Move items from the longest lists to the shortest, where strata stay as even."""
        while self._n.max() - self._n.min() > 1 and self._move_one():
            pass

    def _move_one(self) -> bool:
        shortest = np.flatnonzero(self._n == self._n.min())
        for long in np.flatnonzero(self._n == self._n.max()):
            for moved in self.lists[long]:
                cell, target = self._cell[moved], self._target[moved]
                for short in shortest:
                    is_even = self._n_cell[cell, short] < self._n_cell[cell, long]
                    if is_even and not self._has_target[target, short]:
                        self._remove(moved, int(long))
                        self._add(moved, int(short))
                        return True
        return False

    def _swap(self, number: int, need: Needs, to: Sequence[int], *, is_same_stratum: bool) -> bool:
        """Move an item of another list to one of `to` and take its place there."""
        for there in np.argsort(need, kind="stable"):
            if self._has_target[self._target[number], there]:
                continue
            for moved in self.lists[there]:
                if is_same_stratum and self._cell[moved] != self._cell[number]:
                    continue
                for other in to:
                    if not self._has_target[self._target[moved], other]:
                        self._remove(moved, int(there))
                        self._add(moved, other)
                        self._add(number, int(there))
                        return True
        return False

    def _need(self, number: int, first: int) -> Needs:
        """The smaller the more a list needs the item (n_lists,)."""
        n_lists = len(self._n)
        turn = (np.arange(n_lists) - first) % n_lists / n_lists
        need: Needs = (
            self._n_cell[self._cell[number]] * 1e8
            + self._n_bin[self._bin[number]] * 1e4
            + self._n
            + turn
        )
        return need

    def _add(self, number: int, to: int) -> None:
        self._count(number, to, 1)
        self.lists[to].append(number)

    def _remove(self, number: int, of: int) -> None:
        self._count(number, of, -1)
        self.lists[of].remove(number)

    def _count(self, number: int, where: int, change: int) -> None:
        self._has_target[self._target[number], where] = change > 0
        self._n_cell[self._cell[number], where] += change
        self._n_bin[self._bin[number], where] += change
        self._n[where] += change


def _least(need: Needs, among: NDArray[np.bool_]) -> int:
    return int(np.argmin(np.where(among, need, np.inf)))
