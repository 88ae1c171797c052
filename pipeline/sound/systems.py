"""The systems: which heads each trains on which pairs of modalities, in which stages.

Wav2CLIP (Wu et al. 2022) and AudioCLIP (Guzhov et al. 2022) are the references after which two of
the styles are named; here all systems share features, heads, batches and training.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pipeline.errors import SettingsError
from pipeline.sound.clip_set import Kind


class Modality(str, Enum):
    """What a head projects."""

    VISUAL = "visual"
    AUDIO = "audio"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Term:
    """One L_xy; `kind` is the text's where one side is text.

    A stage may hold alternatives: of the terms of one `choice` one is drawn for each minibatch.
    """

    x: Modality
    y: Modality
    kind: Kind | None = None
    choice: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """Heads that learn, and the terms whose sum is the loss."""

    heads: tuple[Modality, ...]
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class System:
    """A row of the table: its name on the command line, its title, its stages."""

    name: str
    title: str
    stages: tuple[TrainingStage, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of text the system learns from."""
        return tuple(
            dict.fromkeys(
                t.kind for stage in self.stages for t in stage.terms if t.kind is not None
            )
        )


_V, _A, _T = Modality.VISUAL, Modality.AUDIO, Modality.TEXT
_ALL = (_V, _A, _T)
_AV = Term(_A, _V)


def _two_stages(name: str, title: str, second: tuple[Modality, ...]) -> System:
    return System(
        name,
        title,
        (
            TrainingStage((_V, _T), (Term(_V, _T, Kind.VISUAL),)),
            TrainingStage(second, (Term(_A, _T, Kind.AUDIO),)),
        ),
    )


SYSTEMS: tuple[System, ...] = (
    _two_stages("wav2clip-frozen", "Wav2CLIP-style, text frozen", (_A,)),
    _two_stages("wav2clip", "Wav2CLIP-style, text trained", (_A, _T)),
    System(
        "audioclip",
        "AudioCLIP-style",
        (TrainingStage(_ALL, (_AV, Term(_A, _T, Kind.AUDIO), Term(_V, _T, Kind.AUDIO))),),
    ),
    System(
        "slava-a-and-v",
        "SLAVA A&V",
        (
            TrainingStage(
                _ALL,
                (_AV, Term(_A, _T, Kind.AUDIO, choice=1), Term(_V, _T, Kind.VISUAL, choice=0)),
            ),
        ),
    ),
    System(
        "slava-av2",
        "SLAVA AV, two terms",
        (TrainingStage(_ALL, (Term(_A, _T, Kind.AUDIO_VISUAL), Term(_V, _T, Kind.AUDIO_VISUAL))),),
    ),
    System(
        "slava-av3",
        "SLAVA AV, three terms",
        (
            TrainingStage(
                _ALL, (_AV, Term(_A, _T, Kind.AUDIO_VISUAL), Term(_V, _T, Kind.AUDIO_VISUAL))
            ),
        ),
    ),
    System("audio-visual", "Audio-visual reference", (TrainingStage((_A, _V), (_AV,)),)),
)


def find_system(name: str) -> System:
    """The system of a name. Raises SettingsError naming all of them."""
    for system in SYSTEMS:
        if system.name == name:
            return system
    raise SettingsError(
        f"There is no system {name!r}.",
        hint=f"Choose one of: {', '.join(system.name for system in SYSTEMS)}.",
    )


def with_stand_in(system: System, missing: frozenset[Kind], stand_in: Kind) -> System:
    """The system with `stand_in` as the text wherever it asks for one of the `missing` kinds."""

    def replaced(term: Term) -> Term:
        kind = stand_in if term.kind in missing else term.kind
        return Term(term.x, term.y, kind, term.choice)

    stages = tuple(
        TrainingStage(stage.heads, tuple(replaced(term) for term in stage.terms))
        for stage in system.stages
    )
    return System(system.name, system.title, stages)
