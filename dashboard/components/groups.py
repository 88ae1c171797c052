"""The groups of a split, with the names and colours they have on every page."""

from __future__ import annotations

import math

from dashboard import labels
from dashboard.charts.children import Group
from dashboard.charts.look import Look, category_colours, speaker_colours
from dashboard.queries.options import StoreOptions
from dashboard.queries.selection import AGE_BAND_DAYS


def groups_of(split: str, options: StoreOptions, look: Look) -> tuple[Group, ...]:
    """Every group that the store can have under a split, in a fixed order."""
    if split == "speaker":
        colours = speaker_colours(look)
        return tuple(
            Group(code, name, colours[code])
            for code, name in labels.SPEAKERS.items()
            if code in options.speakers
        )
    if split == "age" and options.min_age_days is not None and options.max_age_days is not None:
        bands = range(
            math.floor(options.min_age_days / AGE_BAND_DAYS),
            math.floor(options.max_age_days / AGE_BAND_DAYS) + 1,
        )
        colours = category_colours([str(band) for band in bands], look)
        return tuple(
            Group(str(band), f"{6 * band}–{6 * band + 6} months", colours[str(band)])
            for band in bands
        )
    if split in ("activity", "location"):
        names = options.activities if split == "activity" else options.locations
        colours = category_colours(names, look)
        return tuple(Group(name, name, colours[name]) for name in names)
    return (Group("", labels.GROUPS["none"], look.accent),)
