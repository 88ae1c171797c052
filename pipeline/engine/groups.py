"""Which recordings make one task: short ones together, long ones each alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.engine.work import Item

_SHORT_BYTES = 64 * 2**20
"""A larger file is taken for a long recording. It is a guess that needs no file opened: 17 s at 30
Mbit/s, some minutes at 2; what turns out to be long is made alone by the task as well."""

_MOST_BYTES = 256 * 2**20
_MOST_ITEMS = 32
_TASKS_PER_WORKER = 4
"""So many at least, that no worker is left without when few are to be done."""


def groups(
    items: Sequence[Item], sizes_bytes: Sequence[int | None], n_workers: int
) -> Iterator[tuple[Item, ...]]:
    """Items in their order, those of small files together; size None: not a file."""
    most = _MOST_ITEMS
    if n_workers > 1:
        most = min(most, max(1, len(items) // (_TASKS_PER_WORKER * n_workers)))
    group: list[Item] = []
    n_bytes = 0
    for item, size in zip(items, sizes_bytes, strict=True):
        if size is None or size > _SHORT_BYTES:
            yield (item,)
            continue
        if group and (len(group) == most or n_bytes + size > _MOST_BYTES):
            yield tuple(group)
            group, n_bytes = [], 0
        group.append(item)
        n_bytes += size
    if group:
        yield tuple(group)
