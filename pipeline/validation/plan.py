"""What a set of trials is made by: one frozen value, kept with the set as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Union

from pipeline.errors import SettingsError
from pipeline.people.trial_records import ImageVariant, TrialMode
from pipeline.people.trial_sets import MAX_NAME
from pipeline.score_columns import CROPS, is_window

MAX_PLACED = 100_000
"""Trials of a set at most: more would take minutes to deal."""
MAX_CLOSING = 500

Json = Union[str, int, float, bool, None, "list[Json]", "dict[str, Json]"]


class Foils(str, Enum):
    """Where the three wrong options come from."""

    SAME_CHILD = "same_child"
    ANY_CHILD = "any_child"


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """Settings of a set of trials.

    `lists` lists of `per_list` main trials; each item stands in `raters_per_item` lists, so that
    agreement between raters can be computed. Targets are drawn in equal numbers from `bins`
    intervals of the score of equal width. `is_matched_on_length` takes foils within one word of
    the target's length, or else the nearest. `n_catch` and `n_practice` are added to each list. An
    empty `scorer` is the store's first model. The score is the `statistic` of the cosines in
    `window` under `crop`. `closing` is what raters read at the end, such as a completion code; an
    https link in it can be followed. Raises SettingsError for values that do not go together.
    """

    name: str = "Trials"
    lists: int = 80
    per_list: int = 40
    bins: int = 8
    seed: int = 1
    modes: tuple[TrialMode, ...] = (TrialMode.IMAGES, TrialMode.UTTERANCES)
    foils: Foils = Foils.SAME_CHILD
    is_matched_on_length: bool = False
    raters_per_item: int = 4
    n_catch: int = 2
    n_practice: int = 3
    image_variant: ImageVariant = ImageVariant.FULL_FRAME
    with_sound: bool = False
    min_words: int = 1
    with_doubtful: bool = False
    scorer: str = ""
    crop: str = "center"
    window: str = "strict"
    statistic: str = "max"
    closing: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(" ".join(self.name.split())) <= MAX_NAME:
            raise SettingsError(
                "The set of trials has no usable name.",
                hint=f"Give it a name of 1 to {MAX_NAME} characters.",
            )
        for words, value, low, high in (
            ("lists", self.lists, 1, 1_000),
            ("trials per list", self.per_list, 4, 500),
            ("score bins", self.bins, 1, 50),
            ("seed", self.seed, 0, 2**31 - 1),
            ("raters per item", self.raters_per_item, 1, 50),
            ("catch trials per list", self.n_catch, 0, 20),
            ("practice trials", self.n_practice, 0, 20),
            ("fewest words", self.min_words, 1, 50),
        ):
            if not low <= value <= high:
                raise SettingsError(
                    f"The number of {words} is {value}."
                    if words != "seed"
                    else f"The seed is {value}.",
                    hint=f"Choose {low} to {high}.",
                )
        self._check_together()
        if len(self.closing) > MAX_CLOSING:
            raise SettingsError(
                f"The text at the end has {len(self.closing)} characters.",
                hint=f"Use at most {MAX_CLOSING}.",
            )
        if not self.modes or TrialMode.MOMENT in self.modes or _has_twice(self.modes):
            raise SettingsError(
                "The kinds of trial are not usable.", hint="Choose images, utterances or both."
            )
        for words, text, allowed in (
            ("crop", self.crop, CROPS),
            ("statistic", self.statistic, ("max", "mean")),
        ):
            if text not in allowed:
                raise SettingsError(
                    f"The {words} is {text!r}.", hint=f"Choose one of: {', '.join(allowed)}."
                )
        if not is_window(self.window):
            raise SettingsError(
                f"The window is {self.window!r}.",
                hint="Choose strict, 1s, 2s, or seconds such as -3+1.",
            )
        if self.image_variant is ImageVariant.MODEL_INPUT and self.crop != "center":
            raise SettingsError(
                f"Under the {self.crop} crop the model saw more than the middle square.",
                hint="Show the full frame, or score by the centre crop.",
            )

    def _check_together(self) -> None:
        if self.raters_per_item > self.lists:
            raise SettingsError(
                f"Each item cannot stand in {self.raters_per_item} lists when there are "
                f"{self.lists}.",
                hint="Ask for more lists, or for fewer raters per item.",
            )
        if self.lists * self.per_list > MAX_PLACED:
            raise SettingsError(
                f"{self.lists * self.per_list:,} trials are too many for one set.",
                hint=f"Choose fewer or shorter lists: at most {MAX_PLACED:,} trials in all.",
            )
        if self.n_catch > self.per_list // 2:
            raise SettingsError(
                f"{self.n_catch} catch trials are too many for lists of {self.per_list}.",
                hint="Choose at most one for every two trials.",
            )

    @property
    def n_items(self) -> int:
        """Items that fill the lists."""
        return self.lists * self.per_list // self.raters_per_item


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """Settings of a set for experts' labels: `n_moments` moments, spread evenly over `bins`.

    The other fields mean what they mean in `TrialPlan`. Raises SettingsError.
    """

    name: str = "Expert labels"
    n_moments: int = 100
    bins: int = 8
    seed: int = 1
    image_variant: ImageVariant = ImageVariant.FULL_FRAME
    with_sound: bool = True
    min_words: int = 1
    with_doubtful: bool = False
    scorer: str = ""
    crop: str = "center"
    window: str = "strict"
    statistic: str = "max"
    closing: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.n_moments <= 20_000:
            raise SettingsError(
                f"The number of moments is {self.n_moments}.", hint="Choose 1 to 20,000."
            )
        self.as_trials()

    def as_trials(self) -> TrialPlan:
        """The plan by which candidates are read and stratified."""
        return TrialPlan(
            name=self.name,
            lists=1,
            raters_per_item=1,
            n_catch=0,
            n_practice=0,
            **{name: getattr(self, name) for name in _SHARED},
        )


_SHARED = (
    "bins",
    "seed",
    "image_variant",
    "with_sound",
    "min_words",
    "with_doubtful",
    "scorer",
    "crop",
    "window",
    "statistic",
    "closing",
)


def label_plan(plan: TrialPlan, n_moments: int) -> LabelPlan:
    """A plan for experts' labels with what it shares with a plan of trials, its name included."""
    return LabelPlan(
        name=plan.name,
        n_moments=n_moments,
        **{name: getattr(plan, name) for name in _SHARED},
    )


def plan_values(plan: TrialPlan | LabelPlan) -> dict[str, Json]:
    """A plan's fields as JSON values, in their order."""
    found: dict[str, Json] = {}
    for name, value in asdict(plan).items():
        if isinstance(value, tuple):
            found[name] = [one.value for one in value]
        else:
            found[name] = value.value if isinstance(value, Enum) else value
    return found


def plan_to_json(plan: TrialPlan | LabelPlan) -> str:
    """A plan as JSON text."""
    return json.dumps(plan_values(plan), ensure_ascii=False)


def plan_from_json(text: str) -> TrialPlan:
    """The plan of a set's settings; other keys, which say what was made, are passed over.

    Raises SettingsError for text that is no JSON object, a field that is missing or has a value
    of another type, and as `TrialPlan`.
    """
    values = settings_values(text)
    given: dict[str, object] = {}
    for field in fields(TrialPlan):
        if field.name not in values:
            raise SettingsError(
                f"The settings do not say {field.name}.",
                hint="They are not those of a set of trials that Coview made.",
            )
        given[field.name] = _typed(field.name, values[field.name])
    return TrialPlan(**given)  # type: ignore[arg-type]


def settings_values(text: str) -> Mapping[str, Json]:
    """The JSON object of a set's settings. Raises SettingsError when it is none."""
    try:
        values: Json = json.loads(text)
    except json.JSONDecodeError as problem:
        raise SettingsError(
            "The settings of the set are not JSON.", hint="Make the set again."
        ) from problem
    if not isinstance(values, dict):
        raise SettingsError("The settings of the set are not JSON.", hint="Make the set again.")
    return values


def image_variant_of(settings: str) -> ImageVariant:
    """Which picture raters of a set are shown; the full frame where the settings do not say."""
    try:
        return ImageVariant(str(settings_values(settings).get("image_variant")))
    except (SettingsError, ValueError):
        return ImageVariant.FULL_FRAME


def has_sound(settings: str) -> bool:
    """Whether raters of a set may listen to the utterance."""
    try:
        return settings_values(settings).get("with_sound") is True
    except SettingsError:
        return False


def closing_of(settings: str) -> str:
    """What raters of a set read at the end; empty where the settings do not say."""
    try:
        text = settings_values(settings).get("closing")
    except SettingsError:
        return ""
    return text if isinstance(text, str) else ""


def _typed(name: str, value: Json) -> object:
    default = getattr(TrialPlan(), name)
    try:
        if name == "modes" and isinstance(value, list):
            return tuple(TrialMode(one) for one in value)
        if isinstance(default, Enum):
            return type(default)(value)
    except ValueError:
        pass
    else:
        if type(value) is type(default):
            return value
    raise SettingsError(
        f"The settings say {name} is {value!r}.",
        hint="Make the set again with a value it can have.",
    )


def _has_twice(modes: tuple[TrialMode, ...]) -> bool:
    return len(set(modes)) < len(modes)
