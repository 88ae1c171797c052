"""Train systems on a study's clips and test them on recordings they have not learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.sound.clip_set import SplitSets
from pipeline.sound.evaluate import evaluate
from pipeline.sound.prepared import PreparedStudy
from pipeline.sound.recall_files import write_rows
from pipeline.sound.runs import RunInputs, write_run
from pipeline.sound.splits import SplitBy
from pipeline.sound.study_clips import TextChoice, fitted_system
from pipeline.sound.systems import System
from pipeline.sound.training import TrainingSettings, train
from pipeline.sound_results import RecallRow

OnSystem = Callable[[System, int, int], None]
"""Told the system that is being trained, epochs done and epochs in all."""


@dataclass(frozen=True, slots=True)
class LearningChoice:
    """What is learnt from, how clips are split, and the seed of heads, batches and split."""

    text: TextChoice = TextChoice.AUTO
    split_by: SplitBy = SplitBy.RECORDING
    seed: int = 1

    def inputs(self, ready: PreparedStudy, said: str) -> RunInputs:
        """What a run depends on; `said` is told by `fitted_system`."""
        return RunInputs(
            ready.feature_settings.fingerprint,
            ready.digest,
            self.text,
            said,
            self.split_by,
            TrainingSettings(),
        )


@dataclass(frozen=True, slots=True)
class TrainedStudy:
    """The parts the clips were split into, and the recall of each system in the test part."""

    sets: SplitSets
    rows: tuple[RecallRow, ...]


def train_on_study(
    systems: Sequence[System],
    ready: PreparedStudy,
    choice: LearningChoice,
    derived: Path,
    on_system: OnSystem | None = None,
) -> TrainedStudy:
    """Train and test the systems one after the other; heads and recall are kept below `derived`.

    Raises StudyError before anything is trained when a system lacks captions it needs, or when
    there are too few recordings or clips.
    """
    fitted = [fitted_system(system, ready.learn) for system in systems]
    sets = ready.learn.parts(choice.split_by, choice.seed)
    rows: list[RecallRow] = []
    for system, said in fitted:

        def told(done: int, total: int, system: System = system) -> None:
            if on_system is not None:
                on_system(system, done, total)

        found = train(system, sets.train, sets.validation, seed=choice.seed, on_epoch=told)
        folder = write_run(derived, found, choice.inputs(ready, said))
        mine = evaluate(found.heads, system.name, sets.test, seed=choice.seed, text=said)
        write_rows(folder, mine)
        rows += mine
    return TrainedStudy(sets, tuple(rows))
