"""Take a file of experts' labels into a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RatingError
from pipeline.people.expert_labels import add_labels
from pipeline.people.raters import add_rater, raters_of
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    LabelGiven,
    MomentLabel,
    Part,
    SetKind,
    TrialMode,
    TrialSet,
)
from pipeline.people.trial_sets import MAX_NAME, add_set, add_trials, items_of, trial_sets
from pipeline.spreadsheet import unguarded
from pipeline.textfile import read_csv_lines
from pipeline.validation.files.beside import set_beside
from pipeline.validation.files.import_report import ImportOptions, ImportReport, refused
from pipeline.validation.files.known import IMPORTED_FROM
from pipeline.validation.files.read import Problem
from pipeline.validation.files.row_cells import (
    RowCells,
    RowError,
    moment_in,
    rater_in,
    rt_ms_in,
    time_in,
)

_NEEDED = ("prolific_pid", "item_id", "label")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A row: an expert's label of a moment; `rater_id` of `given` is not known yet."""

    place: str
    set_name: str
    rater: str
    is_simulated: bool
    item: Item
    given: LabelGiven


def is_labels_file(path: Path) -> bool:
    """Whether a CSV is one of experts' labels."""
    return path.suffix.lower() != ".json" and set(_NEEDED) <= set(read_csv_lines(path).columns)


def import_labels(study_root: Path, path: Path, options: ImportOptions) -> ImportReport:
    """Take a file of labels into the set that it names, which is made if needed.

    Raises RatingError as `import_files`.
    """
    rows, problems = _read(path)
    names = {row.set_name for row in rows} - {""}
    if len(names) > 1 and not options.set_name:
        raise RatingError(
            f"{path.name} holds labels of several sets.", hint="Import them as one with --set NAME."
        )
    wanted = options.set_name or (names.pop() if names else path.stem)
    name = " ".join(wanted.split())[:MAX_NAME]
    people = people_store(study_root)
    with people.reading() as con:
        found = next((one for one in trial_sets(con) if one.name == name), None)
        known = {} if found is None else items_of(con, found.set_id)
        labels = {} if found is None else {r.label: r for r in raters_of(con, found.set_id)}
    if found is not None and found.kind is not SetKind.LABELS:
        raise RatingError(
            f"The set {name!r} is not one of experts' labels.", hint="Name another with --set."
        )
    kept, new, more = _sorted(rows, known, found)
    problems = (*problems, *more)
    if problems and not options.skip_bad_rows and not options.is_trial:
        raise refused(problems)
    new_raters = list(dict.fromkeys(row.rater for row in kept if row.rater not in labels))
    first = {(row.rater, row.item.item_id): row for row in reversed(kept)}
    n_added = len(first)
    if kept and not options.is_trial:
        set_id = _set_id(people, path, name, found, list(new.values()), kept)
        n_added = _write(people, set_id, path, list(first.values()), new_raters)
    return ImportReport(
        file_name=path.name,
        set_name=name,
        is_new_set=found is None,
        n_rows=len(rows),
        n_trials_added=len(new),
        n_raters_added=len(new_raters),
        n_answers_added=n_added,
        n_known=len(first) - n_added,
        n_repeated=len(kept) - len(first),
        n_other=0,
        problems=problems,
        is_labels=True,
    )


def _read(path: Path) -> tuple[list[LabelRow], tuple[Problem, ...]]:
    table = read_csv_lines(path)
    rows: list[LabelRow] = []
    problems: list[Problem] = []
    for line, cells in table.rows:
        row = RowCells(
            {n: unguarded(cell) for n, cell in zip(table.columns, cells, strict=False) if n}
        )
        try:
            rows.append(_row(row, f"{path.name}, line {line}"))
        except RowError as problem:
            problems.append(Problem(f"{path.name}, line {line}", problem.sentence, problem.fix))
    return rows, tuple(problems)


def _row(row: RowCells, place: str) -> LabelRow:
    item_id, text = row.text("item_id").strip(), row.text("label").strip()
    if not item_id:
        raise RowError("item_id is empty.", "Say which moment the label is about.")
    try:
        label = MomentLabel(text)
    except ValueError:
        known = ", ".join(one.value for one in MomentLabel)
        raise RowError(f"label is {text!r}.", f"Write one of: {known}.") from None
    option = ItemOption(moment_in(row), row.text("utterance"), row.whole("frame_ms"), None)
    return LabelRow(
        place,
        " ".join(row.text("set_name").split()),
        rater_in(row),
        bool(row.yes_no("is_simulated")),
        Item(
            item_id,
            TrialMode.MOMENT,
            Part.MAIN,
            row.text("utterance"),
            (option,),
            row.real("score"),
            row.real("z"),
            row.whole("bin"),
        ),
        LabelGiven(
            0,
            item_id,
            label,
            row.text("referent"),
            rt_ms_in(row),
            time_in(row),
            row.text("app_version"),
        ),
    )


def _sorted(
    rows: Sequence[LabelRow], known: Mapping[str, Item], found: TrialSet | None
) -> tuple[list[LabelRow], dict[str, Item], tuple[Problem, ...]]:
    """The rows that can be taken, the moments that are new, and what is wrong with the others."""
    kept: list[LabelRow] = []
    new: dict[str, Item] = {}
    problems: list[Problem] = []
    may_grow = found is None or IMPORTED_FROM in found.settings
    for row in rows:
        item_id = row.item.item_id
        if item_id not in known:
            if not may_grow:
                assert found is not None
                problems.append(
                    Problem(
                        row.place,
                        f"the set {found.name!r} has no moment {item_id}.",
                        "Import the file as a set of its own with --set NAME.",
                    )
                )
                continue
            new.setdefault(item_id, row.item)
        kept.append(row)
    return kept, new, tuple(problems)


def _set_id(
    people: PeopleStore,
    path: Path,
    name: str,
    found: TrialSet | None,
    items: Sequence[Item],
    rows: Sequence[LabelRow],
) -> int:
    if found is not None:
        if items:
            add_trials(people, found.set_id, items, ())
        return found.set_id
    beside = set_beside(path, name)
    settings = beside.get("settings")
    return add_set(
        people,
        name=name,
        kind=SetKind.LABELS,
        settings=json.dumps(
            {**(settings if isinstance(settings, dict) else {}), IMPORTED_FROM: path.name},
            sort_keys=True,
        ),
        items=items,
        consent=str(beside.get("consent", "")),
        is_simulated=bool(beside.get("is_simulated", all(row.is_simulated for row in rows))),
    )


def _write(
    people: PeopleStore,
    set_id: int,
    path: Path,
    rows: Sequence[LabelRow],
    new_raters: Sequence[str],
) -> int:
    simulated = {row.rater: row.is_simulated for row in rows}
    for label in new_raters:
        add_rater(
            people,
            set_id,
            label,
            list_number=None,
            is_simulated=simulated[label],
            source=path.name,
        )
    with people.reading() as con:
        raters = {rater.label: rater.rater_id for rater in raters_of(con, set_id)}
    return add_labels(
        people,
        set_id,
        [
            LabelGiven(
                raters[row.rater],
                row.given.item_id,
                row.given.label,
                row.given.referent,
                row.given.rt_ms,
                row.given.answered_at,
                row.given.app_version,
            )
            for row in rows
        ],
    )
