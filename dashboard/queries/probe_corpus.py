"""What a probe measured over its sample, as rows for charts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.carriers import CARRIERS
from pipeline.probes.changes import PERTURBATIONS, Change
from pipeline.probes.curves import curve_points
from pipeline.probes.indices import effect_rows
from pipeline.probes.measured import Measured
from pipeline.probes.score_files import ScoredVariant
from pipeline.probes.score_summary import score_summary
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.verdicts import Index

Floats = NDArray[np.float64]
Groups = tuple[tuple[str, Floats, Floats], ...]

ALL = "All"
_SERIES = (
    ("best", "Own best frame"),
    ("middle", "Own middle frame"),
    ("shift", "Text alone (chance frames)"),
)
_KINDS = {
    Change.PRESENT_ADDED: "Words for what is there",
    Change.ABSENT_ADDED: "Words for what is not there",
    Change.FUNCTION_ADDED: "Function words",
}


def effects(measured: Measured, settings: ProbeSettings) -> pd.DataFrame:
    """What every change does: label, series, value, lower, upper, n."""
    return _rows(
        (row.change.label, series, getattr(row, name))
        for row in effect_rows(measured, settings)
        for name, series in _SERIES
    )


def settings_rows(
    measured: Measured, scored: Sequence[ScoredVariant], settings: ProbeSettings
) -> pd.DataFrame:
    """Mean z under each setting of the score: label, series, value, lower, upper, n."""
    found = score_summary(measured, scored, settings)
    return _rows(
        (
            index.note.removeprefix("mean z of ").split(", hub")[0],
            "Hubs taken out" if "hub-corrected" in index.note else "Cosine",
            index,
        )
        for index in found
    )


def child_rows(indices: Sequence[Index], scale: float) -> pd.DataFrame:
    """One index by child: label, series, value, lower, upper, n; values times `scale`."""
    rows = _rows((ALL if i.scope == "corpus" else i.scope, "", i) for i in indices)
    rows[["value", "lower", "upper"]] *= scale
    return rows


def _rows(found: object) -> pd.DataFrame:
    rows = [
        {
            "label": label,
            "series": series,
            "value": index.value,
            "lower": index.lower,
            "upper": index.upper,
            "n": index.n,
        }
        for label, series, index in found  # type: ignore[attr-defined]
        if index.value is not None
    ]
    frame = pd.DataFrame(rows, columns=["label", "series", "value", "lower", "upper", "n"])
    return frame.astype({"value": float, "lower": float, "upper": float})


def readable_effects(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a dot chart under readable names."""
    named = rows.rename(
        columns={
            "label": "What",
            "series": "Where",
            "value": "Value",
            "lower": "95 % interval from",
            "upper": "95 % interval to",
        }
    )
    return named if rows["series"].any() else named.drop(columns="Where")


def impossible_words(measured: Measured) -> str:
    """Why changes could not be made, in one sentence; "" when all could."""
    parts = []
    for change in PERTURBATIONS:
        reasons = measured.reasons(change)
        if reasons:
            said = "; ".join(f"{n:,} {reason}" for reason, n in reasons)
            parts.append(f"{change.label} ({said})")
    return f"Not possible for some utterances: {', '.join(parts)}." if parts else ""


@dataclass(frozen=True, slots=True, eq=False)
class Carriers:
    """Cosines (n, 12) of carrier sentences with the frames of matching utterances, the share of
    frames for which each is best (12,), the sentences and the noun of each frame."""

    cosines: Floats
    wins: Floats
    sentences: tuple[str, ...]
    words: tuple[str, ...]


def carriers(measured: Measured, settings: ProbeSettings) -> Carriers:
    """Carriers with the noun of the moment, as the index TCI takes them."""
    cosines, _ = measured.by_number(Change.CARRIER_PRESENT, len(CARRIERS))
    has = ~np.isnan(cosines).any(axis=1) & (measured.utterances.z >= settings.hit_z)
    words = measured.words(Change.CARRIER_PRESENT)
    chosen = cosines[has]
    best = chosen.argmax(axis=1) if len(chosen) else np.zeros(0, np.int64)
    wins = np.bincount(best, minlength=len(CARRIERS)) / max(1, len(chosen))
    sentences = tuple(carrier.format(a="a NOUN", the="the NOUN") for carrier in CARRIERS)
    return Carriers(chosen, wins, sentences, tuple(words[i] for i in np.flatnonzero(has)))


def readable_carriers(found: Carriers) -> pd.DataFrame:
    """One row for each frame, one column for each carrier."""
    return pd.DataFrame(found.cosines, columns=list(found.sentences)).assign(Noun=found.words)


def curves(measured: Measured, settings: ProbeSettings, s0: float) -> pd.DataFrame:
    """Curves over matching utterances: kind, k, n, on_frame, on_null."""
    hits = measured.utterances.z >= settings.hit_z
    points = curve_points(measured, s0, settings.most_added, hits)
    return pd.DataFrame(
        [(_KINDS[p.change], p.k, p.n, p.on_frame, p.on_null) for p in points],
        columns=["kind", "k", "n", "on_frame", "on_null"],
    )


def readable_curves(points: pd.DataFrame) -> pd.DataFrame:
    """The points of the curves under readable names."""
    return points.rename(
        columns={
            "kind": "Words",
            "k": "Added",
            "on_frame": "Own best frame (SD)",
            "on_null": "Chance frames (SD)",
        }
    )


def true_and_null(measured: Measured, most_children: int) -> Groups:
    """Cosines as transcribed with own frames (n,) and chance frames (n * K,): of all children,
    then of each, at most so many."""
    found = measured.cosines(Change.RAW)
    children = np.asarray(measured.utterances.child_ids, dtype=object).astype(str)
    groups = [(ALL, found.best, found.null_best.ravel())]
    names = sorted(set(children.tolist()))
    if len(names) > 1:
        groups += [
            (name, found.best[children == name], found.null_best[children == name].ravel())
            for name in names[:most_children]
        ]
    return tuple(groups)


def readable_chance(groups: Groups) -> pd.DataFrame:
    """Means, SDs and numbers behind the violins."""
    return pd.DataFrame(
        [
            {
                "Child": name,
                "Utterances": len(own),
                "Own best frame: mean": float(own.mean()),
                "Own best frame: SD": float(own.std()),
                "Best chance frame: mean": float(chance.mean()),
                "Best chance frame: SD": float(chance.std()),
            }
            for name, own, chance in groups
        ]
    )
