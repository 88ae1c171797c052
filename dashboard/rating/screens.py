"""What a rater's browser is told to show: never a score, which option is right, or what is next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.people.answers import Place
from pipeline.people.trial_records import Item, Part, Rater, Trial, TrialMode

_LINK = re.compile(r"""(https://[^\s<>"']+)""")
WHICH_PICTURE = "Which picture goes with these words?"
WHICH_SENTENCE = "Which sentence goes with this picture?"


@dataclass(frozen=True, slots=True)
class CodeScreen:
    """Type a code; `told` says why, when something was wrong."""

    told: str = ""
    screen: str = "code"


@dataclass(frozen=True, slots=True)
class ConsentScreen:
    """Read this text and agree."""

    text: str
    screen: str = "consent"


@dataclass(frozen=True, slots=True)
class EndedScreen:
    """One sentence: nothing can be answered here now."""

    told: str
    screen: str = "ended"


@dataclass(frozen=True, slots=True)
class ClosingPart:
    """A piece of the text at the end: plain, or an https address that can be followed."""

    text: str
    is_link: bool


@dataclass(frozen=True, slots=True)
class DoneScreen:
    """Everything is answered; `closing` is the set's own last word, such as a completion code."""

    n_answered: int
    closing: tuple[ClosingPart, ...] = ()
    screen: str = "done"


@dataclass(frozen=True, slots=True)
class TrialScreen:
    """One trial. `texts` are the sentences to choose from, empty when pictures are.

    `words` is what was said, to be read as a quotation; empty where nothing is quoted. `rater`
    tells the page whether another person sits there now. `is_start` asks for an explanation
    first: at the first practice trial and at the first that counts.
    """

    rater: int
    trial_id: int
    mode: str
    is_practice: bool
    is_start: bool
    has_practised: bool
    number: int
    total: int
    question: str
    words: str
    texts: tuple[str, ...]
    n_pictures: int
    has_sound: bool
    screen: str = "trial"


@dataclass(frozen=True, slots=True)
class FrameShown:
    """A frame of the strip: seconds from the utterance's onset, and whether it lies in it; of a
    short utterance between two frames, the nearest one counts as within."""

    time_s: float
    is_within: bool


@dataclass(frozen=True, slots=True)
class LabelScreen:
    """One moment to label."""

    rater: int
    item_id: str
    is_start: bool
    number: int
    total: int
    words: str
    frames: tuple[FrameShown, ...]
    has_sound: bool
    screen: str = "label"


Screen: TypeAlias = (
    CodeScreen | ConsentScreen | EndedScreen | DoneScreen | TrialScreen | LabelScreen
)


def done_screen(n_answered: int, closing: str) -> DoneScreen:
    """The screen at the end."""
    parts = (part for part in _LINK.split(closing) if part)
    return DoneScreen(
        n_answered,
        tuple(ClosingPart(part, _LINK.fullmatch(part) is not None) for part in parts),
    )


def trial_screen(
    rater: Rater, trial: Trial, place: Place, *, has_sound: bool, has_practised: bool
) -> TrialScreen:
    """The screen of a trial. A catch item looks like any other, but for what it asks."""
    item = trial.item
    is_catch = item.part is Part.CATCH
    is_pictures = item.mode is TrialMode.IMAGES
    return TrialScreen(
        rater=rater.rater_id,
        trial_id=trial.trial_id,
        mode=item.mode.value,
        is_practice=item.part is Part.PRACTICE,
        is_start=place.number == 1,
        has_practised=has_practised,
        number=place.number,
        total=place.total,
        question=item.prompt if is_catch else WHICH_PICTURE if is_pictures else WHICH_SENTENCE,
        words=item.prompt if is_pictures and not is_catch else "",
        texts=() if is_pictures else tuple(option.text for option in trial.shown()),
        n_pictures=4 if is_pictures else 1,
        has_sound=has_sound and is_pictures and not is_catch,
    )


def label_screen(
    rater: Rater, item: Item, place: Place, times_ms: tuple[int, ...], *, has_sound: bool
) -> LabelScreen:
    """The screen of a moment, with the frames at `times_ms` of its recording."""
    span = item.options[0].moment.span
    within = {time_ms for time_ms in times_ms if span.onset_ms <= time_ms < span.offset_ms}
    if not within and times_ms:
        middle_ms = (span.onset_ms + span.offset_ms) / 2
        within = {min(times_ms, key=lambda time_ms: abs(time_ms - middle_ms))}
    return LabelScreen(
        rater=rater.rater_id,
        item_id=item.item_id,
        is_start=place.number == 1,
        number=place.number,
        total=place.total,
        words=item.options[0].text or item.prompt,
        frames=tuple(
            FrameShown(round((time_ms - span.onset_ms) / 1000, 1), time_ms in within)
            for time_ms in times_ms
        ),
        has_sound=has_sound,
    )
