"""Read everything a report needs from the store, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from duckdb import DuckDBPyConnection

from pipeline import labels
from pipeline.exchange.facts import StoreFacts
from pipeline.predictors.analysis import AnalysisResult
from pipeline.predictors.choice import ScoreChoice
from pipeline.predictors.prepared import prepared_analyses
from pipeline.predictors.running import run
from pipeline.records import ModelRef
from pipeline.report import numbers, sample_queries, score_queries
from pipeline.report.human_queries import Validation, read_validation
from pipeline.report.lag_queries import LagProfile, lag_profile
from pipeline.report.request import ReportRequest, check_scores
from pipeline.report.sample_queries import SpeakerOrigins, Totals
from pipeline.report.word_queries import Words, words
from pipeline.schema import CROPS, WINDOWS
from pipeline.stats.bootstrap import Interval
from pipeline.stats.contrasts import Contrast
from pipeline.stats.histogram import (
    bins_of_all,
    expected_bins,
    nice_width,
    spread_of,
    threshold_sweep,
)
from pipeline.word_errors import WordErrors, read_word_errors

OnStep = Callable[[str, float | None], None]
"""Called with what is being done and how far it is (0-1)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was recorded and what is missing. Frames are as `sample_queries` gives them."""

    totals: Totals
    recordings: pd.DataFrame
    failures: pd.DataFrame
    qualities: pd.DataFrame
    origins: SpeakerOrigins
    word_errors: tuple[WordErrors, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares and distributions under the report's setting.

    counts: per recording and speaker. by_child, by_speaker: shares with chance. bins, chance_bins:
    per child with bin_start, share; all_bins (n) and all_chance (share) of all children.
    """

    counts: pd.DataFrame
    share: Interval
    mean: Interval
    chance: float
    excess: Contrast | None
    n_with_null: int
    by_child: pd.DataFrame
    by_speaker: pd.DataFrame
    width: float
    all_bins: pd.DataFrame
    all_chance: pd.DataFrame
    bins: pd.DataFrame
    chance_bins: pd.DataFrame
    sweep: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Collected:
    """All that was read."""

    request: ReportRequest
    facts: StoreFacts
    sample: Sample
    scores: Scores
    settings: pd.DataFrame
    lags: LagProfile | None
    analyses: tuple[AnalysisResult, ...]
    words: Words | None
    validation: Validation

    @property
    def model(self) -> ModelRef:
        return self.facts.model(self.request.setting.scorer)

    @property
    def n_utterances(self) -> int:
        return int(self.scores.counts["n_utterances"].sum())

    @property
    def has_chance(self) -> bool:
        return not math.isnan(self.scores.chance)


def collect(
    con: DuckDBPyConnection,
    study_root: Path | None,
    facts: StoreFacts,
    request: ReportRequest,
    on_step: OnStep,
) -> Collected:
    """Read it all. Raises StoreError when there is no utterance to report on."""
    on_step("Counting", 0.0)
    counts = score_queries.counts_by_recording(con, request.choice)
    check_scores(len(counts))
    sample = _sample(con, study_root, request)
    on_step("Distributions", 0.1)
    scores = _scores(con, request.choice, counts)
    on_step("Crops and windows", 0.2)
    settings = _settings(con, request.choice)
    on_step("Lag profile", 0.35)
    lags = lag_profile(con, request.choice)
    is_fitted = request.with_models and int(scores.share.n) > 0
    analyses = _analyses(con, request.choice, on_step) if is_fitted else ()
    on_step("Words", 0.8)
    found = words(con, request.choice)
    validation = Validation()
    if study_root is not None:
        validation = read_validation(
            con,
            study_root,
            request.setting.scorer,
            with_models=request.with_models,
            on_step=lambda what: on_step(f"Human validation: {what.lower()}", 0.82),
        )
    return Collected(request, facts, sample, scores, settings, lags, analyses, found, validation)


def _analyses(
    con: DuckDBPyConnection, choice: ScoreChoice, on_step: OnStep
) -> tuple[AnalysisResult, ...]:
    prepared = prepared_analyses(con, choice)
    found = []
    for place, analysis in enumerate(prepared):
        on_step(f"Model {place + 1} of {len(prepared)}", 0.4 + 0.4 * place / len(prepared))
        found.append(run(con, analysis, with_curves=False))
    return tuple(found)


def _sample(con: DuckDBPyConnection, study_root: Path | None, request: ReportRequest) -> Sample:
    recordings = sample_queries.recordings(con, request.scope.recordings)
    return Sample(
        sample_queries.totals(recordings),
        recordings,
        sample_queries.failures(con),
        score_queries.qualities(con, request.choice),
        sample_queries.speaker_origins(con),
        () if study_root is None else _word_errors(study_root),
    )


def _word_errors(study_root: Path) -> tuple[WordErrors, ...]:
    return read_word_errors(study_root / "derived")


def _scores(con: DuckDBPyConnection, choice: ScoreChoice, counts: pd.DataFrame) -> Scores:
    cells = score_queries.null_cells(con, choice)
    width = _width(counts)
    bins = score_queries.score_bins(con, choice, width)
    fine = score_queries.score_bins(con, choice, width / 4)
    all_bins = bins_of_all(bins)
    nulls = score_queries.null_sums(con, choice)
    by_speaker_cells = score_queries.null_cells(con, choice, "speaker")
    return Scores(
        counts=counts,
        share=numbers.overall_share(counts),
        mean=numbers.mean_score(counts),
        chance=numbers.chance_share(cells, choice.threshold),
        excess=numbers.excess_over_chance(nulls),
        n_with_null=int(cells["n"].sum()),
        by_child=_with_chance(
            numbers.shares_by_child(counts), cells, nulls, "child_id", choice.threshold
        ),
        by_speaker=_with_chance(
            numbers.shares_by_speaker(counts), by_speaker_cells, nulls, "speaker", choice.threshold
        ),
        width=width,
        all_bins=all_bins,
        all_chance=expected_bins(cells, all_bins, width),
        bins=_as_shares(bins),
        chance_bins=_chance_by_child(bins, cells, width),
        sweep=threshold_sweep(fine, cells, width / 4),
    )


def _width(counts: pd.DataFrame) -> float:
    n = float(counts["n_scored"].sum())
    spread = spread_of(float(counts["sum_score"].sum()), float(counts["sum_sq"].sum()), n)
    return nice_width(spread, n)


def _with_chance(
    shares: pd.DataFrame, cells: pd.DataFrame, nulls: pd.DataFrame, key: str, threshold: float
) -> pd.DataFrame:
    chance = numbers.chance_by(cells, key, threshold)
    excess = numbers.excess_by(nulls, key)
    return shares.merge(chance, on=key, how="left").merge(excess, on=key, how="left")


def _as_shares(bins: pd.DataFrame) -> pd.DataFrame:
    n = bins.groupby("child_id")["n"].transform("sum")
    return bins.assign(share=bins["n"] / n)


def _chance_by_child(bins: pd.DataFrame, cells: pd.DataFrame, width: float) -> pd.DataFrame:
    parts = [pd.DataFrame({"child_id": [], "bin_start": [], "n": [], "share": []})]
    for child, own in bins.groupby("child_id", sort=True):
        expected = expected_bins(cells[cells["child_id"] == child], own, width)
        parts.append(expected.assign(child_id=child))
    kept = [part for part in parts if len(part)]
    return pd.concat(kept, ignore_index=True) if kept else parts[0]


def _settings(con: DuckDBPyConnection, choice: ScoreChoice) -> pd.DataFrame:
    """Every crop under every stored window, and the report's own setting, one row each.

    crop, window, label, is_reference, n, share, low, high, chance, excess, excess_low,
    excess_high; then over the utterances that
    also have a score under the report's setting: n_both, change, change_low, change_high (of the
    share), gained, lost, mean_change, mean_change_low, mean_change_high.
    """
    crops = score_queries.crops_with_scores(con, choice.scorer, CROPS)
    pairs = [(crop, window) for crop in crops for window in WINDOWS]
    if (choice.crop, choice.window) not in pairs:
        pairs.insert(0, (choice.crop, choice.window))
    rows = [_setting(con, choice, replace(choice, crop=c, window=w)) for c, w in pairs]
    found = pd.DataFrame(rows)
    return found[found["n"] > 0].reset_index(drop=True)


def _setting(
    con: DuckDBPyConnection, reference: ScoreChoice, other: ScoreChoice
) -> dict[str, object]:
    is_reference = reference == other
    own = score_queries.paired_counts(con, other, other)
    share = numbers.share_of_pairs(own)
    cells = score_queries.null_cells(con, other)
    paired = own if is_reference else score_queries.paired_counts(con, reference, other)
    excess = numbers.excess_over_chance(score_queries.null_sums(con, other))
    change, mean = numbers.share_change(paired), numbers.mean_difference(paired)
    nan = math.nan
    window = labels.window(other.window)
    return {
        "crop": other.crop,
        "window": other.window,
        "label": f"{labels.CROPS[other.crop]}, {window.lower() if window[0].isalpha() else window}",
        "is_reference": is_reference,
        "n": int(share.n),
        "share": share.estimate,
        "low": share.low,
        "high": share.high,
        "chance": numbers.chance_share(cells, other.threshold),
        "excess": nan if excess is None else excess.interval.estimate,
        "excess_low": nan if excess is None else excess.interval.low,
        "excess_high": nan if excess is None else excess.interval.high,
        "n_both": int(paired["n_both"].sum()),
        "change": nan if is_reference else change.estimate,
        "change_low": nan if is_reference else change.low,
        "change_high": nan if is_reference else change.high,
        "gained": int(paired["gained"].sum()),
        "lost": int(paired["lost"].sum()),
        "mean_change": nan if is_reference else mean.estimate,
        "mean_change_low": nan if is_reference else mean.low,
        "mean_change_high": nan if is_reference else mean.high,
    }
