"""The restrictions in force, each with a way to take it off."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard import labels
from dashboard.components.filter_state import change_filters, saved_filters
from dashboard.filters import Filters, without


@dataclass(frozen=True, slots=True)
class Chip:
    """One restriction in words; `value` is the single value of a list field."""

    name: str
    text: str
    value: str | None = None


def chips(filters: Filters) -> tuple[Chip, ...]:
    """Everything that narrows the utterances down, in the order of the sidebar."""
    found: list[Chip] = []
    for name, noun, words in (
        ("children", "Child", {}),
        ("speakers", "Speaker", labels.SPEAKERS),
        ("activities", "Activity", {}),
        ("locations", "Location", {}),
        ("languages", "Language", {}),
        ("heard", "Sound", labels.QUADRANTS),
        ("without_flags", "Without", labels.FLAGS),
    ):
        for value in getattr(filters, name):
            found.append(Chip(name, f"{noun}: {words.get(value, value)}", value))
    if filters.min_age_days is not None:
        found.append(Chip("min_age_days", f"From {labels.months(filters.min_age_days)} months"))
    if filters.max_age_days is not None:
        found.append(Chip("max_age_days", f"Up to {labels.months(filters.max_age_days)} months"))
    if filters.min_words:
        found.append(Chip("min_words", f"At least {labels.plural(filters.min_words, 'word')}"))
    if filters.min_logprob is not None:
        found.append(Chip("min_logprob", f"Log-probability at least {filters.min_logprob:g}"))
    return tuple(found)


def filters_in_words(filters: Filters) -> str:
    """What the filters leave, for captions and exports: 'all', or every restriction."""
    return "; ".join(chip.text for chip in chips(filters)) or "all of the study"


def chip_row(filters: Filters) -> None:
    """Draw the chips; a click takes one restriction off, the last one takes off all."""
    found = chips(filters)
    if not found:
        return
    with st.container(horizontal=True, key="chips", gap="small"):
        for chip in found:
            st.button(
                chip.text,
                key=f"chip_{chip.name}_{chip.value or ''}",
                icon=":material/close:",
                icon_position="right",
                on_click=_take_off,
                args=(chip,),
                help="Take this restriction off",
            )
        if len(found) > 1:
            st.button(
                "Clear filters", key="chip_clear", type="tertiary", on_click=_take_off, args=found
            )


def _take_off(*taken: Chip) -> None:
    filters = saved_filters()
    for chip in taken:
        filters = without(filters, chip.name, chip.value)
    change_filters(filters)
