"""What is known of the probes of a store's scorers, and whether they are of this store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.errors import StoreError
from pipeline.probes.results import FinishedProbe, read_probe
from pipeline.records import ModelRef


class ProbeState(str, Enum):
    """Whether a scorer has a probe that can be shown, and if not, why."""

    READY = "ready"
    OTHER_STORE = "other store"
    OTHER_MODEL = "other model"
    MISSING = "missing"
    DAMAGED = "damaged"
    NO_MODEL = "no model"

    @property
    def has_results(self) -> bool:
        return self in (ProbeState.READY, ProbeState.OTHER_STORE, ProbeState.OTHER_MODEL)


@dataclass(frozen=True, slots=True)
class ScorerProbe:
    """A scorer and its last finished probe; `key` names what was read, for caches."""

    model: ModelRef
    state: ProbeState
    probe: FinishedProbe | None = None
    key: str = ""

    @property
    def scorer(self) -> str:
        return self.model.scorer


def scorer_probes(
    con: DuckDBPyConnection, derived: Path, models: Sequence[ModelRef]
) -> tuple[ScorerProbe, ...]:
    """The probe of every scorer, those with results first. Further settings of a model's score are
    left out: its probe is about its vectors, whatever is made of them."""
    row = con.execute("SELECT measured FROM store_info").fetchone()
    measured = str(row[0] or "") if row else ""
    found = [
        _scorer_probe(derived, model, measured) for model in models if model.base == model.scorer
    ]
    return tuple(sorted(found, key=lambda one: not one.state.has_results))


def _scorer_probe(derived: Path, model: ModelRef, measured: str) -> ScorerProbe:
    if not model.dim:
        return ScorerProbe(model, ProbeState.NO_MODEL)
    try:
        probe = read_probe(derived, model.scorer)
    except StoreError:
        return ScorerProbe(model, ProbeState.DAMAGED)
    if probe is None:
        return ScorerProbe(model, ProbeState.MISSING)
    identity = probe.identity
    state = (
        ProbeState.OTHER_MODEL
        if identity.revision != model.revision
        else ProbeState.OTHER_STORE
        if identity.inputs != measured
        else ProbeState.READY
    )
    changed_ns = max(path.stat().st_mtime_ns for path in probe.folder.iterdir())
    return ScorerProbe(model, state, probe, f"{probe.folder} {changed_ns}")
