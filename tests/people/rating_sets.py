"""Small sets of trials built by hand, for tests of raters and answers."""

from __future__ import annotations

from pipeline.people.store import MomentRef, PeopleStore
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan


def moment(number: int) -> MomentRef:
    return MomentRef("rec1", f"u{number}", TimeSpan(1_000 * number, 1_000 * number + 900))


def option(number: int) -> ItemOption:
    return ItemOption(moment(number), f"words {number}", 1_000 * number + 500, 0.2)


def four_choices(
    store: PeopleStore, *, n_lists: int = 2, n_trials: int = 4, name: str = "A"
) -> int:
    """A set whose lists hold the same items, each list beginning at another one."""
    items = [
        Item(
            f"i{i}",
            TrialMode.IMAGES,
            Part.PRACTICE if i == 0 else Part.MAIN,
            f"words {10 * i}",
            tuple(option(10 * i + j) for j in range(4)),
        )
        for i in range(n_trials)
    ]
    placed = [
        PlacedItem(number, place + 1, f"i{(place + number) % n_trials}", (2, 0, 3, 1))
        for number in range(n_lists)
        for place in range(n_trials)
    ]
    return add_set(
        store, name=name, kind=SetKind.FOUR_CHOICES, settings="{}", items=items, placed=placed
    )


def moments_to_label(store: PeopleStore, n_items: int = 6) -> int:
    items = [
        Item(f"m{i}", TrialMode.MOMENT, Part.MAIN, f"words {i}", (option(i),))
        for i in range(n_items)
    ]
    return add_set(store, name="Labels", kind=SetKind.LABELS, settings="{}", items=items)
