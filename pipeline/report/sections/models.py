"""What predicts alignment: the prepared analyses, each in all its versions, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import pandas as pd

from pipeline import labels
from pipeline.predictors.analysis import AnalysisResult, PublishedEffect
from pipeline.predictors.prepared import AGE_NOTE, FRAMES_NOTE
from pipeline.predictors.words import Outcome, amount, outcome_of, p_words, test_words
from pipeline.report import figures
from pipeline.report.collect import Collected
from pipeline.report.document import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    ReportFigure,
    ReportTable,
    Section,
    Shown,
    count,
    is_missing,
    number,
    text,
)
from pipeline.report.sections.caveats import Caveat
from pipeline.stats.mixed.result import MixedFit

_NOTES = {"duration": FRAMES_NOTE, "age": AGE_NOTE}
_INTRO = (
    "Mixed models with random intercepts of children and recordings, fitted as lme4 does. Linear "
    "models are fitted by REML and tested with Satterthwaite's degrees of freedom, binomial ones "
    "by maximum likelihood. Every question is put in several versions that stand side by side: a "
    "claim that holds in one of them only is no claim. Effects are differences or slopes with 95 % "
    "intervals in the unit of the outcome; for a binomial model the difference of predicted shares."
)


def models(data: Collected) -> Section:
    """Every prepared question with its versions, then the details of all fits."""
    if not data.analyses:
        words = "No model was fitted: no utterance has a score."
        if not data.request.with_models:
            words = "No model was fitted: this report was asked for without them."
        return Section("models", "Models", (Paragraph(words),))
    blocks: list[Block] = [Paragraph(_INTRO)]
    questions = dict.fromkeys(result.analysis.question for result in data.analyses)
    for question in questions:
        own = [result for result in data.analyses if result.analysis.question == question]
        blocks += _question(question, own)
    fitted = [result for result in data.analyses if result.fit is not None]
    if fitted:
        blocks += [Heading("Details of the models"), _details(fitted), *_messages(fitted)]
    return Section("models", "Models", tuple(blocks))


def model_caveats(results: Iterable[AnalysisResult]) -> tuple[Caveat, ...]:
    """Caveats that the fits call for, with how many of them do."""
    found: list[Caveat] = []
    results = tuple(results)
    fits = [result.fit for result in results if result.fit is not None]
    n_singular = sum(fit.is_singular for fit in fits)
    if n_singular:
        found.append(
            (
                "Singular fits.",
                f"In {n_singular} of {labels.plural(len(fits), 'model')} a random effect is "
                "estimated as zero: this study cannot tell it from chance, which does not mean "
                "that it is absent.",
            )
        )
    n_restless = sum(not fit.has_converged for fit in fits)
    if n_restless:
        found.append(
            (
                "Models that did not converge.",
                f"{n_restless} of {len(fits)}: their numbers are not to be relied on.",
            )
        )
    n_without = len(results) - len(fits)
    if n_without:
        found.append(
            (
                "Models that could not be fitted.",
                f"{n_without} of {len(results)}; the reason stands where the result would.",
            )
        )
    n_sampled = sum(r.facts is not None and r.facts.is_sample for r in results)
    if n_sampled:
        found.append(
            (
                "Models of a part of the recordings.",
                f"{n_sampled} of {len(results)} models by utterance rest on recordings drawn at "
                "random, because there are too many utterances.",
            )
        )
    n_tests = sum(len(result.effects) for result in results)
    if n_tests > 1:
        found.append(
            (
                "Many tests.",
                f"{n_tests} effects are tested in all. Corrected p (Holm) takes account of the "
                "effects of one model, not of the number of models.",
            )
        )
    return tuple(found)


def _question(question: str, results: list[AnalysisResult]) -> list[Block]:
    published = results[0].analysis.published
    blocks: list[Block] = [Heading(results[0].analysis.asks)]
    if question in _NOTES:
        blocks.append(Paragraph(_NOTES[question]))
    blocks.append(Bullets(tuple(_versions(results))))
    if published is not None:
        blocks.append(Paragraph(_published(published)))
    rows = _effect_rows(results)
    if not len(rows):
        return blocks
    frame = pd.concat([rows, _published_rows(published)], ignore_index=True)
    if _can_be_drawn(results):
        blocks.append(_figure(question, results[0].analysis.asks, frame))
    blocks.append(_table(question, frame))
    return blocks


def _versions(results: list[AnalysisResult]) -> Iterator[tuple[str, str]]:
    """Each version with what it says; those without a result for the same reason together."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        if result.fit is None:
            reason = f"No result: {result.problem} {result.hint}".strip()
            reasons.setdefault(reason, []).append(result.analysis.version)
        else:
            yield _version(result, result.fit)
    for reason, versions in reasons.items():
        yield f"{'; '.join(versions)}.", reason


def _version(result: AnalysisResult, fit: MixedFit) -> tuple[str, str]:
    sampled = result.facts is not None and result.facts.is_sample
    parts = [
        result.sentence,
        f"n = {labels.plural(fit.n, 'row')}.",
        result.facts.words if sampled and result.facts else "",
        result.analysis.note,
    ]
    return f"{result.analysis.version}.", " ".join(part for part in parts if part)


def _published(effect: PublishedEffect) -> str:
    outcome = Outcome("", "cosine", effect.is_share)
    words = (
        f"{effect.source}: {amount(outcome, effect.estimate, effect.lower, effect.upper)}. "
        f"{effect.note}"
    )
    if effect.is_same_measure:
        return words
    return f"{words} Scores were made otherwise there, so only the direction compares."


def _effect_rows(results: list[AnalysisResult]) -> pd.DataFrame:
    """One row per effect: version, formula, effect, unit, estimate, low, high, p, p_holm, n_rows,
    key, axis."""
    rows = []
    for result in results:
        if result.fit is None:
            continue
        analysis = result.analysis
        outcome = outcome_of(analysis.formula, analysis.family)
        for effect in result.effects:
            rows.append(
                {
                    "key": analysis.key,
                    "version": analysis.version,
                    "effect": effect.words,
                    "unit": "points" if outcome.is_share else outcome.unit,
                    "axis": outcome.difference_axis,
                    "estimate": outcome.scale * effect.estimate,
                    "low": outcome.scale * effect.lower,
                    "high": outcome.scale * effect.upper,
                    "p": effect.p,
                    "p_holm": effect.p_holm,
                    "n_rows": result.fit.n,
                    "formula": analysis.formula,
                }
            )
    return pd.DataFrame(rows)


def _published_rows(effect: PublishedEffect | None) -> pd.DataFrame:
    if effect is None:
        return pd.DataFrame()
    scale = 100.0 if effect.is_share else 1.0
    return pd.DataFrame(
        {
            "key": ["published"],
            "version": [effect.source],
            "effect": ["published" if effect.is_same_measure else "published, scored otherwise"],
            "unit": ["points" if effect.is_share else "cosine"],
            "axis": [""],
            "estimate": [scale * effect.estimate],
            "low": [scale * effect.lower],
            "high": [scale * effect.upper],
            "p": [math.nan],
            "p_holm": [math.nan],
            "n_rows": [math.nan],
            "formula": [""],
        }
    )


def _can_be_drawn(results: list[AnalysisResult]) -> bool:
    """Whether every version has few effects, which say the same in the same words."""
    return all(
        len(result.effects) <= 2 and not any(":" in effect.predictor for effect in result.effects)
        for result in results
    )


def _figure(question: str, asks: str, frame: pd.DataFrame) -> ReportFigure:
    n_effects = frame.groupby("key", sort=False)["effect"].transform("size")
    named = frame.assign(
        label=[
            f"{effect[:1].upper()}{effect[1:]}" if n > 1 else str(version)
            for version, effect, n in zip(frame["version"], frame["effect"], n_effects, strict=True)
        ]
    )
    caption = (
        f"{asks} Estimates with 95 % intervals, one row per version of the model; the line at 0 "
        "is no effect. Panels have different units."
    )
    if (frame["key"] == "published").any():
        caption += " Cross: Tan et al. 2025."
    shown = named[named["key"] != "published"]
    seen = "; ".join(
        f"{row.label}: {row.estimate:.3g} {row.unit} ({row.low:.3g} to {row.high:.3g})"
        for row in shown.itertuples()
    )
    svg = figures.effects(named)
    return ReportFigure(f"model-{question}", caption, f"Dots with intervals. {seen}.", svg, frame)


def _table(question: str, frame: pd.DataFrame) -> ReportTable:
    caption = (
        "Effects of each version. p: two-sided, of no effect; corrected p: after Holm, for the "
        "effects of one model."
    )
    shown = (
        text("Version", "version"),
        text("Effect", "effect"),
        Shown("Estimate [95 %]", ("estimate", "low", "high", "unit"), _amount),
        Shown("p", ("p",), _p),
        Shown("p (Holm)", ("p_holm",), _p),
        count("Rows", "n_rows"),
    )
    return ReportTable(f"model-{question}-effects", caption, frame, shown)


def _amount(estimate: float, low: float, high: float, unit: str) -> str:
    return amount(Outcome("", unit, False), estimate, low, high)


def _p(value: float | None) -> str:
    if is_missing(value) or value is None:
        return labels.NO_VALUE
    return p_words(value).removeprefix("p ").removeprefix("= ")


def _details(fitted: list[AnalysisResult]) -> ReportTable:
    rows = []
    for result in fitted:
        fit = result.fit
        assert fit is not None
        rows.append(
            {
                "key": result.analysis.key,
                "question": result.analysis.asks,
                "version": result.analysis.version,
                "formula": fit.formula,
                "family": fit.family,
                "method": fit.method,
                "p_method": fit.p_method,
                "n_rows": fit.n,
                "n_missing": fit.n_missing,
                "groups": ", ".join(
                    labels.plural(group.n_levels, group.group) for group in fit.groups
                ),
                "random_sd": _random(fit),
                "residual_sd": fit.residual_sd,
                "icc": ", ".join(f"{group} {value:.3f}" for group, value in fit.icc),
                "r2_marginal": fit.r2_marginal,
                "r2_conditional": fit.r2_conditional,
                "loglik": fit.loglik,
                "has_converged": fit.has_converged,
                "is_singular": fit.is_singular,
                "joint_tests": "; ".join(
                    f"{test.predictor}: {test_words(test)}" for test in result.joint_tests
                ),
                "state": _state(fit),
            }
        )
    caption = (
        "All models. SD: of the random effects, in the unit of the outcome (log-odds for binomial "
        "models). R²: of the fixed effects, and with the random ones."
    )
    shown = (
        text("Model", "key"),
        text("Formula", "formula"),
        text("Family", "family"),
        count("Rows", "n_rows"),
        text("Groups", "groups"),
        text("SD", "random_sd"),
        number("R² fixed", "r2_marginal"),
        number("R² all", "r2_conditional"),
        text("Fit", "state"),
    )
    return ReportTable("models", caption, pd.DataFrame(rows), shown)


def _random(fit: MixedFit) -> str:
    parts = [
        f"{effect.group} {effect.sd:.4f}"
        if effect.term == "(Intercept)"
        else f"{effect.group}, {effect.term} {effect.sd:.4f}"
        for effect in fit.random
    ]
    return ", ".join(parts)


def _state(fit: MixedFit) -> str:
    if not fit.has_converged:
        return "not converged"
    return "singular" if fit.is_singular else "sound"


def _messages(fitted: list[AnalysisResult]) -> list[Block]:
    """What the fits have to say, each sentence once, with the models it is about."""
    about: dict[str, list[str]] = {}
    for result in fitted:
        if result.fit is not None:
            for message in result.fit.messages:
                about.setdefault(message, []).append(result.analysis.key)
    if not about:
        return []
    items = tuple(("", f"{message} ({', '.join(keys)})") for message, keys in about.items())
    return [Paragraph("What the fits say of themselves, by model:"), Bullets(items)]
