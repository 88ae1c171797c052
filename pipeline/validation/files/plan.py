"""What a file of answers or trial lists means for a study: pure, nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.people.trial_records import Item, ItemOption, PlacedItem, Trial
from pipeline.validation.files.known import KnownSet, StoreMoments
from pipeline.validation.files.questions import Questions, items_in
from pipeline.validation.files.read import Problem
from pipeline.validation.files.row_cells import RowError
from pipeline.validation.files.rows import (
    NOWHERE,
    AnswerGiven,
    FileRow,
    content_key,
    image_name,
    read_text,
)

Place = tuple[int, int]
"""List and position, both from 1."""


@dataclass(frozen=True, slots=True)
class PlannedRater:
    """A rater who is new in the set."""

    label: str
    list_number: int
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class PlannedAnswer:
    """An answer to the trial at a place."""

    place: Place
    answer: AnswerGiven


@dataclass(slots=True)
class Sources:
    """Where the scores of the file's items come from."""

    n_in_file: int = 0
    n_in_set: int = 0
    n_by_image: int = 0
    n_by_words: int = 0
    n_missing: int = 0

    @property
    def n_items(self) -> int:
        return self.n_in_file + self.n_in_set + self.n_by_image + self.n_by_words + self.n_missing


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is new in a set, and what cannot be taken.

    `n_repeated` answers were given to a question that the same rater had answered before in the
    file; the first one counts. `adopted_from` is the first set of this study from which questions
    were taken over into another one.
    """

    items: tuple[Item, ...]
    placed: tuple[PlacedItem, ...]
    raters: tuple[PlannedRater, ...]
    answers: tuple[PlannedAnswer, ...]
    problems: tuple[Problem, ...]
    n_repeated: int
    sources: Sources
    adopted_from: KnownSet | None = None


def n_fitting(rows: Sequence[FileRow], known: KnownSet) -> int:
    """How many of the rows are about trials of this set, as they stand there."""
    at = {(trial.list_number, trial.position): trial for trial in known.trials}
    found = ((row, at.get((row.list_number or 0, row.position or 0))) for row in rows)
    return sum(trial is not None and _is_same(row, trial) for row, trial in found)


def plan_import(
    file_name: str,
    rows: Sequence[FileRow],
    target: KnownSet | None,
    others: Sequence[KnownSet],
    store: StoreMoments,
) -> ImportPlan:
    """What the rows add to `target`, or to a new set when it is None.

    A set that was made here takes answers to its own trials only; a new or imported set grows.
    Where rows do not say how the options stood in their list, each rater gets a list.
    """
    plan = _Plan(file_name, target, others, store)
    plan.number_lists(rows)
    # Of two answers to one question the first counts, whatever their order in the file.
    ordered = sorted(
        range(len(rows)),
        key=lambda number: (_time(rows[number]), rows[number].position or 0, number),
    )
    for number in ordered:
        plan.take(rows[number])
    plan.name_raters(rows)
    return plan.finished()


def _time(row: FileRow) -> tuple[bool, str]:
    at = "" if row.answer is None else row.answer.answered_at
    return (not at, at)


def _is_same(row: FileRow, trial: Trial) -> bool:
    if row.correct_position != trial.correct_position:
        return False
    if row.is_whole:
        return row.item.item_id == trial.item.item_id and row.option_order == trial.option_order
    if row.has_content:
        return content_key(row.item) == content_key(trial.item)
    return row.item.item_id == trial.item.item_id


@dataclass(slots=True)
class _Trials:
    """The trials of the set as it will be."""

    at: dict[Place, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    of_list: dict[tuple[int, str], int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    added: list[PlacedItem] = field(default_factory=list)

    def put(self, place: Place, item_id: str, order: tuple[int, ...], *, is_new: bool) -> None:
        self.at[place] = (item_id, order)
        self.of_list[place[0], item_id] = place[1]
        self.last[place[0]] = max(self.last.get(place[0], 0), place[1])
        if is_new:
            self.added.append(PlacedItem(*place, item_id, order))


class _Plan:
    """The plan while it grows."""

    def __init__(
        self,
        file_name: str,
        target: KnownSet | None,
        others: Sequence[KnownSet],
        store: StoreMoments,
    ) -> None:
        self._file_name = file_name
        self._target = target
        self._may_grow = target is None or target.is_imported
        self._others = [(one, Questions(items_in(one.trials))) for one in others]
        self._adopted_from: KnownSet | None = None
        self._store = store
        self._own = Questions(items_in(target.trials) if target is not None else ())
        self._resolved: dict[tuple[str, str], Item] = {}
        self._new_items: dict[str, Item] = {}
        self._sources = Sources()
        self._trials = _Trials()
        self._lists: dict[str, int] = {}
        self._raters: dict[str, PlannedRater] = {}
        self._answers: dict[tuple[str, Place], PlannedAnswer] = {}
        self._problems: list[Problem] = []
        self._n_repeated = 0
        for trial in target.trials if target is not None else ():
            place = (trial.list_number, trial.position)
            self._trials.put(place, trial.item.item_id, trial.option_order, is_new=False)

    def number_lists(self, rows: Sequence[FileRow]) -> None:
        """Decide the list of every rater whose rows do not say how the options stood.

        The file's number is taken where list and rater go together one to one.
        """
        known = {} if self._target is None else {r.label: r for r in self._target.raters}
        wanted: dict[str, set[int | None]] = {}
        for row in rows:
            if row.answer is not None and not row.is_whole:
                wanted.setdefault(row.answer.rater, set()).add(row.list_number)
        claims: dict[int | None, int] = {}
        for numbers in wanted.values():
            for number in numbers:
                claims[number] = claims.get(number, 0) + 1
        taken = set(self._trials.last)
        for label, numbers in wanted.items():
            own = known[label].list_number if label in known else None
            (number, *more) = sorted(numbers, key=lambda n: (n is None, n or 0))
            if own is not None:
                self._lists[label] = own
            elif number is not None and not more and claims[number] == 1 and number not in taken:
                self._lists[label] = number
            else:
                free = {n for n in claims if n is not None} | taken
                self._lists[label] = max(free, default=0) + 1
            taken.add(self._lists[label])

    def take(self, row: FileRow) -> None:
        """Take over one row, or note why not."""
        try:
            item = self._item(row)
            place = self._place(row, item)
        except RowError as problem:
            self._problems.append(
                Problem(f"{self._file_name}, {row.line}", problem.sentence, problem.fix)
            )
            return
        if row.answer is None or place is None:
            return
        key = (row.answer.rater, place)
        if key in self._answers:
            self._n_repeated += 1
        else:
            self._answers[key] = PlannedAnswer(place, row.answer)

    def name_raters(self, rows: Sequence[FileRow]) -> None:
        """Note the raters who are new, in the order of the file."""
        known = set() if self._target is None else {r.label for r in self._target.raters}
        lists: dict[str, int] = {}
        for label, place in self._answers:
            lists.setdefault(label, place[0])
        for row in rows:
            answer = row.answer
            if answer is not None and answer.rater in lists and answer.rater not in known:
                new = PlannedRater(answer.rater, lists[answer.rater], answer.is_simulated)
                self._raters.setdefault(answer.rater, new)

    def finished(self) -> ImportPlan:
        used = {one.item_id for one in self._trials.added}
        return ImportPlan(
            tuple(item for name, item in self._new_items.items() if name in used),
            tuple(sorted(self._trials.added, key=lambda one: (one.list_number, one.position))),
            tuple(self._raters.values()),
            tuple(self._answers.values()),
            tuple(self._problems),
            self._n_repeated,
            self._sources,
            self._adopted_from,
        )

    def _item(self, row: FileRow) -> Item:
        """The item a row is about, as this study knows it or as the file tells it."""
        key = (row.item.item_id, content_key(row.item))
        if key not in self._resolved:
            self._resolved[key] = self._resolve(row)
        return self._resolved[key]

    def _resolve(self, row: FileRow) -> Item:
        found = self._own.find(row)
        if found is not None:
            self._sources.n_in_set += 1
            return found
        if not self._may_grow:
            raise self._unknown(row)
        item = row.item
        if not row.is_whole:
            adopted = self._adopted(row)
            if adopted is None and not row.has_content:
                raise RowError(
                    f"item_id {row.item.item_id} is in no set of this study, and the row does not "
                    "say what was shown.",
                    "Add the columns utterance, image_path and those of the distractors.",
                )
            item = self._joined(item) if adopted is None else adopted
            if adopted is not None:
                self._sources.n_in_set += 1
        elif item.score is None:
            self._sources.n_missing += 1
        else:
            self._sources.n_in_file += 1
        other = self._new_items.get(item.item_id)
        if other is not None and content_key(other) != content_key(item):
            raise RowError(
                f"item_id {item.item_id} stands for another question in an earlier row.",
                "Give every question an id of its own.",
            )
        self._new_items[item.item_id] = item
        return item

    def _adopted(self, row: FileRow) -> Item | None:
        """The question as another set of this study has it."""
        for known, questions in self._others:
            found = questions.find(row)
            if found is not None:
                self._adopted_from = self._adopted_from or known
                return found
        return None

    def _joined(self, item: Item) -> Item:
        """The item with the moments of this study that its pictures and words mean."""
        if item.score is not None:
            self._sources.n_in_file += 1
            return item
        texts = (read_text(item), *(option.text for option in item.options[1:]))
        options: list[ItemOption] = []
        score = z = None
        by = ""
        for number, (option, text) in enumerate(zip(item.options, texts, strict=True)):
            found = self._store.find(image_name(option), text)
            if found is None or option.moment != NOWHERE:
                options.append(option)
                continue
            options.append(replace(option, moment=found.moment, frame_ms=found.frame_ms))
            if not number:
                score, z, by = found.score, found.z, found.by
        if score is None:
            self._sources.n_missing += 1
        elif by == "image":
            self._sources.n_by_image += 1
        else:
            self._sources.n_by_words += 1
        return replace(item, options=tuple(options), score=score, z=z)

    def _place(self, row: FileRow, item: Item) -> Place | None:
        if row.answer is not None and not row.is_whole and self._may_grow:
            return self._own_place(row, row.answer.rater, item)
        position = row.position
        if row.list_number is None or position is None:
            if row.answer is not None or not self._may_grow:
                raise self._unknown(row)
            number = row.list_number or 1
            known = self._trials.of_list.get((number, item.item_id))
            position = known or self._trials.last.get(number, 0) + 1
            place = (number, position)
        else:
            place = (row.list_number, position)
        there = self._trials.at.get(place)
        if there is None:
            if not self._may_grow:
                raise self._unknown(row)
            self._trials.put(place, item.item_id, row.option_order, is_new=True)
            return place
        is_same_order = there[1] == row.option_order if row.is_whole else True
        if (
            there[0] != item.item_id
            or not is_same_order
            or (row.answer is not None and there[1].index(0) + 1 != row.correct_position)
        ):
            if not self._may_grow:
                raise self._unknown(row)
            raise RowError(
                f"place {place[1]} of list {place[0]} holds another question, or the same one in "
                "another order.",
                "Give every trial of a list a row_index of its own, or import the file as another "
                "set with --set.",
            )
        return place

    def _own_place(self, row: FileRow, rater: str, item: Item) -> Place | None:
        """The place of a question in a rater's own list; None when it came a second time."""
        number = self._lists[rater]
        known = self._trials.of_list.get((number, item.item_id))
        if known is None:
            place = (number, self._trials.last.get(number, 0) + 1)
            self._trials.put(place, item.item_id, row.option_order, is_new=True)
            return place
        if self._trials.at[number, known][1].index(0) + 1 != row.correct_position:
            self._n_repeated += 1
            return None
        return (number, known)

    def _unknown(self, row: FileRow) -> RowError:
        assert self._target is not None
        name = self._target.one.name
        where = (
            f"no trial at place {row.position} of list {row.list_number}"
            if row.position is not None and row.list_number is not None
            else "no trial"
        )
        return RowError(
            f"the set {name!r} has {where} with this question and its target at position "
            f"{row.correct_position}.",
            "If the options were shuffled elsewhere, import the file as a set of its own with "
            "--set NAME.",
        )
