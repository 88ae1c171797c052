"""A row of a file of trials or answers as a value, and as the cells of its columns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.people.store import MomentRef
from pipeline.people.trial_records import Item, ItemOption, Part, Trial, TrialMode
from pipeline.records import TimeSpan
from pipeline.validation.files.cells import written
from pipeline.validation.files.columns import MOMENT_NAMES, N_FOILS, foil

NOWHERE = MomentRef("", "", TimeSpan(0, 1))
"""The moment of an option of which a file says no recording."""

Cell = str | float | bool | None


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """What a rater did with a trial. Positions count from 1."""

    rater: str
    is_simulated: bool
    selected_position: int
    rt_ms: float | None
    answered_at: str
    app_version: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row. `line` is its place in the file, such as "line 12".

    `is_whole` when the file says everything about the trial; otherwise the item was put together
    from what the trial shows, `list_number` and `position` may be None, and which foil stood where
    is not known. `has_content` when the file says what was shown. `facts` are the columns SET_FACTS
    that are filled. `answer` is None in a file of trial lists.
    """

    line: str
    set_name: str
    item: Item
    list_number: int | None
    position: int | None
    option_order: tuple[int, ...]
    is_whole: bool
    has_content: bool
    facts: tuple[tuple[str, str], ...]
    answer: AnswerGiven | None

    @property
    def correct_position(self) -> int:
        """Where the target stood, from 1."""
        return self.option_order.index(0) + 1


def image_name(option: ItemOption) -> str:
    """The picture of an option in a file: its own name, else by recording and time."""
    if option.image or option.frame_ms is None:
        return option.image
    recording = re.sub(r"[^\w.-]", "_", option.moment.recording_id)
    return f"images/{recording}_{option.frame_ms}.jpg"


def read_text(item: Item) -> str:
    """The column `utterance`: what is read in images mode, else the right answer."""
    return item.prompt if item.mode is TrialMode.IMAGES else item.options[0].text


def content_key(item: Item) -> str:
    """What a question shows, as a digest: the same in files of any program.

    Of pictures the file name counts, not the folder; the order of foils does not count.
    """
    foils = sorted(
        (option.text.strip(), PurePosixPath(image_name(option)).name) for option in item.options[1:]
    )
    target = (read_text(item).strip(), PurePosixPath(image_name(item.options[0])).name)
    shown = repr((item.mode.value, target, foils))
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def trial_cells(trial: Trial, set_name: str, facts: Mapping[str, str]) -> dict[str, Cell]:
    """The cells of TRIAL_COLUMNS."""
    item = trial.item
    target = item.options[0]
    cells: dict[str, Cell] = {
        "annotator_index": trial.list_number - 1,
        "row_index": trial.position - 1,
        "mode": item.mode.value,
        "correct_position": trial.correct_position,
        "utterance": read_text(item),
        "image_path": image_name(target),
        "option_order": " ".join(map(str, trial.option_order)),
        "list_id": trial.list_number,
        "item_id": item.item_id,
        "is_catch": item.part is Part.CATCH,
        "is_practice": item.part is Part.PRACTICE,
        "prompt": item.prompt,
        "target_text": target.text,
        "score": item.score,
        "z": item.z,
        "bin": item.bin,
        "set_name": set_name,
        **facts,
    }
    for number, option in enumerate(item.options):
        values = _moment_cells(option)
        if number:
            cells[foil("utt", number)] = option.text
            cells[foil("img", number)] = image_name(option)
            values = {foil(name, number): value for name, value in values.items()}
        cells |= values
    return cells


def answer_cells(answer: AnswerGiven, correct_position: int) -> dict[str, Cell]:
    """The cells that ANSWER_COLUMNS has and TRIAL_COLUMNS has not."""
    return {
        "prolific_pid": answer.rater,
        "selected_position": answer.selected_position,
        "is_correct": answer.selected_position == correct_position,
        "timestamp": answer.answered_at,
        "rt_ms": answer.rt_ms,
        "app_version": answer.app_version,
        "is_simulated": answer.is_simulated,
    }


def as_text(cells: Mapping[str, Cell]) -> dict[str, str]:
    """The cells as text, not yet guarded."""
    return {name: written(value) for name, value in cells.items()}


def _moment_cells(option: ItemOption) -> dict[str, Cell]:
    moment = option.moment
    is_known = moment != NOWHERE
    values: tuple[Cell, ...] = (
        moment.recording_id if is_known else None,
        moment.utterance_id if is_known else None,
        moment.span.onset_ms if is_known else None,
        moment.span.offset_ms if is_known else None,
        option.frame_ms,
        option.cosine,
    )
    return dict(zip(MOMENT_NAMES, values, strict=True))


def numbers_of_foils() -> range:
    """1, 2, 3."""
    return range(1, N_FOILS + 1)
