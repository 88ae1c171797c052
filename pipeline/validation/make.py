"""From candidates to items and lists: pure, and the same for the same pool and plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.errors import SettingsError
from pipeline.people.trial_records import N_OPTIONS, Item, ItemOption, Part, PlacedItem, TrialMode
from pipeline.validation.arranging import arrange
from pipeline.validation.candidates import Candidate, Pool
from pipeline.validation.dealing import Dealt, deal
from pipeline.validation.foils import DrawnFoils, FoilPool, in_random_order, stream
from pipeline.validation.plan import LabelPlan, TrialPlan

_ASKED = {
    TrialMode.IMAGES: "Please choose picture {}.",
    TrialMode.UTTERANCES: "Please choose sentence {}.",
}


@dataclass(frozen=True, slots=True)
class Stratum:
    """One bin and mode: scores from `low` to below `high`, usable utterances in the store, items
    that were asked for and made."""

    bin: int
    low: float
    high: float
    mode: TrialMode
    n_candidates: int
    n_wanted: int
    n_made: int


@dataclass(frozen=True, slots=True)
class Made:
    """A set before it is stored, with what it was asked to be and what could be had.

    `n_without_foils` targets were passed over because no three foils suit them;
    `n_unmatched_foils` foils could not be matched on length; `n_unplaced` placements found no
    list.
    """

    items: tuple[Item, ...]
    placed: tuple[PlacedItem, ...]
    strata: tuple[Stratum, ...]
    list_lengths: tuple[int, ...] = ()
    n_without_foils: int = 0
    n_unmatched_foils: int = 0
    n_unplaced: int = 0

    @property
    def n_main(self) -> int:
        """Items that enter results."""
        return sum(one.n_made for one in self.strata)

    @property
    def n_wanted(self) -> int:
        """Items that were asked for."""
        return sum(one.n_wanted for one in self.strata)


@dataclass(slots=True)
class _Drawing:
    """Items while they are drawn; `targets` by item, `used` the moments asked about."""

    plan: TrialPlan
    foils: FoilPool
    items: list[Item] = field(default_factory=list)
    targets: dict[str, Candidate] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    without_foils: set[tuple[str, str]] = field(default_factory=set)
    n_unmatched: int = 0

    def add(self, target: Candidate, mode: TrialMode, part: Part, item_id: str) -> bool:
        """Make an item of a target; False when no three foils suit it."""
        drawn = self.foils.draw(target, stream(self.plan.seed, "foils", mode.value, *target.key))
        if drawn is None:
            self.without_foils.add(target.key)
            return False
        prompt = target.text if mode is TrialMode.IMAGES else ""
        self.items.append(_item(item_id, mode, part, prompt, (target, *drawn.foils)))
        self.targets[item_id] = target
        self.used.add(target.key)
        self.n_unmatched += drawn.n_unmatched
        return True


def make_trials(pool: Pool, plan: TrialPlan) -> Made:
    """Items stratified over score bins and modes, dealt to lists.

    A bin that has too few candidates gives fewer items; no other bin fills its place. Raises
    SettingsError when the lists would not be half as long as asked for.
    """
    drawing = _Drawing(
        plan, FoilPool(pool.candidates, plan.foils, is_matched_on_length=plan.is_matched_on_length)
    )
    practice = _practice(drawing, pool)
    strata = tuple(_strata(drawing, pool))
    _check_enough(sum(one.n_made for one in strata), plan, strata)
    main = [
        Dealt(item.item_id, item.bin or 0, item.mode.value, drawing.targets[item.item_id].key)
        for item in drawing.items
        if item.part is Part.MAIN
    ]
    lists = deal(
        main,
        n_lists=plan.lists,
        n_copies=plan.raters_per_item,
        max_per_list=plan.per_list,
        seed=plan.seed,
    )
    asked = _catch_items(drawing, pool) if plan.n_catch else {}
    catch = [
        in_random_order(stream(plan.seed, "catch", number), list(asked))[: plan.n_catch]
        for number in range(plan.lists)
    ]
    placed = arrange(lists.items, practice=practice, catch=catch, asked=asked, seed=plan.seed)
    return Made(
        tuple(drawing.items),
        placed,
        strata,
        tuple(len(one) for one in lists.items),
        len(drawing.without_foils - drawing.used),
        drawing.n_unmatched,
        lists.n_unplaced,
    )


def make_labels(pool: Pool, plan: LabelPlan) -> Made:
    """Moments for experts' labels, in equal numbers from each score bin."""
    items: list[Item] = []
    strata: list[Stratum] = []
    for number, wanted in enumerate(_shares(plan.n_moments, plan.bins, plan.seed)):
        own = _in_bin(pool, number)
        drawn = in_random_order(stream(plan.seed, "labels", number), own)[:wanted]
        for target in drawn:
            option = _option(target, is_shown=True)
            items.append(
                Item(
                    f"moment-{len(items) + 1:04d}",
                    TrialMode.MOMENT,
                    Part.MAIN,
                    target.text,
                    (option,),
                    target.score,
                    target.z,
                    number,
                )
            )
        strata.append(_stratum(pool, number, TrialMode.MOMENT, wanted, len(drawn)))
    return Made(tuple(items), (), tuple(strata))


def _practice(drawing: _Drawing, pool: Pool) -> list[str]:
    """Practice items, from the bin that can spare them best; the same in every list."""
    plan = drawing.plan
    fullest = max(range(plan.bins), key=lambda number: (pool.n_by_bin[number], -number))
    own = _in_bin(pool, fullest)
    found: list[str] = []
    for target in in_random_order(stream(plan.seed, "practice"), own):
        if len(found) == plan.n_practice:
            break
        item_id = f"practice-{len(found) + 1}"
        mode = plan.modes[len(found) % len(plan.modes)]
        if drawing.add(target, mode, Part.PRACTICE, item_id):
            found.append(item_id)
    return found


def _strata(drawing: _Drawing, pool: Pool) -> Iterator[Stratum]:
    plan = drawing.plan
    shares = iter(_shares(plan.n_items, plan.bins * len(plan.modes), plan.seed))
    for number in range(plan.bins):
        wanted = {mode: next(shares) for mode in plan.modes}
        own = _in_bin(pool, number)
        made = _fill(drawing, wanted, in_random_order(stream(plan.seed, "targets", number), own))
        for mode in plan.modes:
            yield _stratum(pool, number, mode, wanted[mode], made[mode])


def _fill(
    drawing: _Drawing, wanted: dict[TrialMode, int], order: Sequence[Candidate]
) -> dict[TrialMode, int]:
    """Items of one bin by turns of the modes; how many of each.

    Moments that nothing was asked about go first. Then those of the other mode follow, if the
    lists are so many that nobody meets a moment twice.
    """
    made = dict.fromkeys(wanted, 0)
    had: dict[TrialMode, set[tuple[str, str]]] = {mode: set() for mode in wanted}
    practised = set(drawing.used)

    def take(target: Candidate, mode: TrialMode) -> None:
        item_id = f"{mode.value}-{len(drawing.items) + 1:04d}"
        if drawing.add(target, mode, Part.MAIN, item_id):
            made[mode] += 1
            had[mode].add(target.key)

    for target in order:
        needed = [mode for mode in wanted if made[mode] < wanted[mode]]
        if needed and target.key not in practised:
            take(target, min(needed, key=lambda mode: made[mode]))
    if 2 * drawing.plan.raters_per_item <= drawing.plan.lists:
        for mode in wanted:
            for target in order:
                is_new = target.key not in had[mode] and target.key not in practised
                if made[mode] < wanted[mode] and is_new:
                    take(target, mode)
    return made


def _catch_items(drawing: _Drawing, pool: Pool) -> dict[str, int]:
    """Items that ask for a position, for each mode and position; the position by item id."""
    plan = drawing.plan
    rng = stream(plan.seed, "catch")
    anyone = sorted(pool.candidates, key=lambda one: one.key)
    unused = [one for one in anyone if one.key not in drawing.used]
    order = in_random_order(rng, unused) + in_random_order(rng, anyone)
    drawn: list[tuple[Candidate, DrawnFoils]] = []
    n_needed = max(N_OPTIONS * len(plan.modes), plan.n_catch)
    for target in order:
        foils = drawing.foils.draw(target, rng)
        if foils is not None:
            drawn.append((target, foils))
        if len(drawn) == n_needed:
            break
    asked: dict[str, int] = {}
    for number in range(n_needed):
        target, foils = drawn[number % len(drawn)]
        mode = plan.modes[number % len(plan.modes)]
        position = 1 + number // len(plan.modes) % N_OPTIONS
        item_id = f"catch-{number + 1}"
        prompt = _ASKED[mode].format(position)
        drawing.items.append(_item(item_id, mode, Part.CATCH, prompt, (target, *foils.foils)))
        asked[item_id] = position
    return asked


def _in_bin(pool: Pool, number: int) -> list[Candidate]:
    """The candidates of a bin by their ids."""
    own = (one for one in pool.candidates if one.bin == number)
    return sorted(own, key=lambda one: one.key)


def _shares(n: int, n_parts: int, seed: int) -> list[int]:
    """n in n_parts whole parts that differ by one at most; which are larger is drawn."""
    base, extra = divmod(n, n_parts)
    larger = set(in_random_order(stream(seed, "shares"), range(n_parts))[:extra])
    return [base + (part in larger) for part in range(n_parts)]


def _stratum(pool: Pool, number: int, mode: TrialMode, n_wanted: int, n_made: int) -> Stratum:
    low, high = pool.edges[number : number + 2]
    return Stratum(number, low, high, mode, pool.n_by_bin[number], n_wanted, n_made)


def _item(
    item_id: str, mode: TrialMode, part: Part, prompt: str, moments: tuple[Candidate, ...]
) -> Item:
    """An item whose first moment is the target."""
    is_shown = mode is TrialMode.IMAGES
    target, *foils = moments
    options = (
        _option(target, is_shown=True),
        *(_option(foil, is_shown=is_shown) for foil in foils),
    )
    if part is Part.CATCH:
        return Item(item_id, mode, part, prompt, options)
    return Item(item_id, mode, part, prompt, options, target.score, target.z, target.bin)


def _option(moment: Candidate, *, is_shown: bool) -> ItemOption:
    return ItemOption(moment.moment, moment.text, moment.frame_ms if is_shown else None, None)


def _check_enough(n_made: int, plan: TrialPlan, strata: Sequence[Stratum]) -> None:
    length = n_made * plan.raters_per_item // plan.lists
    if 2 * length >= plan.per_list:
        return
    n_lists = n_made * plan.raters_per_item // plan.per_list
    short = len({one.bin for one in strata if one.n_made < one.n_wanted})
    if n_lists >= plan.raters_per_item:
        fix = f"Ask for at most {n_lists} lists"
    elif length >= 4:
        fix = f"Ask for lists of at most {length} trials"
    else:
        fix = "Process more recordings, or ask for far fewer and shorter lists"
    raise SettingsError(
        f"Only {n_made:,} of {plan.n_items:,} items can be made, so {plan.lists} lists would have "
        f"{length} trials instead of {plan.per_list}; {short} of {plan.bins} score bins run short.",
        hint=f"{fix}, or for fewer score bins, or take foils of any child.",
    )
