"""What must hold between the systems on made-up clips whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.sound.evaluate import evaluate
from pipeline.sound.retrieval import Scope
from pipeline.sound.synthetic import SyntheticShape, synthetic_sets
from pipeline.sound.systems import SYSTEMS, Modality
from pipeline.sound.training import TrainingSettings, train
from pipeline.sound_results import RecallRow

REFERENCE_MARGIN = 0.045
_TWO_STAGES = ("wav2clip-frozen", "wav2clip")
_AUDIO, _VISUAL_CAPTIONS = "audio", "visual captions"


@dataclass(frozen=True, slots=True)
class Invariant:
    """One statement, and how far it is from failing (recall; negative: it fails)."""

    name: str
    margin: float

    @property
    def holds(self) -> bool:
        return self.margin >= 0


OnSystem = Callable[[int, int], None]
"""Told (epochs done, epochs in all) over the systems."""


def synthetic_rows(
    seed: int,
    shape: SyntheticShape | None = None,
    settings: TrainingSettings | None = None,
    on_epoch: OnSystem | None = None,
) -> list[RecallRow]:
    """Recall tables of all systems on the made-up clips of one seed."""
    return [row for rows in synthetic_runs(seed, shape, settings, on_epoch) for row in rows]


def synthetic_runs(
    seed: int,
    shape: SyntheticShape | None = None,
    settings: TrainingSettings | None = None,
    on_epoch: OnSystem | None = None,
) -> Iterator[list[RecallRow]]:
    """Train the systems one after the other; yields the table of each."""
    sets = synthetic_sets(seed, shape)
    settings = settings or TrainingSettings()
    total = settings.n_epochs * sum(len(system.stages) for system in SYSTEMS)
    done = 0
    for system in SYSTEMS:

        def told(epoch: int, of: int, done: int = done) -> None:
            if on_epoch is not None:
                on_epoch(done + epoch, total)

        trained = train(
            system, sets.train, sets.validation, seed=seed, settings=settings, on_epoch=told
        )
        done += settings.n_epochs * len(system.stages)
        if on_epoch is not None:
            on_epoch(done, total)
        yield evaluate(trained.heads, system.name, sets.test, seed=seed)


def invariants(rows: Sequence[RecallRow]) -> list[Invariant]:
    """The seven statements about pooled recall of one seed's rows."""
    recall = {
        (row.system, row.query): row.recall_at_10
        for row in rows
        if row.scope == Scope.POOLED.value and row.gallery == Modality.VISUAL.value
    }
    by_audio = {system.name: recall[system.name, _AUDIO] for system in SYSTEMS}
    by_visual = {
        system.name: recall[system.name, _VISUAL_CAPTIONS] for system in SYSTEMS if system.kinds
    }
    two_stages = max(by_audio[name] for name in _TWO_STAGES)
    others = min(value for name, value in by_visual.items() if name != "audioclip")
    distance = abs(by_audio["slava-a-and-v"] - by_audio["audio-visual"])

    def above(name: str, value: float) -> float:
        # A tie is no order: half a query decides.
        return by_audio[name] - value - 1e-9

    return [
        Invariant(
            "picture by sound: AudioCLIP above both two-stage", above("audioclip", two_stages)
        ),
        Invariant(
            "picture by sound: SLAVA A&V above both two-stage", above("slava-a-and-v", two_stages)
        ),
        Invariant(
            "picture by sound: SLAVA AV, three terms, above both two-stage",
            above("slava-av3", two_stages),
        ),
        Invariant(
            "picture by sound: SLAVA AV, two terms, above both two-stage",
            above("slava-av2", two_stages),
        ),
        Invariant(
            "picture by sound: three terms above two", above("slava-av3", by_audio["slava-av2"])
        ),
        Invariant(
            "picture by visual captions: AudioCLIP below the others",
            others - by_visual["audioclip"] - 1e-9,
        ),
        Invariant(
            f"picture by sound: SLAVA A&V within {REFERENCE_MARGIN} of the audio-visual reference",
            REFERENCE_MARGIN - distance + 1e-9,
        ),
    ]
