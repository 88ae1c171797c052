"""Does the pipeline find what is known to be true of the demo study?

    python -m benchmarks.demo_truth demo-study

Matches the rows of truth.csv to the store's utterances by greatest overlap in time, prints each
figure with its target, and exits with 1 if one is missed.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CoviewError, StoreError
from pipeline.records import TimeSpan
from pipeline.store.locate import current_store_path

Floats = NDArray[np.float64]

_SETTINGS = (("center", "strict"), ("pad", "strict"), ("center", "2s"))


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One line of truth.csv."""

    recording_id: str
    span: TimeSpan
    named_word: str
    case: str


@dataclass(frozen=True, slots=True)
class StoredUtterance:
    """One utterance of the store, with z and cosine by (crop, window); NaN where missing."""

    recording_id: str
    child_id: str
    span: TimeSpan
    z: dict[tuple[str, str], float]
    max_cosine: float


@dataclass(frozen=True, slots=True)
class Match:
    """A truth row and the utterance that overlaps it most."""

    truth: TruthRow
    utterance: StoredUtterance


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, the range it must lie in, and how many utterances or children it rests on."""

    name: str
    value: float
    low: float
    high: float
    n: str

    @property
    def is_met(self) -> bool:
        return self.low <= self.value <= self.high


def read_truth(path: Path) -> tuple[TruthRow, ...]:
    with path.open(encoding="utf-8", newline="") as handle:
        return tuple(
            TruthRow(
                row["recording_id"],
                TimeSpan(int(row["onset_ms"]), int(row["offset_ms"])),
                row["named_word"],
                row["case"],
            )
            for row in csv.DictReader(handle)
        )


def read_utterances(store: duckdb.DuckDBPyConnection, scorer: str) -> tuple[StoredUtterance, ...]:
    """All utterances with their scores by `scorer`."""
    rows = store.execute(
        """
        SELECT u.recording_id, r.child_id, u.onset_ms, u.offset_ms,
               s.crop, s."window", s.z, s.max_cosine, u.utterance_id
        FROM utterances u
        JOIN recordings r USING (recording_id)
        LEFT JOIN scores s
          ON s.recording_id = u.recording_id AND s.utterance_id = u.utterance_id AND s.scorer = ?
        ORDER BY u.recording_id, u.onset_ms, u.utterance_id
        """,
        [scorer],
    ).fetchall()
    by_key: dict[tuple[str, str], StoredUtterance] = {}
    for recording_id, child_id, onset, offset, crop, window, z, cosine, utterance_id in rows:
        key = (recording_id, utterance_id)
        old = by_key.get(key)
        strict = (
            _number(cosine)
            if (crop, window) == _SETTINGS[0]
            else (old.max_cosine if old is not None else float("nan"))
        )
        scores = dict(old.z) if old is not None else {}
        scores[crop, window] = _number(z)
        by_key[key] = StoredUtterance(
            recording_id, child_id, TimeSpan(onset, offset), scores, strict
        )
    return tuple(by_key.values())


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def matches(truth: Sequence[TruthRow], utterances: Sequence[StoredUtterance]) -> tuple[Match, ...]:
    """Truth and utterances paired by greatest overlap; each utterance is used at most once."""
    by_recording: dict[str, list[StoredUtterance]] = {}
    for utterance in utterances:
        by_recording.setdefault(utterance.recording_id, []).append(utterance)
    overlaps = sorted(
        (
            (row.span.overlap_ms(utterance.span), -i, -j)
            for i, row in enumerate(truth)
            for j, utterance in enumerate(by_recording.get(row.recording_id, ()))
        ),
        reverse=True,
    )
    used_rows: set[int] = set()
    used_utterances: set[tuple[str, int]] = set()
    found: list[Match] = []
    for overlap_ms, minus_i, minus_j in overlaps:
        if overlap_ms <= 0:
            break
        row = truth[-minus_i]
        key = (row.recording_id, -minus_j)
        if -minus_i in used_rows or key in used_utterances:
            continue
        used_rows.add(-minus_i)
        used_utterances.add(key)
        found.append(Match(row, by_recording[row.recording_id][-minus_j]))
    return tuple(found)


def auc(positives: Floats, negatives: Floats) -> float:
    """P(a positive is above a negative), ties counting half."""
    above = (positives[:, None] > negatives[None, :]).mean()
    ties = (positives[:, None] == negatives[None, :]).mean()
    return float(above + ties / 2)


def spearman(a: Floats, b: Floats) -> float:
    """Correlation of mean ranks; NaN if all values of one side are the same."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: Floats) -> Floats:
    return np.array([(values < v).sum() + ((values == v).sum() - 1) / 2 for v in values])


def _z(found: Sequence[Match], cases: Sequence[str], crop: str, window: str) -> Floats:
    """z of the matched utterances of these cases, the missing ones left out."""
    values = np.array(
        [m.utterance.z.get((crop, window), np.nan) for m in found if m.truth.case in cases],
        dtype=np.float64,
    )
    return values[~np.isnan(values)]


def figures(
    truth: Sequence[TruthRow],
    utterances: Sequence[StoredUtterance],
    found: Sequence[Match],
    threshold: float,
) -> tuple[Figure, ...]:
    """Every figure with its target."""

    def against_absent(case: str, crop: str, window: str, low: float, high: float) -> Figure:
        these = _z(found, (case,), crop, window)
        absent = _z(found, ("absent",), crop, window)
        return Figure(
            f"AUC of z, {case} against absent, {crop} crop, {window} window",
            auc(these, absent),
            low,
            high,
            f"{len(these)}, {len(absent)}",
        )

    unnamed = _z(found, ("absent", "none"), "center", "strict")
    child_of = {u.recording_id: u.child_id for u in utterances}
    children = sorted(set(child_of.values()))
    known = np.array(
        [
            np.mean([r.case == "center" for r in truth if child_of.get(r.recording_id) == child])
            for child in children
        ]
    )
    scored = [u for u in utterances if not np.isnan(u.max_cosine)]
    measured = np.array(
        [
            np.mean([u.max_cosine > threshold for u in scored if u.child_id == child])
            for child in children
        ]
    )
    n_unnamed = str(len(unnamed))
    return (
        Figure("truth rows matched to an utterance", len(found) / len(truth), 0.9, 1.0,
               f"{len(found)} of {len(truth)}"),
        against_absent("center", "center", "strict", 0.95, 1.0),
        against_absent("edge", "pad", "strict", 0.90, 1.0),
        against_absent("edge", "center", "strict", 0.0, 0.80),
        against_absent("lagged", "center", "2s", 0.90, 1.0),
        against_absent("lagged", "center", "strict", 0.0, 0.80),
        Figure(
            f"Spearman over children, share above {threshold:.3f} and true share of center",
            spearman(measured, known), 0.8, 1.0, f"{len(children)} children",
        ),
        Figure("mean z of absent and none", float(unnamed.mean()), -0.15, 0.15, n_unnamed),
        Figure("SD of z of absent and none", float(unnamed.std(ddof=1)), 0.8, 1.2, n_unnamed),
    )  # fmt: skip


def measure(study: Path, scorer: str) -> tuple[Figure, ...]:
    """Read the store and truth of a study. Raises StoreError if either cannot be used."""
    path = current_store_path(study)
    if path is None:
        raise StoreError(
            f"{study.name} has no store yet.", hint="Run: python -m pipeline run STUDY"
        )
    truth_path = study / "truth.csv"
    if not truth_path.is_file():
        raise StoreError(f"{study.name} has no truth.csv.", hint="Only the demo study has one.")
    truth = read_truth(truth_path)
    with duckdb.connect(str(path), read_only=True) as store:
        models = dict(store.execute("SELECT scorer, default_threshold FROM models").fetchall())
        chosen = scorer or next(iter(sorted(models)), "")
        threshold = models.get(chosen)
        if threshold is None:
            raise StoreError(
                f"The store has no default threshold for the scorer {chosen or '(none)'}.",
                hint=f"Scorers in it: {', '.join(sorted(models)) or 'none'}.",
            )
        utterances = read_utterances(store, chosen)
    return figures(truth, utterances, matches(truth, utterances), float(threshold))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--scorer", default="", help="default: the first scorer of the store")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    try:
        found = measure(chosen.study, chosen.scorer)
    except CoviewError as problem:
        print(problem, file=sys.stderr)
        return int(problem.exit_code)
    if chosen.as_json:
        print(json.dumps([{**asdict(f), "is_met": f.is_met} for f in found], indent=1))
    else:
        width = max(len(f.name) for f in found)
        for f in found:
            verdict = "pass" if f.is_met else "MISS"
            print(f"{verdict}  {f.name:<{width}}  {f.value:7.3f}  [{f.low:g}, {f.high:g}]  n {f.n}")
    return 0 if all(f.is_met for f in found) else 1


if __name__ == "__main__":
    sys.exit(main())
