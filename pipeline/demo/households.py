"""The invented families: who lives there, how often they talk about what is in view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pipeline.demo.world import Case
from pipeline.records import Speaker

Scale = Literal["full", "tiny"]


@dataclass(frozen=True, slots=True)
class Household:
    """One family. `n_by_case` counts its utterances; the rest of `n_utterances` names nothing.

    `speaker_shares` are relative; `voice_ids` gives each speaker's voice.
    """

    child_id: str
    sex: str
    born: date
    ages_days: tuple[int, ...]
    n_utterances: int
    n_by_case: dict[Case, int]
    speaker_shares: dict[Speaker, float]
    voice_ids: dict[Speaker, str]
    rooms: tuple[str, ...]
    visits_per_recording: int

    def recording_dates(self) -> tuple[date, ...]:
        return tuple(self.born + timedelta(days=days) for days in self.ages_days)


def _cases(center: int, edge: int, lagged: int, absent: int) -> dict[Case, int]:
    return {Case.CENTER: center, Case.EDGE: edge, Case.LAGGED: lagged, Case.ABSENT: absent}


def _shares(fem: float, mal: float, chi: float, och: float) -> dict[Speaker, float]:
    return {Speaker.FEM: fem, Speaker.MAL: mal, Speaker.CHI: chi, Speaker.OCH: och}


def _voices(fem: str, mal: str, chi: str, och: str) -> dict[Speaker, str]:
    return {Speaker.FEM: fem, Speaker.MAL: mal, Speaker.CHI: chi, Speaker.OCH: och}


_FULL: tuple[Household, ...] = (
    Household(
        "C01", "f", date(2022, 3, 14), (352, 561), 90,
        _cases(10, 6, 6, 14), _shares(0.52, 0.2, 0.2, 0.08),
        _voices("fem1", "mal1", "chi1", "och1"), ("kitchen", "living_room", "garden"), 6,
    ),
    Household(
        "C02", "m", date(2021, 9, 2), (707, 894), 90,
        _cases(21, 5, 7, 13), _shares(0.45, 0.17, 0.28, 0.1),
        _voices("fem2", "mal2", "chi2", "och2"), ("living_room", "bedroom", "kitchen"), 6,
    ),
    Household(
        "C03", "f", date(2023, 1, 23), (188, 262, 341), 90,
        _cases(4, 6, 6, 13), _shares(0.56, 0.24, 0.1, 0.1),
        _voices("fem3", "mal1", "chi3", "och2"), ("bedroom", "bathroom", "street"), 3,
    ),
    Household(
        "C04", "m", date(2021, 11, 30), (458, 655), 92,
        _cases(16, 5, 7, 14), _shares(0.5, 0.18, 0.22, 0.1),
        _voices("fem1", "mal2", "chi1", "och2"), ("garden", "kitchen", "bathroom"), 6,
    ),
    Household(
        "C05", "f", date(2022, 6, 8), (229, 438), 88,
        _cases(7, 6, 6, 14), _shares(0.4, 0.34, 0.14, 0.12),
        _voices("fem2", "mal1", "chi3", "och1"), ("street", "living_room", "bathroom"), 6,
    ),
    Household(
        "C06", "m", date(2021, 7, 19), (512, 690, 881), 90,
        _cases(13, 5, 6, 13), _shares(0.48, 0.16, 0.26, 0.1),
        _voices("fem3", "mal2", "chi2", "och1"), ("kitchen", "bedroom", "garden"), 3,
    ),
)  # fmt: skip

_TINY: tuple[Household, ...] = (
    Household(
        "C01", "f", date(2022, 3, 14), (352, 561), 15,
        _cases(2, 1, 1, 2), _shares(0.52, 0.2, 0.2, 0.08),
        _voices("fem1", "mal1", "chi1", "och1"), ("kitchen", "living_room"), 2,
    ),
    Household(
        "C02", "m", date(2021, 9, 2), (707, 894), 15,
        _cases(5, 1, 1, 2), _shares(0.45, 0.17, 0.28, 0.1),
        _voices("fem2", "mal2", "chi2", "och2"), ("living_room", "bedroom"), 2,
    ),
)  # fmt: skip

ACTIVITIES: dict[str, tuple[str, ...]] = {
    "kitchen": ("eating", "cooking"),
    "living_room": ("playing", "reading"),
    "bedroom": ("dressing", "reading", "playing"),
    "bathroom": ("washing",),
    "garden": ("playing", "walking"),
    "street": ("walking",),
}


def households(scale: Scale) -> tuple[Household, ...]:
    """The families of the full demo (6 children, 14 recordings) or of the tiny one (2 and 4)."""
    return _FULL if scale == "full" else _TINY
