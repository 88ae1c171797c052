"""The order of the trials in each list and of the options in each trial."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pipeline.people.trial_records import N_OPTIONS, PlacedItem
from pipeline.validation.foils import in_random_order, stream


def arrange(
    lists: Sequence[Sequence[str]],
    *,
    practice: Sequence[str],
    catch: Sequence[Sequence[str]],
    asked: Mapping[str, int],
    seed: int,
) -> tuple[PlacedItem, ...]:
    """Place every list: practice first, then main items in random order with catch items between.

    `lists` and `catch` hold the item ids of each list, `asked` the position that a catch item asks
    for. In each list the target stands at every position equally often, up to one; the lists
    that share an item show its target at different positions where they can.
    """
    rng = stream(seed, "arrange")
    seen: dict[str, list[int]] = defaultdict(lambda: [0] * N_OPTIONS)
    placed: list[PlacedItem] = []
    for list_number, (items, own_catch) in enumerate(zip(lists, catch, strict=True), start=1):
        main = in_random_order(rng, items)
        counts = [0] * N_OPTIONS
        targets: dict[str, int] = {}
        for item_id in main:
            targets[item_id] = _target_position(rng, counts, seen[item_id])
            counts[targets[item_id] - 1] += 1
            seen[item_id][targets[item_id] - 1] += 1
        for item_id in practice:
            targets[item_id] = 1 + int(rng.random() * N_OPTIONS)
        targets.update({item_id: asked[item_id] for item_id in own_catch})
        order = (*practice, *_with_catch(rng, main, own_catch))
        placed += [
            PlacedItem(list_number, position, item_id, _order(rng, targets[item_id]))
            for position, item_id in enumerate(order, start=1)
        ]
    return tuple(placed)


def _target_position(rng: random.Random, counts: list[int], seen: list[int]) -> int:
    """1 to 4: least used in this list, then least used for this item, then by chance."""
    drawn = [rng.random() for _ in range(N_OPTIONS)]
    return 1 + min(range(N_OPTIONS), key=lambda place: (counts[place], seen[place], drawn[place]))


def _order(rng: random.Random, target_position: int) -> tuple[int, ...]:
    foils = in_random_order(rng, range(1, N_OPTIONS))
    return (*foils[: target_position - 1], 0, *foils[target_position - 1 :])


def _with_catch(rng: random.Random, main: Sequence[str], catch: Sequence[str]) -> list[str]:
    """`main` with the catch items spread through it, never first, last or side by side."""
    step = len(main) / (len(catch) + 1)
    spread = int(step / 4)
    found: list[str] = []
    start = 0
    for number, item_id in enumerate(catch, start=1):
        shift = int(rng.random() * (2 * spread + 1)) - spread
        end = min(len(main) - 1, max(start + 1, round(number * step) + shift))
        found += [*main[start:end], item_id]
        start = end
    return [*found, *main[start:]]
