"""The demo's simulated raters answer from what was in view, and say that they are simulated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.demo.simulated_raters import (
    INATTENTIVE,
    N_EXPERTS,
    N_RATERS,
    simulated_answers,
)
from pipeline.demo.simulated_study import TRIALS_NAME, answer_set, label_set
from pipeline.demo.simulated_views import WorldViews
from pipeline.demo.timeline import DEMO_SEED, plan_world
from pipeline.demo.world import Case, DemoWorld
from pipeline.people.expert_labels import labels_of
from pipeline.people.raters import raters_of, withdraw_rater
from pipeline.people.store import MomentRef, people_store
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    MomentLabel,
    Part,
    PlacedItem,
    SetKind,
    Trial,
    TrialMode,
)
from pipeline.people.trial_sets import add_set, trial_sets
from pipeline.records import TimeSpan
from pipeline.validation.answer_table import answer_table


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return plan_world()


@pytest.fixture(scope="module")
def options(world: DemoWorld) -> dict[Case, list[ItemOption]]:
    """Every line of the world as an option, heard 150 ms late under other words and ids."""
    found: dict[Case, list[ItemOption]] = {case: [] for case in Case}
    for recording in world.recordings:
        for number, line in enumerate(recording.lines):
            span = TimeSpan(line.span.onset_ms + 150, line.span.offset_ms + 150)
            moment = MomentRef(recording.recording_id, f"heard-{number}", span)
            middle_ms = (line.span.onset_ms + line.span.offset_ms) // 2
            found[line.case].append(ItemOption(moment, "misheard", middle_ms, 0.1))
    return found


def questions(options: dict[Case, list[ItemOption]], case: Case, mode: TrialMode) -> list[Item]:
    """Items whose targets are of one case and whose foils name nothing in view."""
    foils = options[Case.ABSENT]
    return [
        Item(
            f"{case.value}-{mode.value}-{number}",
            mode,
            Part.MAIN,
            "",
            (target, *(foils[(3 * number + k) % len(foils)] for k in range(3))),
        )
        for number, target in enumerate(options[case][:30])
    ]


def trials(items: list[Item]) -> list[Trial]:
    orders = ((0, 1, 2, 3), (3, 0, 1, 2), (1, 2, 3, 0), (2, 3, 0, 1))
    return [
        Trial(number + 1, 1, number + 1, item, orders[number % 4])
        for number, item in enumerate(items)
    ]


def accuracy(world: DemoWorld, items: list[Item], numbers: range = range(1, 9)) -> float:
    listed = trials(items)
    hits = [
        answer.selected_position == trial.correct_position
        for number in numbers
        for trial, answer in zip(
            listed,
            simulated_answers(
                listed, WorldViews(world), number=number, rater_id=number, seed=DEMO_SEED
            ),
            strict=True,
        )
    ]
    return sum(hits) / len(hits)


@pytest.mark.parametrize("mode", [TrialMode.IMAGES, TrialMode.UTTERANCES])
def test_raters_are_right_where_the_thing_is_in_view_and_guess_where_it_is_not(
    world: DemoWorld, options: dict[Case, list[ItemOption]], mode: TrialMode
) -> None:
    share = {case: accuracy(world, questions(options, case, mode)) for case in Case}
    assert share[Case.CENTER] > 0.85
    assert 0.7 < share[Case.EDGE] < share[Case.CENTER]
    for case in (Case.ABSENT, Case.NONE):
        assert 0.15 < share[case] < 0.35


def test_the_models_score_has_no_part_in_an_answer(
    world: DemoWorld, options: dict[Case, list[ItemOption]]
) -> None:
    plain = questions(options, Case.CENTER, TrialMode.IMAGES)
    other = [
        replace(
            item,
            score=-1.0,
            z=-9.0,
            bin=0,
            options=tuple(replace(option, cosine=-1.0) for option in item.options),
        )
        for item in plain
    ]
    views = WorldViews(world)
    first, second = (
        simulated_answers(trials(items), views, number=3, rater_id=1, seed=DEMO_SEED)
        for items in (plain, other)
    )
    assert first == second
    moved = simulated_answers(trials(plain), views, number=3, rater_id=1, seed=DEMO_SEED + 1)
    assert [one.selected_position for one in moved] != [one.selected_position for one in first]


def test_catch_trials_are_mostly_passed_but_not_by_who_does_not_attend(
    world: DemoWorld, options: dict[Case, list[ItemOption]]
) -> None:
    catch = [
        replace(item, part=Part.CATCH, prompt="Please choose picture 2.")
        for item in questions(options, Case.NONE, TrialMode.IMAGES)
    ]
    assert accuracy(world, catch) > 0.9
    assert accuracy(world, catch, range(INATTENTIVE, INATTENTIVE + 1)) < 0.6


def test_response_times_are_plausible_and_hasty_where_nobody_looks(
    world: DemoWorld, options: dict[Case, list[ItemOption]]
) -> None:
    listed = trials(questions(options, Case.CENTER, TrialMode.UTTERANCES))
    views = WorldViews(world)
    medians = {}
    for number in (1, INATTENTIVE):
        answers = simulated_answers(listed, views, number=number, rater_id=1, seed=DEMO_SEED)
        times = sorted(answer.rt_ms or 0.0 for answer in answers)
        medians[number] = times[len(times) // 2]
        assert times[0] >= 280
        assert [one.answered_at for one in answers] == sorted(one.answered_at for one in answers)
    assert 2000 < medians[1] < 9000
    assert medians[INATTENTIVE] < 1200


def test_sets_are_answered_once_and_marked_as_simulated(
    world: DemoWorld, options: dict[Case, list[ItemOption]], tmp_path: Path
) -> None:
    people = people_store(tmp_path)
    items = questions(options, Case.CENTER, TrialMode.IMAGES)[:6]
    moments = [
        Item(f"m-{case.value}-{number}", TrialMode.MOMENT, Part.MAIN, "", (option,))
        for case in (Case.CENTER, Case.ABSENT)
        for number, option in enumerate(options[case][:20])
    ]
    own = add_set(people, name="Mine", kind=SetKind.LABELS, settings="{}", items=moments[:1])
    placed = [
        PlacedItem(number, place + 1, item.item_id, (0, 1, 2, 3))
        for number in range(1, N_RATERS + 1)
        for place, item in enumerate(items)
    ]
    trial_set = add_set(
        people,
        name=TRIALS_NAME,
        kind=SetKind.FOUR_CHOICES,
        settings="{}",
        items=items,
        placed=placed,
        is_simulated=True,
    )
    labels = add_set(
        people, name="L", kind=SetKind.LABELS, settings="{}", items=moments, is_simulated=True
    )
    views = WorldViews(world)
    n = len(items) * N_RATERS
    assert answer_set(people, trial_set, views, seed=1) == n
    assert label_set(people, labels, views, seed=1) == len(moments) * N_EXPERTS
    with people.reading() as con:
        before = answer_table(con, [trial_set])
        first = raters_of(con, trial_set)[0]
        given = labels_of(con, labels)
    assert answer_set(people, trial_set, views, seed=1) == 0
    assert label_set(people, labels, views, seed=1) == 0
    withdraw_rater(people, first.rater_id)
    assert answer_set(people, trial_set, views, seed=1) == len(items), "what is absent is added"
    with people.reading() as con:
        after = answer_table(con, [trial_set])
        sets = {one.set_id: one for one in trial_sets(con)}
        assert not raters_of(con, own)
    columns = ["rater", "item", "selected_position", "rt_ms", "answered_at"]
    by = ["rater", "item"]
    assert (
        after[columns]
        .sort_values(by, ignore_index=True)
        .equals(before[columns].sort_values(by, ignore_index=True))
    )
    assert after["is_simulated"].all()
    assert set(after["rater"]) == {f"simulated {number:02}" for number in range(1, 13)}
    assert sets[trial_set].closed_at is not None
    assert sets[own].closed_at is None
    aligned = [one.label is MomentLabel.ALIGNED for one in given if "center" in one.item_id]
    absent = [one.label is MomentLabel.NOT for one in given if "absent" in one.item_id]
    assert sum(aligned) / len(aligned) > 0.7
    assert sum(absent) / len(absent) > 0.7
    assert all(one.referent for one in given if "center" in one.item_id)
