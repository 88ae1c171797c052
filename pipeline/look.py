"""The colours of every figure, light and dark: they mean the same on screen and in a report.

Categories use the eight colours of Okabe & Ito (2008), told apart with any colour vision, a
little lighter on a dark page. A child keeps its colour on every page because colours follow the
order of all children of the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FONT = '"Source Sans", "Source Sans 3", -apple-system, "Segoe UI", sans-serif'


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one theme. `accent` is for the finding, `muted` for chance and context."""

    name: str
    ink: str
    faint_ink: str
    grid: str
    paper: str
    accent: str
    accent_fill: str
    muted: str
    muted_fill: str
    categories: tuple[str, ...]


LIGHT = Look(
    name="light",
    ink="#26292e",
    faint_ink="#666c75",
    grid="#e7e8ea",
    paper="#ffffff",
    accent="#0b62a4",
    accent_fill="rgba(11, 98, 164, 0.20)",
    muted="#8a8f98",
    muted_fill="rgba(138, 143, 152, 0.22)",
    categories=(
        "#0072b2",
        "#d55e00",
        "#009e73",
        "#cc79a7",
        "#b8860b",
        "#56b4e9",
        "#5c5c5c",
        "#8b5fbf",
    ),
)
DARK = Look(
    name="dark",
    ink="#e6e7e9",
    faint_ink="#a3a8b0",
    grid="#30343b",
    paper="#14171b",
    accent="#6db3ea",
    accent_fill="rgba(109, 179, 234, 0.26)",
    muted="#8f959f",
    muted_fill="rgba(143, 149, 159, 0.26)",
    categories=(
        "#56b4e9",
        "#f08a4b",
        "#3cc79d",
        "#e39fc4",
        "#e6c34a",
        "#9ad3f5",
        "#b5b5b5",
        "#b99ae0",
    ),
)
_SPEAKERS = ("FEM", "MAL", "CHI", "OCH", "NA")
_SPEAKER_COLOURS = (3, 0, 1, 4, 6)


def category_colours(names: Sequence[str], look: Look) -> dict[str, str]:
    """A colour for each name by its place; give all names, not the chosen ones."""
    return {name: look.categories[i % len(look.categories)] for i, name in enumerate(names)}


def speaker_colours(look: Look) -> dict[str, str]:
    """A colour for each speaker code."""
    return {
        speaker: look.categories[place]
        for speaker, place in zip(_SPEAKERS, _SPEAKER_COLOURS, strict=True)
    }
