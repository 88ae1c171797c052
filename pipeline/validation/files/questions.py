"""The questions of a set, found by id and by what they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.people.trial_records import Item, Trial
from pipeline.validation.files.rows import FileRow, content_key


class Questions:
    """Items by id and by what they show."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._by_id = {item.item_id: item for item in items}
        self._by_content = {content_key(item): item for item in self._by_id.values()}

    def find(self, row: FileRow) -> Item | None:
        """The item of a row. A row with content is never taken for a question of other content."""
        if not row.has_content:
            return self._by_id.get(row.item.item_id)
        same = self._by_content.get(content_key(row.item))
        named = self._by_id.get(row.item.item_id)
        if named is not None and content_key(named) == content_key(row.item):
            return named
        return same if not row.is_whole else None


def items_in(trials: Iterable[Trial]) -> Iterator[Item]:
    """The items of trials, as often as they stand there."""
    for trial in trials:
        yield trial.item
