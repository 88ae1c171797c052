"""What a person chooses for a run, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.records import StageFailure
from pipeline.store.layout import Stage


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the person chose for this run.

    `stage` "" means all stages and the store; `engine` is local or ray; `address` "" means a Ray
    of our own on this machine; `n_workers` 0 leaves the number to the engine: one here, and one
    for each GPU (or four CPUs) of a Ray cluster.

    Raises SettingsError for a choice that does not exist.
    """

    stage: str = ""
    device: str = "auto"
    n_workers: int = 0
    engine: str = "local"
    address: str = ""

    def __post_init__(self) -> None:
        _one_of("stage", self.stage, ("", *(stage.value for stage in Stage), "publish"))
        _one_of("device", self.device, ("auto", "cpu", "cuda"))
        _one_of("engine", self.engine, ("local", "ray"))
        if self.address and self.engine != "ray":
            raise SettingsError("An address is for Ray only.", hint="Add --engine ray.")


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run left: the store (None before the first publish) and what failed."""

    store: Path | None
    is_new_store: bool
    n_recordings: int
    failures: tuple[StageFailure, ...]


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingsError(
            f"There is no {name} {value!r}.",
            hint=f"Choose one of: {', '.join(choice for choice in choices if choice)}.",
        )
