"""Scores of the sampled utterances under other settings, as a file: text variants, with and
without hubs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.probes.changes import Change
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.material import Material, ProbeUtterance
from pipeline.probes.perturbations import Impossible, nouns_only, photo_of_noun
from pipeline.probes.rows_files import damaged
from pipeline.probes.score_variants import SCORED_TEXTS, VariantScore, variant_score
from pipeline.store.sealed_files import read_sealed_table, write_sealed_table

_ENCODED = 500
_UNKNOWN = VariantScore(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class ScoredVariant:
    """Score of one utterance (its place in the sample) for one text, hubs taken out or not.
    `text` is "" and the score NaN where the utterance has no such text."""

    utterance: int
    change: Change
    is_hub_corrected: bool
    text: str
    score: VariantScore


def scored_variants(material: Material, encodings: TextEncodings) -> tuple[ScoredVariant, ...]:
    """Six scores of every utterance: three texts, as they are and hub-corrected."""
    texts = [
        (place, change, scored_text(utterance, change))
        for place, utterance in enumerate(material.utterances)
        for change in SCORED_TEXTS
    ]
    rows = []
    for start in range(0, len(texts), _ENCODED):
        part = texts[start : start + _ENCODED]
        made = [text for _, _, text in part if text]
        vectors = dict(zip(made, encodings.of(made), strict=True)) if made else {}
        for place, change, text in part:
            frames = material.frames[place]
            hubs = material.hubs[material.utterances[place].child_id]
            for is_corrected in (False, True):
                score = _UNKNOWN
                if text:
                    score = variant_score(frames, vectors[text], hubs if is_corrected else None)
                rows.append(ScoredVariant(place, change, is_corrected, text, score))
    return tuple(rows)


def scored_text(utterance: ProbeUtterance, change: Change) -> str:
    """The text that is scored, "" if the utterance has none."""
    if change is Change.RAW:
        return utterance.text
    if change is Change.NOUNS_ONLY:
        if all(word.is_noun for word in utterance.words):
            return " ".join(word.token for word in utterance.words)
        tokens = nouns_only(utterance.words)
    else:
        tokens = photo_of_noun(utterance.words, utterance.language)
    return "" if isinstance(tokens, Impossible) else " ".join(tokens)


def write_scored(path: Path, scored: tuple[ScoredVariant, ...]) -> None:
    """Write scores; see `read_scored`."""
    table = pa.table(
        {
            "utterance": pa.array([one.utterance for one in scored], pa.int32()),
            "change": pa.array([one.change.value for one in scored], pa.string()),
            "is_hub_corrected": pa.array([one.is_hub_corrected for one in scored], pa.bool_()),
            "text": pa.array([one.text for one in scored], pa.string()),
            "score": pa.array([one.score.score for one in scored], pa.float32()),
            "null_mean": pa.array([one.score.null_mean for one in scored], pa.float32()),
            "null_sd": pa.array([one.score.null_sd for one in scored], pa.float32()),
            "z": pa.array([one.score.z for one in scored], pa.float32()),
        }
    )
    write_sealed_table(path, table)


def read_scored(path: Path) -> tuple[ScoredVariant, ...]:
    """Read scores; StoreError when the file is missing or damaged."""
    try:
        table = read_sealed_table(path)
    except (OSError, ValueError) as problem:
        raise damaged(path) from problem
    columns = (table[name].to_pylist() for name in table.column_names)
    return tuple(
        ScoredVariant(place, Change(change), is_corrected, text, VariantScore(*numbers))
        for place, change, is_corrected, text, *numbers in zip(*columns, strict=True)
    )
