"""How far scores stand above chance under each setting: three texts, with hubs and without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.probe_tables import CORPUS
from pipeline.probes.effects import Effects
from pipeline.probes.measured import Measured
from pipeline.probes.scope import Scope
from pipeline.probes.score_files import ScoredVariant
from pipeline.probes.score_variants import SCORED_TEXTS
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.verdicts import Index


def score_summary(
    measured: Measured, scored: Sequence[ScoredVariant], settings: ProbeSettings
) -> tuple[Index, ...]:
    """Mean z of each setting over utterances that have all three texts, so that settings are
    compared on the same ones; chance is 0."""
    n = len(measured.utterances)
    z = np.full((n, len(SCORED_TEXTS), 2), np.nan)
    for one in scored:
        place = SCORED_TEXTS.index(one.change)
        z[one.utterance, place, int(one.is_hub_corrected)] = one.score.z
    z[np.isnan(z).any(axis=(1, 2))] = np.nan
    scope = Scope(CORPUS, np.ones(n, np.bool_), Effects(measured, settings.hit_z), settings)
    return tuple(
        scope.mean(
            f"{change.value}{', hubs taken out' if is_corrected else ''}",
            z[:, place, is_corrected],
            f"mean z of {change.label}{', hub-corrected' if is_corrected else ''}",
        )
        for place, change in enumerate(SCORED_TEXTS)
        for is_corrected in (0, 1)
    )
