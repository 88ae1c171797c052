"""Sets of trials with answers, put together for tests of files."""

from __future__ import annotations

from pathlib import Path

from pipeline.people.answers import add_answers
from pipeline.people.raters import add_rater
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.trial_records import (
    Answer,
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set, trials_of
from pipeline.records import TimeSpan

SETTINGS = '{"crop": "center", "image_variant": "full_frame", "scorer": "clip", "seed": 7}'
ORDERS = ((0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0), (1, 3, 0, 2))


def option(number: int, text: str, cosine: float | None = 0.2) -> ItemOption:
    """The moment of this number."""
    span = TimeSpan(1000 * number, 1000 * number + 700)
    return ItemOption(
        MomentRef(f"REC{number % 3}", f"u{number}", span), text, 1000 * number + 350, cosine
    )


def item(number: int, mode: TrialMode = TrialMode.IMAGES, part: Part = Part.MAIN) -> Item:
    """A question whose target has the score 0.2 + number / 100."""
    texts = [f"look, the {word} {number}!" for word in ("ball", "cat", "spoon", "shoe")]
    score = 0.2 + number / 100
    options = tuple(
        option(10 * number + k, text, score if not k else 0.21) for k, text in enumerate(texts)
    )
    prompt = texts[0] if mode is TrialMode.IMAGES else ""
    if part is Part.CATCH:
        prompt = "Please choose picture 3"
        return Item(f"c{number}", mode, part, prompt, options)
    return Item(f"i{number}", mode, part, prompt, options, score, 1.5 * number, number % 4)


def questions() -> list[Item]:
    """Four questions for images, two for utterances, one for practice, one catch."""
    return [
        *(item(number) for number in range(1, 5)),
        *(item(number, TrialMode.UTTERANCES) for number in (5, 6)),
        item(7, part=Part.PRACTICE),
        item(8, part=Part.CATCH),
    ]


def placed(items: list[Item], n_lists: int = 2) -> list[PlacedItem]:
    """Every question in every list, each list in an order of its own."""
    return [
        PlacedItem(
            number,
            place + 1,
            items[(place + number) % len(items)].item_id,
            ORDERS[(place + number) % 4],
        )
        for number in range(1, n_lists + 1)
        for place in range(len(items))
    ]


def answered_set(root: Path, name: str = "Pilot", n_raters: int = 4) -> tuple[PeopleStore, int]:
    """A set in which each rater answered all but their last trial; the last rater is simulated."""
    store = people_store(root)
    items = questions()
    set_id = add_set(
        store,
        name=name,
        kind=SetKind.FOUR_CHOICES,
        settings=SETTINGS,
        items=items,
        placed=placed(items),
        consent="You may stop at any time.",
    )
    with store.reading() as con:
        trials = trials_of(con, set_id)
    for number in range(n_raters):
        of_list = number % 2 + 1
        rater_id = add_rater(
            store,
            set_id,
            f"=rater {number}",
            list_number=of_list,
            is_simulated=number == n_raters - 1,
            source="here",
        )
        own = [trial for trial in trials if trial.list_number == of_list][:-1]
        add_answers(
            store,
            [
                Answer(
                    rater_id,
                    trial.trial_id,
                    trial.correct_position if (place + number) % 3 else place % 4 + 1,
                    1234.5 + place / 3,
                    f"2026-03-0{number + 1}T10:00:{place:02}+00:00",
                    "0.6.0",
                )
                for place, trial in enumerate(own)
            ],
        )
    return store, set_id
