"""A probe block by block: variants are made, encoded and compared with frames.

A block that was written before is read instead, so a stopped probe goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.probes.changes import Change
from pipeline.probes.cosines import VariantCosines, variant_cosines
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.material import Material
from pipeline.probes.measured import Measured, SampledUtterances, VariantRows, place_of
from pipeline.probes.plan import Variant, variants_of
from pipeline.probes.settings import ProbeSettings

BLOCK = 50
"""Utterances of a block: a few thousand texts."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How finished blocks are kept: `read` gives the rows of a block, None if it must be made."""

    read: Callable[[int], VariantRows | None]
    write: Callable[[int, VariantRows], None]


def measure(
    material: Material,
    encodings: TextEncodings,
    settings: ProbeSettings,
    keep: Keep | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Measured:
    """Cosines of every variant of every utterance; on_progress is told (utterances done, all)."""
    n = len(material.utterances)
    parts: list[VariantRows] = []
    on_progress(0, n)
    for number, start in enumerate(range(0, n, BLOCK)):
        stop = min(start + BLOCK, n)
        rows = keep.read(number) if keep is not None else None
        if rows is None:
            rows = _block(material, encodings, settings, range(start, stop))
            if keep is not None:
                keep.write(number, rows)
        parts.append(rows)
        on_progress(stop, n)
    return Measured(sampled_utterances(material), joined(parts))


def sampled_utterances(material: Material) -> SampledUtterances:
    """The utterances of a material as columns."""
    mine = material.utterances
    return SampledUtterances(
        tuple(u.recording_id for u in mine),
        tuple(u.utterance_id for u in mine),
        tuple(u.child_id for u in mine),
        np.array([u.onset_ms for u in mine], np.int64),
        np.array([u.offset_ms for u in mine], np.int64),
        tuple(u.text for u in mine),
        tuple(u.language for u in mine),
        np.array([u.z for u in mine], np.float64),
        np.array([u.null_mean for u in mine], np.float64),
        np.array([u.null_sd for u in mine], np.float64),
        np.array([u.has_object for u in mine], np.bool_),
    )


def joined(parts: Sequence[VariantRows]) -> VariantRows:
    """Rows of blocks, one behind the other."""
    return VariantRows(
        np.concatenate([part.utterance for part in parts]),
        np.concatenate([part.change for part in parts]),
        np.concatenate([part.number for part in parts]),
        tuple(text for part in parts for text in part.text),
        tuple(word for part in parts for word in part.word),
        tuple(reason for part in parts for reason in part.reason),
        np.concatenate([part.best for part in parts]),
        np.concatenate([part.middle for part in parts]),
        np.concatenate([part.null_best for part in parts]),
        np.concatenate([part.null_middle for part in parts]),
    )


def _block(
    material: Material, encodings: TextEncodings, settings: ProbeSettings, places: range
) -> VariantRows:
    variants = {
        place: variants_of(material.utterances[place], material.knowledge, settings)
        for place in places
    }
    texts = list(dict.fromkeys(v.text for mine in variants.values() for v in mine if not v.reason))
    row_of = {text: row for row, text in enumerate(texts)}
    vectors = encodings.of(texts)
    parts = []
    for place, mine in variants.items():
        made = [variant for variant in mine if not variant.reason]
        raw = next(variant for variant in made if variant.change is Change.RAW)
        found = variant_cosines(
            material.frames[place],
            vectors[row_of[raw.text]],
            vectors[[row_of[variant.text] for variant in made]],
        )
        parts.append(variant_rows(place, mine, found))
    return joined(parts)


def variant_rows(place: int, variants: Sequence[Variant], found: VariantCosines) -> VariantRows:
    """Rows of one utterance; `found` belongs to the variants that could be made, in order."""
    has_text = np.array([not variant.reason for variant in variants])

    def filled(
        values: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        result = np.full((len(variants), *values.shape[1:]), np.nan)
        result[has_text] = values
        return result

    return VariantRows(
        np.full(len(variants), place, np.int64),
        np.array([place_of(variant.change) for variant in variants], np.int64),
        np.array([variant.number for variant in variants], np.int64),
        tuple(variant.text for variant in variants),
        tuple(variant.word for variant in variants),
        tuple(variant.reason for variant in variants),
        filled(found.best),
        filled(found.middle),
        filled(found.null_best),
        filled(found.null_middle),
    )
