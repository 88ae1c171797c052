"""Take a file of answers or trial lists into a study."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.errors import RatingError, StoreError
from pipeline.people.answers import add_answers
from pipeline.people.raters import add_rater, raters_of
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import Answer, SetKind
from pipeline.people.trial_sets import MAX_NAME, add_set, add_trials, close_set, trials_of
from pipeline.store.opening import open_current_store
from pipeline.validation.files.beside import set_beside
from pipeline.validation.files.export import (
    ANSWERS_FILE,
    LABELS_FILE,
    SET_FILE,
    TRIALS_FILE,
    set_facts,
)
from pipeline.validation.files.import_report import ImportOptions, ImportReport, refused
from pipeline.validation.files.known import (
    IMPORTED_FROM,
    KnownSet,
    StoreMoments,
    known_sets,
    moments_of,
)
from pipeline.validation.files.plan import ImportPlan, n_fitting, plan_import
from pipeline.validation.files.read import AnswerFile, read_answer_file
from pipeline.validation.files.rows import FileRow, image_name, read_text
from pipeline.validation.files.take_labels import import_labels, is_labels_file
from pipeline.zip_limits import BROKEN_ZIP, MAX_BYTES, TooLargeError, check_size

_FILES = (TRIALS_FILE, ANSWERS_FILE, LABELS_FILE)
_ENOUGH = 0.5
"""From which share of rows that are about a set's trials the whole file is meant for that set."""


def import_files(
    study_root: Path, path: Path, options: ImportOptions | None = None
) -> tuple[ImportReport, ...]:
    """Take a file, or an exported folder or zip with its trial lists, answers and labels; one
    report a file and set.

    What is there already is not taken twice. Raises RatingError for a file that is not what it
    should be, or that has a bad row unless those are skipped; StudyError, StoreError.
    """
    options = options or ImportOptions()
    if path.suffix.lower() == ".zip" and path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            _unpack(path, Path(folder))
            return import_files(study_root, Path(folder), options)
    files = [path]
    if path.is_dir():
        files = [path / name for name in _FILES if (path / name).is_file()]
    if not files or not files[0].is_file():
        raise RatingError(
            f"There is no file of trials or answers at {path.name}.",
            hint=f"Name a CSV or JSON file, or a folder with {ANSWERS_FILE}.",
        )
    reports: list[ImportReport] = []
    for file in files:
        if is_labels_file(file):
            reports.append(import_labels(study_root, file, options))
            continue
        read = read_answer_file(file)
        if read.rows or read.problems:
            for name, rows in _by_set(read.rows, options.set_name):
                reports.append(_import_rows(study_root, read, name, rows, options))
    if not any(report.n_rows or report.problems for report in reports):
        raise RatingError(
            f"{path.name} holds no trials.", hint="Export it again from where it was made."
        )
    return tuple(reports)


def _unpack(path: Path, folder: Path) -> None:
    """Write the files of an export that are packed in a zip into a folder; nothing else of it."""
    try:
        with zipfile.ZipFile(path) as packed:
            check_size(packed, path)
            for name in (*_FILES, SET_FILE):
                if name in packed.namelist():
                    (folder / name).write_bytes(packed.read(name))
    except TooLargeError as problem:
        raise RatingError(
            f"{path.name} unpacks to more than {MAX_BYTES // 1_000_000} MB, which no set does.",
            hint="Export the set again from where it was made.",
        ) from problem
    except BROKEN_ZIP as problem:
        raise RatingError(
            f"{path.name} cannot be unpacked.", hint="Unpack it and name the files in it."
        ) from problem


def _by_set(rows: Sequence[FileRow], wanted: str) -> Iterable[tuple[str, Sequence[FileRow]]]:
    if wanted:
        return [(wanted, rows)]
    found: dict[str, list[FileRow]] = {}
    for row in rows:
        found.setdefault(row.set_name, []).append(row)
    return list(found.items()) or [("", [])]


def _import_rows(
    study_root: Path,
    read: AnswerFile,
    name: str,
    rows: Sequence[FileRow],
    options: ImportOptions,
) -> ImportReport:
    store = people_store(study_root)
    with store.reading() as con:
        sets = known_sets(con)
    name = " ".join(name.split())[:MAX_NAME]
    target = _target(name, rows, sets, read.path)
    others = [one for one in sets if one is not target]
    may_join = target is None or target.is_imported
    moments = _moments(study_root, rows) if may_join else StoreMoments()
    plan = plan_import(read.path.name, rows, target, others, moments)
    problems = (*read.problems, *plan.problems)
    if problems and not options.skip_bad_rows and not options.is_trial:
        raise refused(problems)
    set_name = target.one.name if target is not None else name or _stem(read.path)
    n_added = 0
    if not options.is_trial and (plan.answers or plan.placed):
        facts = {**_facts(plan, moments), **dict(rows[0].facts)}
        n_added = _write(store, read, plan, target, set_name, facts)
    n_new = len(plan.answers) if options.is_trial else n_added
    return ImportReport(
        file_name=read.path.name,
        set_name=set_name,
        is_new_set=target is None,
        n_rows=len(rows),
        n_trials_added=len(plan.placed),
        n_raters_added=len(plan.raters),
        n_answers_added=n_new,
        n_known=len(plan.answers) - n_new,
        n_repeated=plan.n_repeated,
        n_other=read.n_other,
        problems=problems,
        sources=plan.sources,
        counts_from=read.counts_from,
    )


def _target(
    name: str, rows: Sequence[FileRow], sets: Sequence[KnownSet], path: Path
) -> KnownSet | None:
    """The set a file is meant for: by its name, or, without one, by its trials."""
    if not name:
        for known in sets:
            if rows and n_fitting(rows, known) / len(rows) >= _ENOUGH:
                return known
        name = _stem(path)
    return next((known for known in sets if known.one.name == name), None)


def _stem(path: Path) -> str:
    return " ".join(path.stem.split())[:MAX_NAME] or "imported"


def _moments(study_root: Path, rows: Sequence[FileRow]) -> StoreMoments:
    """What the study's store says about pictures and words; nothing where it has no store."""
    bare = [row.item for row in rows if not row.is_whole and row.item.score is None]
    if not bare:
        return StoreMoments()
    facts = dict(rows[0].facts)
    images = {image_name(option) for item in bare for option in item.options}
    texts = {option.text for item in bare for option in item.options}
    texts |= {read_text(item) for item in bare}
    try:
        with open_current_store(study_root) as con:
            return moments_of(
                con,
                images,
                texts,
                scorer=facts.get("scorer", ""),
                crop=facts.get("crop", ""),
                window=facts.get("window", ""),
            )
    except StoreError:
        # A study without a store keeps the answers; their scores are counted as missing.
        return StoreMoments()


def _facts(plan: ImportPlan, moments: StoreMoments) -> dict[str, str]:
    """How the scores were made that the rows got from this study."""
    if plan.adopted_from is not None:
        facts = set_facts(plan.adopted_from.one)
        return {name: value for name, value in facts.items() if name != "seed"}
    is_joined = plan.sources.n_by_image + plan.sources.n_by_words > 0
    return dict(moments.facts) if is_joined else {}


def _write(
    store: PeopleStore,
    read: AnswerFile,
    plan: ImportPlan,
    target: KnownSet | None,
    set_name: str,
    facts: Mapping[str, str],
) -> int:
    if target is not None:
        set_id = target.one.set_id
        add_trials(store, set_id, plan.items, plan.placed)
    else:
        beside = set_beside(read.path, set_name)
        settings = beside.get("settings")
        settings = settings if isinstance(settings, dict) else facts
        simulated = [rater.is_simulated for rater in plan.raters]
        set_id = add_set(
            store,
            name=set_name,
            kind=SetKind.FOUR_CHOICES,
            settings=json.dumps({**settings, IMPORTED_FROM: read.path.name}, sort_keys=True),
            items=plan.items,
            placed=plan.placed,
            consent=str(beside.get("consent", "")),
            is_simulated=bool(beside.get("is_simulated", simulated and all(simulated))),
        )
    for rater in plan.raters:
        add_rater(
            store,
            set_id,
            rater.label,
            list_number=rater.list_number,
            is_simulated=rater.is_simulated,
            source=read.path.name,
        )
    n_added = _add_answers(store, set_id, plan)
    if target is None and set_beside(read.path, set_name).get("closed_at"):
        close_set(store, set_id)
    return n_added


def _add_answers(store: PeopleStore, set_id: int, plan: ImportPlan) -> int:
    with store.reading() as con:
        raters = {rater.label: rater.rater_id for rater in raters_of(con, set_id)}
        trials = {
            (trial.list_number, trial.position): trial.trial_id for trial in trials_of(con, set_id)
        }
    return add_answers(
        store,
        [
            Answer(
                raters[one.answer.rater],
                trials[one.place],
                one.answer.selected_position,
                one.answer.rt_ms,
                one.answer.answered_at,
                one.answer.app_version,
            )
            for one in plan.answers
        ],
    )
