"""A set of trials keeps its promises: strata, foils, lists, positions, and the same by seed."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.people.trial_records import Item, Part, PlacedItem, TrialMode
from pipeline.validation.foils import MIN_APART_MS, can_stand_together
from pipeline.validation.make import Made, make_labels, make_trials
from pipeline.validation.plan import Foils, LabelPlan, TrialPlan
from tests.validation.pools import candidate, pool

PLAN = TrialPlan(lists=16, per_list=24, bins=4, raters_per_item=4, seed=7)
POOL = pool((60, 60, 60, 60))


@pytest.fixture(scope="module")
def made() -> Made:
    return make_trials(POOL, PLAN)


def by_list(made: Made) -> dict[int, list[tuple[PlacedItem, Item]]]:
    items = {item.item_id: item for item in made.items}
    found: dict[int, list[tuple[PlacedItem, Item]]] = defaultdict(list)
    for one in sorted(made.placed, key=lambda one: (one.list_number, one.position)):
        found[one.list_number].append((one, items[one.item_id]))
    return found


def main_of(trials: list[tuple[PlacedItem, Item]]) -> list[tuple[PlacedItem, Item]]:
    return [trial for trial in trials if trial[1].part is Part.MAIN]


def test_every_bin_and_mode_gives_as_many_items(made):
    counts = Counter((i.bin, i.mode) for i in made.items if i.part is Part.MAIN)
    assert set(counts.values()) == {12}
    assert len(counts) == 8
    assert made.n_main == made.n_wanted == PLAN.n_items == 96


def test_every_item_stands_in_as_many_lists_as_raters_are_wanted(made):
    counts = Counter(one.item_id for trials in by_list(made).values() for one, _ in main_of(trials))
    assert set(counts.values()) == {4}
    assert set(made.list_lengths) == {24}
    assert made.n_unplaced == 0


def test_no_list_has_an_item_or_a_moment_twice(made):
    for trials in by_list(made).values():
        moments = [i.options[0].moment for _, i in trials if i.part is not Part.CATCH]
        assert len(moments) == len(set(moments))


def test_every_list_has_every_bin_and_both_modes(made):
    for trials in by_list(made).values():
        cells = Counter((item.bin, item.mode) for _, item in main_of(trials))
        assert set(cells.values()) == {3}


def test_targets_stand_at_every_position_equally_often(made):
    for trials in by_list(made).values():
        counts = Counter(one.option_order.index(0) for one, _ in main_of(trials))
        assert set(counts.values()) == {6}
    whole = Counter(one.option_order for one in made.placed)
    assert len(whole) == 24
    of_item = defaultdict(set)
    for one in made.placed:
        of_item[one.item_id].add(one.option_order.index(0))
    assert sum(len(places) >= 3 for places in of_item.values()) > 0.8 * len(of_item)


def test_practice_comes_first_and_catch_trials_lie_between_main_ones(made):
    for trials in by_list(made).values():
        assert [one.position for one, _ in trials] == list(range(1, len(trials) + 1))
        parts = [item.part for _, item in trials]
        assert parts[:3] == [Part.PRACTICE] * 3
        assert Part.PRACTICE not in parts[3:]
        places = [place for place, part in enumerate(parts) if part is Part.CATCH]
        assert len(places) == 2
        assert places[0] > 3
        assert places[1] < len(parts) - 1
        assert places[1] - places[0] > 3


def test_a_catch_trial_has_its_answer_where_it_asks_for_it(made):
    asked = [
        (one.option_order.index(0) + 1, item)
        for trials in by_list(made).values()
        for one, item in trials
        if item.part is Part.CATCH
    ]
    assert len(asked) == 32
    assert {item.mode for _, item in asked} == {TrialMode.IMAGES, TrialMode.UTTERANCES}
    for position, item in asked:
        assert item.prompt.endswith(f" {position}.")
        assert item.score is None
        assert item.bin is None


def test_pictures_are_named_where_they_are_shown(made):
    for item in made.items:
        shown = [option.frame_ms is not None for option in item.options]
        assert shown == [True] + [item.mode is TrialMode.IMAGES] * 3
        if item.part is not Part.CATCH:
            assert (item.prompt == "") == (item.mode is TrialMode.UTTERANCES)


def test_options_may_stand_together_and_foils_are_of_the_same_child(made):
    moments = {one.key: one for one in POOL.candidates}
    for item in made.items:
        options = [moments[o.moment.recording_id, o.moment.utterance_id] for o in item.options]
        assert len({one.child_id for one in options}) == 1
        for place, one in enumerate(options):
            assert all(can_stand_together(one, other) for other in options[place + 1 :])


def test_foils_of_any_child_come_from_other_children_too():
    made = make_trials(POOL, replace(PLAN, foils=Foils.ANY_CHILD))
    children = {len({option.moment.recording_id for option in item.options}) for item in made.items}
    assert max(children) > 1


def test_foils_matched_on_length_differ_by_one_word_at_most():
    texts = [f"{word} {'very ' * (n % 6)}" for n, word in enumerate("abcdefghijkl" * 10)]
    own = tuple(
        candidate(n, text=f"{text}{n}", bin_=n % 2, score=0.1) for n, text in enumerate(texts)
    )
    mixed = replace(pool((60, 60)), candidates=own)
    plan = replace(PLAN, bins=2, per_list=8, is_matched_on_length=True)
    lengths = {one.key: one.n_words for one in own}
    apart = [
        abs(lengths[o.moment.recording_id, o.moment.utterance_id] - lengths[t])
        for item in make_trials(mixed, plan).items
        for t in [(item.options[0].moment.recording_id, item.options[0].moment.utterance_id)]
        for o in item.options[1:]
    ]
    assert max(apart) == 1
    free = make_trials(mixed, replace(plan, is_matched_on_length=False))
    assert free.n_unmatched_foils == 0
    short = [replace(one, bin=0) for one in own]
    lone = replace(mixed, candidates=(*short, candidate(900, text="one " * 30, bin_=1)))
    alone = replace(plan, lists=4, modes=(TrialMode.IMAGES,), n_practice=0, n_catch=0)
    assert make_trials(lone, alone).n_unmatched_foils == 3


def test_the_same_seed_gives_the_same_set_whatever_the_order_of_rows(made):
    assert make_trials(replace(POOL, candidates=POOL.candidates[::-1]), PLAN) == made
    assert make_trials(POOL, replace(PLAN, seed=8)).placed != made.placed


def test_a_seed_means_the_same_lists_in_every_version(made):
    text = ";".join(f"{one.list_number} {one.item_id} {one.option_order}" for one in made.placed)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "2abac91dfe9431a3"
    items = ";".join(
        f"{item.item_id} {option.moment.utterance_id}"
        for item in made.items
        for option in item.options
    )
    assert hashlib.sha256(items.encode()).hexdigest()[:16] == "98ba55919a4626be"


def test_a_short_bin_gives_fewer_items_and_no_other_bin_fills_its_place():
    made = make_trials(pool((60, 60, 60, 5)), PLAN)
    counts = Counter(item.bin for item in made.items if item.part is Part.MAIN)
    assert counts == {0: 24, 1: 24, 2: 24, 3: 10}
    short = [one for one in made.strata if one.n_made < one.n_wanted]
    assert [(one.bin, one.n_candidates, one.n_made) for one in short] == [(3, 5, 5), (3, 5, 5)]
    assert sum(made.list_lengths) == 4 * made.n_main
    assert max(made.list_lengths) - min(made.list_lengths) <= 1


def test_too_few_candidates_are_refused_with_what_could_be_had():
    with pytest.raises(SettingsError, match="Only 24 of 96 items can be made") as problem:
        make_trials(pool((4, 4, 2, 2)), replace(PLAN, n_practice=0, n_catch=0))
    assert "at most 4 lists" in problem.value.hint


def test_few_lists_never_show_one_moment_in_both_modes():
    plan = TrialPlan(lists=4, per_list=20, bins=2, raters_per_item=4, n_catch=1)
    made = make_trials(pool((40, 40)), plan)
    for trials in by_list(made).values():
        targets = [item.options[0].moment for _, item in main_of(trials)]
        assert len(targets) == len(set(targets)) == 20


@settings(max_examples=30)
@given(
    n_by_bin=st.lists(st.integers(6, 40), min_size=1, max_size=5),
    lists=st.integers(1, 12),
    raters=st.integers(1, 5),
    per_list=st.integers(4, 20),
    seed=st.integers(0, 99),
    modes=st.sampled_from([tuple(TrialMode)[:1], tuple(TrialMode)[:2]]),
)
def test_the_promises_hold_for_any_plan(n_by_bin, lists, raters, per_list, seed, modes):
    raters = min(raters, lists)
    plan = TrialPlan(
        lists=lists,
        per_list=per_list,
        bins=len(n_by_bin),
        raters_per_item=raters,
        seed=seed,
        modes=modes,
        n_catch=min(2, per_list // 4),
    )
    try:
        made = make_trials(pool(tuple(n_by_bin)), plan)
    except SettingsError as problem:
        assert problem.hint
        return
    n_placed = 0
    for trials in by_list(made).values():
        main = main_of(trials)
        n_placed += len(main)
        assert len(main) <= per_list
        targets = [item.options[0].moment for _, item in trials if item.part is not Part.CATCH]
        assert len(targets) == len(set(targets))
    assert n_placed + made.n_unplaced == made.n_main * raters
    assert made.n_unplaced == 0


def test_moments_for_experts_are_spread_over_the_bins():
    made = make_labels(POOL, LabelPlan(n_moments=40, bins=4))
    assert Counter(item.bin for item in made.items) == dict.fromkeys(range(4), 10)
    assert {item.mode for item in made.items} == {TrialMode.MOMENT}
    assert len({item.options[0].moment for item in made.items}) == 40
    assert made.placed == ()


@pytest.mark.parametrize(
    ("text", "other", "can"),
    [
        ("look", "look at the ball", False),
        ("the ball", "a ball", True),
        ("ball the", "the ball", False),
        ("car", "scar", True),
        ("a red car", "the red car", True),
    ],
)
def test_texts_that_contain_each_other_or_share_all_lemmas_are_no_options(text, other, can):
    assert can_stand_together(candidate(1, text=text), candidate(9, text=other)) is can


def test_frames_of_one_minute_are_no_options():
    one, near = candidate(1, text="the ball"), candidate(2, text="a dog")
    assert can_stand_together(one, near)
    near = replace(near, frame_ms=one.frame_ms + MIN_APART_MS - 1)
    assert not can_stand_together(one, near)
    assert can_stand_together(one, replace(near, moment=replace(near.moment, recording_id="R9")))
