"""What the person chose to look at, as one value, and its form in the address bar.

`Filters` is written to the URL and read back, so every view has a link. A URL comes from outside:
whatever in it is not understood is ignored, never an error.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from pipeline.records import Speaker
from pipeline.schema import CROPS, UTTERANCE_FLAGS
from pipeline.score_columns import is_window
from pipeline.sound_tables import QUADRANTS

STATISTICS = ("max", "mean")
SCALES = ("raw", "z")
DEFAULT_Z_THRESHOLD = 2.0
MAX_AGE_DAYS = 40_000
MAX_WORDS = 100
_MAX_VALUES = 500
_MAX_TEXT = 200

Params = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which utterances, and how they are scored. The default is everything.

    An empty tuple means no restriction. `heard` leaves utterances of these quadrants of seen and
    heard, so none without scores of sound. `without_flags` leaves out utterances that carry one of
    these flags; `min_logprob` leaves out those transcribed with less confidence (utterances
    without a confidence stay). `scorer` "" is the store's first model; `threshold` None is the
    default of the model or of the z scale. Sequences are sorted and without duplicates.
    """

    children: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    without_flags: tuple[str, ...] = ()
    min_age_days: int | None = None
    max_age_days: int | None = None
    min_words: int = 0
    min_logprob: float | None = None
    scorer: str = ""
    crop: str = "center"
    window: str = "strict"
    statistic: str = "max"
    scale: str = "raw"
    threshold: float | None = None

    def __post_init__(self) -> None:
        for name, allowed in _CLOSED.items():
            value = getattr(self, name)
            for item in value if isinstance(value, tuple) else (value,):
                if item not in allowed:
                    raise ValueError(f"{name} is {item!r}; allowed: {', '.join(allowed)}")
        if not is_window(self.window):
            raise ValueError(f"window is {self.window!r}; allowed: strict, 1s, 2s or e.g. -3+1")

    @property
    def narrowed(self) -> set[str]:
        """The fields that narrow the utterances down."""
        return {name for name, all_of_them in _OPEN.items() if getattr(self, name) != all_of_them}


_CLOSED: dict[str, tuple[str, ...]] = {
    "speakers": tuple(speaker.value for speaker in Speaker),
    "heard": tuple(QUADRANTS),
    "without_flags": tuple(UTTERANCE_FLAGS),
    "crop": CROPS,
    "statistic": STATISTICS,
    "scale": SCALES,
}
ROW_FIELDS = (
    "children",
    "speakers",
    "activities",
    "locations",
    "languages",
    "heard",
    "without_flags",
    "min_age_days",
    "max_age_days",
    "min_words",
    "min_logprob",
)
"""Fields that choose utterances; the others say how they are scored."""

_OPEN: dict[str, object] = {name: getattr(Filters(), name) for name in ROW_FIELDS}
"""What these fields are where they leave every utterance."""

URL_KEYS: dict[str, str] = {
    "children": "child",
    "speakers": "speaker",
    "activities": "activity",
    "locations": "location",
    "languages": "language",
    "heard": "heard",
    "without_flags": "without",
    "min_age_days": "age_from",
    "max_age_days": "age_to",
    "min_words": "words",
    "min_logprob": "confidence",
    "scorer": "scorer",
    "crop": "crop",
    "window": "window",
    "statistic": "stat",
    "scale": "scale",
    "threshold": "threshold",
}
"""Field -> name of its URL parameter."""

_NUMBER_RANGES: dict[str, tuple[float, float]] = {
    "min_age_days": (0, MAX_AGE_DAYS),
    "max_age_days": (0, MAX_AGE_DAYS),
    "min_words": (0, MAX_WORDS),
    "min_logprob": (-20.0, 0.0),
    "threshold": (-20.0, 20.0),
}
_WHOLE = ("min_age_days", "max_age_days", "min_words")


def to_params(filters: Filters) -> Params:
    """URL parameters of everything that differs from the default."""
    params: Params = {}
    for field in fields(Filters):
        value = getattr(filters, field.name)
        if value != field.default:
            values = value if isinstance(value, tuple) else (value,)
            params[URL_KEYS[field.name]] = [
                repr(v) if isinstance(v, float) else str(v) for v in values
            ]
    return params


def from_params(params: Mapping[str, Sequence[str]]) -> Filters:
    """Filters from URL parameters; what is unknown or impossible is left at its default."""
    filters = Filters()
    for field in fields(Filters):
        texts = [text for text in params.get(URL_KEYS[field.name], ()) if _is_sane(text)]
        if not texts:
            continue
        name = field.name
        if isinstance(field.default, tuple):
            allowed = _CLOSED.get(name)
            kept = sorted({t for t in texts if allowed is None or t in allowed})
            filters = with_value(filters, name, tuple(kept[:_MAX_VALUES]))
        elif name in _NUMBER_RANGES:
            number = _number(texts[-1], name)
            if number is not None:
                filters = with_value(filters, name, number)
        elif is_window(texts[-1]) if name == "window" else texts[-1] in _CLOSED.get(name, texts):
            filters = with_value(filters, name, texts[-1])
    return filters


def restricted_to(filters: Filters, known: Mapping[str, Collection[str]]) -> Filters:
    """The filters without values that the open store does not have.

    `known` maps fields (children, activities, ..., scorer) to what exists. A link made for
    another build of the store must not show an empty page.
    """
    for name, values in known.items():
        value = getattr(filters, name)
        if isinstance(value, tuple):
            kept = tuple(item for item in value if item in values)
            filters = with_value(filters, name, kept)
        elif value and value not in values:
            filters = with_value(filters, name, "")
    return filters


def with_value(filters: Filters, name: str, value: object) -> Filters:
    """The filters with one field changed; ValueError if the value is not allowed there."""
    return replace(filters, **{name: value})  # type: ignore[arg-type]


def without(filters: Filters, name: str, value: str | None = None) -> Filters:
    """The filters with one field at its default, or with one value of it removed."""
    current = getattr(filters, name)
    if value is not None and isinstance(current, tuple):
        return with_value(filters, name, tuple(item for item in current if item != value))
    default = next(field.default for field in fields(Filters) if field.name == name)
    return with_value(filters, name, default)


def _is_sane(text: str) -> bool:
    return 0 < len(text) <= _MAX_TEXT and text.isprintable()


def _number(text: str, name: str) -> float | int | None:
    low, high = _NUMBER_RANGES[name]
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value) or not low <= value <= high:
        return None
    return int(value) if name in _WHOLE else value
