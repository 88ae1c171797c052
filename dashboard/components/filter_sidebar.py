"""The controls that choose utterances and their score, in the sidebar of every page.

Only what the store can tell apart is offered: no speaker control without speakers.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import labels
from dashboard.components.filter_state import change_field, change_filters, saved_filters
from dashboard.components.scorer_choice import scorer_choice, settings_hint
from dashboard.components.window_choice import window_choice
from dashboard.filters import (
    DEFAULT_Z_THRESHOLD,
    MAX_WORDS,
    SCALES,
    STATISTICS,
    Filters,
    with_value,
)
from dashboard.plain import escaped
from dashboard.queries.options import StoreOptions
from dashboard.queries.selection import Measure
from pipeline.people.thresholds import threshold_origin
from pipeline.records import ModelRef
from pipeline.schema import UTTERANCE_FLAGS, WINDOWS

_DAYS = labels.DAYS_PER_MONTH


def filter_sidebar(filters: Filters, measure: Measure, options: StoreOptions) -> None:
    """Draw the controls; a change is taken over before the page runs again."""
    with st.sidebar:
        st.markdown("##### Score")
        _score_controls(filters, measure, options)
        st.markdown("##### Utterances")
        _utterance_controls(filters, options)


def _score_controls(filters: Filters, measure: Measure, options: StoreOptions) -> None:
    scorer_choice(measure.scorer, options)
    _choice(
        filters,
        "crop",
        "Crop",
        # A store whose scores are not made yet has none.
        list(options.crops) or [filters.crop],
        filters.crop,
        labels.CROPS.__getitem__,
        help_text="\n\n".join(labels.CROPS_LONG[crop] for crop in options.crops)
        + settings_hint(options),
    )
    model = next(m for m in options.models if m.scorer == measure.scorer)
    window_choice(
        measure.window,
        key="filter_window",
        take=_take_window,
        allow_free=model.default_threshold is not None or filters.threshold is not None,
    )
    _choice(
        filters,
        "statistic",
        "Over the frames of the window",
        list(STATISTICS),
        filters.statistic,
        labels.STATISTICS.__getitem__,
        help_text="The maximum grows with the number of frames even by chance; the mean does not.",
    )
    if options.has_null and not measure.is_free:
        _choice(
            filters,
            "scale",
            "Scale",
            list(SCALES),
            measure.scale,
            labels.SCALES.__getitem__,
            help_text="z counts in standard deviations of the matched null: windows with as many "
            "frames from other recordings of the same child.",
        )
    _threshold(filters, measure, options)


def _take_window(window: str) -> None:
    changed = with_value(saved_filters(), "window", window)
    if window not in WINDOWS and changed.scale == "z":
        changed = with_value(with_value(changed, "scale", "raw"), "threshold", None)
    change_filters(changed)


def _threshold(filters: Filters, measure: Measure, options: StoreOptions) -> None:
    key = "filter_threshold"
    st.session_state[key] = measure.threshold
    model = next(m for m in options.models if m.scorer == measure.scorer)
    default = DEFAULT_Z_THRESHOLD if measure.scale == "z" else model.default_threshold

    def take() -> None:
        value = round(float(st.session_state[key]), 4)
        change_field("threshold", None if value == default else value)

    st.number_input(
        f"Highly aligned from ({labels.SCALES[measure.scale]})",
        min_value=-20.0,
        max_value=20.0,
        step=0.01 if measure.scale == "raw" else 0.25,
        format="%.3g" if measure.scale == "z" else "%.3f",
        key=key,
        on_change=take,
        help="An utterance counts as highly aligned when its score is at least this. "
        + _source(model),
    )
    if measure.threshold_origin in ("people", "simulated"):
        st.caption(f"Threshold {model.threshold_source}.")
    if measure.threshold_origin == "no_default" and options.has_null:
        st.caption(
            f"No threshold is known for {escaped(model.label)}, and those of other scores do not "
            "carry over: the z scale is used instead."
        )


def _source(model: ModelRef) -> str:
    if not model.threshold_source:
        return ""
    if threshold_origin(model) != "model":
        return f"Default {model.threshold_source}."
    return f"Default of the model: {model.threshold_source}."


def _utterance_controls(filters: Filters, options: StoreOptions) -> None:
    if len(options.children) > 1:
        _several(filters, "children", "Children", list(options.children), str)
    if options.has_ages:
        _age(filters, options)
    if options.has_speakers:
        _several(
            filters, "speakers", "Speakers", list(options.speakers), labels.SPEAKERS.__getitem__
        )
    if options.activities:
        _several(filters, "activities", "Activities", list(options.activities), str)
    if options.locations:
        _several(filters, "locations", "Locations", list(options.locations), str)
    if len(options.languages) > 1:
        _several(filters, "languages", "Languages", list(options.languages), str)
    if options.quadrants:
        _several(
            filters,
            "heard",
            "Seen and heard",
            list(options.quadrants),
            labels.QUADRANTS.__getitem__,
            help_text="Whether the words go with what was in view, and with the sounds around "
            "besides speech, better than with other moments of the recording; see the page Sound. "
            "Utterances without scores of sound are left out as soon as one is chosen.",
        )
    with st.expander("Transcript quality"):
        _number(filters, "min_words", "At least this many words", 0, MAX_WORDS, 1)
        if options.flags:
            _several(
                filters,
                "without_flags",
                "Leave out utterances marked",
                list(options.flags),
                labels.FLAGS.__getitem__,
                help_text="\n\n".join(
                    f"{labels.FLAGS[flag]}: {UTTERANCE_FLAGS[flag]}" for flag in options.flags
                ),
            )
        if options.has_logprob:
            _confidence(filters)


def _choice(
    filters: Filters,
    name: str,
    label: str,
    choices: list[str],
    current: str,
    words: Callable[[str], str],
    help_text: str | None = None,
) -> None:
    key = f"filter_{name}"
    st.session_state[key] = current if current in choices else choices[0]

    def take() -> None:
        changed = with_value(saved_filters(), name, st.session_state[key])
        if name == "scale":
            # A threshold means nothing on another scale.
            changed = with_value(changed, "threshold", None)
        change_filters(changed)

    st.segmented_control(
        label,
        choices,
        key=key,
        format_func=words,
        required=True,
        on_change=take,
        help=help_text,
        width="stretch",
    )


def _several(
    filters: Filters,
    name: str,
    label: str,
    choices: list[str],
    words: Callable[[str], str],
    help_text: str | None = None,
) -> None:
    key = f"filter_{name}"
    st.session_state[key] = [v for v in getattr(filters, name) if v in choices]

    def take() -> None:
        change_field(name, tuple(sorted(st.session_state[key])))

    st.multiselect(
        label,
        choices,
        key=key,
        format_func=words,
        placeholder="None" if name == "without_flags" else "All",
        on_change=take,
        help=help_text,
    )


def _number(filters: Filters, name: str, label: str, low: int, high: int, step: int) -> None:
    key = f"filter_{name}"
    st.session_state[key] = getattr(filters, name)

    def take() -> None:
        change_field(name, int(st.session_state[key]))

    st.number_input(label, low, high, step=step, key=key, on_change=take)


def _confidence(filters: Filters) -> None:
    key = "filter_min_logprob"
    st.session_state[key] = filters.min_logprob if filters.min_logprob is not None else -5.0

    def take() -> None:
        value = float(st.session_state[key])
        change_field("min_logprob", None if value <= -5.0 else value)

    st.slider(
        "Mean log-probability at least",
        -5.0,
        0.0,
        step=0.1,
        key=key,
        on_change=take,
        help="Whisper's own confidence. Utterances without one are kept.",
    )


def _age(filters: Filters, options: StoreOptions) -> None:
    assert options.min_age_days is not None
    assert options.max_age_days is not None
    low, high = int(options.min_age_days / _DAYS), int(options.max_age_days / _DAYS) + 1
    key = "filter_age"
    chosen_low = low if filters.min_age_days is None else round(filters.min_age_days / _DAYS)
    chosen_high = high if filters.max_age_days is None else round(filters.max_age_days / _DAYS)
    st.session_state[key] = (
        min(max(chosen_low, low), high),
        max(min(chosen_high, high), low),
    )

    def take() -> None:
        first, last = st.session_state[key]
        changed = with_value(
            saved_filters(), "min_age_days", None if first <= low else round(first * _DAYS)
        )
        change_filters(
            with_value(changed, "max_age_days", None if last >= high else round(last * _DAYS))
        )

    st.slider(
        "Age (months)",
        low,
        high,
        key=key,
        on_change=take,
        help="Recordings of unknown age are left out as soon as the range is narrowed.",
    )
