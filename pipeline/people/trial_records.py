"""What a validation study is made of: sets, items, trials, raters, answers.

A set holds items. An item of a 4AFC set is one question with four options, the first of which is
right; a trial is an item at its place in one list, its options in that list's order. An item of a
set of expert labels is one moment. A rater works through one list, or, for labels, through the
moments that have the fewest ratings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pipeline.people.store import MomentRef

N_OPTIONS = 4
CHANCE = 1 / N_OPTIONS


class SetKind(str, Enum):
    """What raters of a set do: choose one of four, or label a moment."""

    FOUR_CHOICES = "4afc"
    LABELS = "labels"


class TrialMode(str, Enum):
    """What the options are: images for one utterance, utterances for one image, or none."""

    IMAGES = "images"
    UTTERANCES = "utterances"
    MOMENT = "moment"


class Part(str, Enum):
    """What an item is for. Only main items enter results; catch items ask for a given position."""

    MAIN = "main"
    PRACTICE = "practice"
    CATCH = "catch"


class MomentLabel(str, Enum):
    """An expert's judgement whether what was said was in view."""

    ALIGNED = "aligned"
    PARTLY = "partly"
    NOT = "not"
    CANNOT_TELL = "cannot_tell"


class ImageVariant(str, Enum):
    """Which picture raters are shown: the whole frame, or the square that the model saw."""

    FULL_FRAME = "full_frame"
    MODEL_INPUT = "model_input"


@dataclass(frozen=True, slots=True)
class ItemOption:
    """One of the four options: an utterance, the frame shown for it (None when no picture is
    shown) and the cosine of the item's prompt with it. `image` names the picture in a file of
    trials that came from elsewhere, else it is empty."""

    moment: MomentRef
    text: str
    frame_ms: int | None
    cosine: float | None
    image: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A question. `options[0]` is the target; a labels item has this option only.

    `prompt` is what is read or, in utterances mode, empty; a catch item's prompt asks for a
    position. `score` and `z` are the target's, `bin` counts from 0.
    """

    item_id: str
    mode: TrialMode
    part: Part
    prompt: str
    options: tuple[ItemOption, ...]
    score: float | None = None
    z: float | None = None
    bin: int | None = None

    def __post_init__(self) -> None:
        wanted = 1 if self.mode is TrialMode.MOMENT else N_OPTIONS
        if len(self.options) != wanted:
            raise ValueError(f"item {self.item_id} has {len(self.options)} options, not {wanted}")


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """An item at its place in a list, before it is stored. `option_order[p]` is the option shown
    at position p + 1."""

    list_number: int
    position: int
    item_id: str
    option_order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A stored trial: `position` counts from 1 within its list."""

    trial_id: int
    list_number: int
    position: int
    item: Item
    option_order: tuple[int, ...]

    @property
    def correct_position(self) -> int:
        """Where the target stands, 1 to 4."""
        return self.option_order.index(0) + 1

    def shown(self) -> tuple[ItemOption, ...]:
        """The options as they are shown."""
        return tuple(self.item.options[number] for number in self.option_order)


@dataclass(frozen=True, slots=True)
class TrialSet:
    """A set as stored; `settings` is the JSON of what it was made with, `consent` the text that
    raters agree to."""

    set_id: int
    name: str
    kind: SetKind
    settings: str
    consent: str
    is_simulated: bool
    created_at: str
    closed_at: str | None


@dataclass(frozen=True, slots=True)
class Rater:
    """Someone who rates one set; `label` is a pseudonym. `list_number` is None for labels.

    `source` says where the answers came from: "here", "simulated", or the file they were read
    from.
    """

    rater_id: int
    set_id: int
    label: str
    list_number: int | None
    is_simulated: bool
    source: str
    created_at: str
    consented_at: str | None
    closed_at: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rater chose; `rt_ms` runs from the moment the images were drawn."""

    rater_id: int
    trial_id: int
    selected_position: int
    rt_ms: float | None
    answered_at: str
    app_version: str


@dataclass(frozen=True, slots=True)
class LabelGiven:
    """What an expert said about a moment; `referent` is what the words name, may be empty."""

    rater_id: int
    item_id: str
    label: MomentLabel
    referent: str
    rt_ms: float | None
    answered_at: str
    app_version: str
