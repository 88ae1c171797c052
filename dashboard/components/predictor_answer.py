"""The answer to a question: one sentence, and its versions side by side with what was published."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.predictors import Reference, effects
from dashboard.components.figure import current_look, show_figure
from pipeline.predictors.analysis import Analysis, AnalysisResult, PublishedEffect
from pipeline.predictors.columns import BY_NAME
from pipeline.predictors.contrasts import Effect
from pipeline.predictors.prepared import MAIN_VERSIONS, QUESTION_NOTES
from pipeline.predictors.words import Outcome, amount, outcome_of, p_words, sample_size

_SURE_BELOW = 0.05


def main_result(results: Sequence[AnalysisResult]) -> AnalysisResult:
    """The version whose answer is the page's: that of its question, else the first with a fit."""
    wanted = MAIN_VERSIONS.get(results[0].analysis.question, ())
    known = {result.analysis.key: result for result in results if result.fit is not None}
    return next((known[key] for key in (*wanted, *known) if key in known), results[0])


def headline(result: AnalysisResult) -> None:
    """The sentence of a model, or why there is none and what would help."""
    if result.fit is not None:
        st.markdown(f"### {result.sentence}")
        for sentence in result.sentences[1:]:
            st.markdown(sentence)
        return
    st.info(result.problem, icon=":material/block:")
    if result.hint:
        st.markdown(f"**What would help.** {result.hint}")


def versions(results: Sequence[AnalysisResult]) -> None:
    """The effects asked about under every version, one chart for each unit of the outcome."""
    known = [result for result in results if result.effects]
    units = list(dict.fromkeys(_unit(_outcome(r.analysis)) for r in known))
    if known:
        for column, unit in zip(_columns(len(units)), units, strict=True):
            with column:
                _chart([r for r in known if _unit(_outcome(r.analysis)) == unit])
    note = QUESTION_NOTES.get(results[0].analysis.question)
    if note and known and len(results) > 1:
        st.markdown(note)
    for result in results:
        if result.fit is None and len(results) > 1:
            st.caption(f"**{result.analysis.version}**: no result. {result.problem}")


def _columns(n: int) -> Sequence[st.delta_generator.DeltaGenerator]:
    return st.columns(n, gap="large") if n > 1 else [st.container()]


def _chart(results: Sequence[AnalysisResult]) -> None:
    outcome = _outcome(results[0].analysis)
    single = all(len(result.effects) == 1 for result in results)
    rows = pd.DataFrame(
        [_row(result, effect, outcome, single) for result in results for effect in result.effects]
    )
    published = results[0].analysis.published
    # A chart in another unit than the published one has no place for it.
    is_drawn = published is not None and _fits(published, outcome)
    show_figure(
        effects(
            rows,
            x_title=_axis(results, outcome, single),
            reference=_reference(published, outcome) if published and is_drawn else None,
            look=current_look(),
        ),
        key=f"effects_{results[0].analysis.key}",
        title=results[0].analysis.asks,
        caption=_caption(results, published if is_drawn else None),
        table=_table(results, outcome),
    )


def _row(
    result: AnalysisResult, effect: Effect, outcome: Outcome, single: bool
) -> dict[str, object]:
    size = amount(outcome, effect.estimate, effect.lower, effect.upper)
    text = f"{result.analysis.version}<br>{effect.words}: {size}<br>{p_words(effect.p)}"
    if effect.p_holm > effect.p:
        text += f", Holm-corrected {p_words(effect.p_holm)}"
    assert result.fit is not None
    n = f"<br><span style='font-size:11px'>n = {labels.plural(result.fit.n, 'row')}</span>"
    return {
        "label": f"{result.analysis.version}{n}" if single else _comparison(effect),
        "series": "" if single else result.analysis.version,
        "estimate": outcome.scale * effect.estimate,
        "lower": outcome.scale * effect.lower,
        "upper": outcome.scale * effect.upper,
        "text": text,
    }


def _comparison(effect: Effect) -> str:
    """'adult against child', 'age, for each month of age'."""
    if not effect.words.startswith("for ") or effect.predictor not in BY_NAME:
        return effect.words
    return f"{BY_NAME[effect.predictor].words}, {effect.words}"


def _axis(results: Sequence[AnalysisResult], outcome: Outcome, single: bool) -> str:
    words = "Difference"
    if single:
        words = results[0].effects[0].words
        words = f"change {words}" if words.startswith("for ") else words
    unit = _unit(outcome)
    return f"{words[:1].upper()}{words[1:]}" + (f" ({unit})" if unit else "")


def _unit(outcome: Outcome) -> str:
    """Unit of differences: versions of one unit share a chart."""
    return "percentage points" if outcome.is_share else outcome.unit


def _fits(published: PublishedEffect, outcome: Outcome) -> bool:
    return outcome.is_share == published.is_share and (outcome.is_share or outcome.unit == "cosine")


def _reference(published: PublishedEffect, outcome: Outcome) -> Reference:
    return Reference(
        published.source,
        outcome.scale * published.estimate,
        outcome.scale * published.lower,
        outcome.scale * published.upper,
    )


def _caption(results: Sequence[AnalysisResult], published: PublishedEffect | None) -> str:
    sentences = ["Intervals: 95 %."]
    if published is not None:
        sentences.append(f"Diamond and band: {published.source}. {published.note}")
        if not published.is_same_measure:
            sentences.append(
                "Their scores are maxima of OpenAI’s CLIP ViT-B/32, centre crop, frames during the "
                "utterance, highly aligned from .24; these are made otherwise, so compare "
                "directions, not sizes."
            )
    sizes = {f"{_n(result)}{_corrected(result)}" for result in results}
    if len(sizes) == 1:
        sentences.append(f"n = {sizes.pop()}.")
    else:
        sentences += [f"{r.analysis.version}: n = {_n(r)}{_corrected(r)}." for r in results]
    return " ".join(sentences)


def _n(result: AnalysisResult) -> str:
    assert result.fit is not None
    words = f"{labels.plural(result.fit.n, 'row')}, {sample_size(result.fit)}"
    facts = result.facts
    if facts is not None and facts.is_sample:
        words += f" (drawn from {labels.count(facts.n_recordings_scored)}, seed {facts.seed})"
    return words


def _corrected(result: AnalysisResult) -> str:
    """Which of several effects stand after correction for their number."""
    if len(result.effects) < 2:
        return ""
    standing = [effect for effect in result.effects if effect.p_holm < _SURE_BELOW]
    head = f"; corrected for {labels.plural(len(result.effects), 'comparison')} (Holm)"
    if not standing:
        return f"{head} none is below .05"
    listed = ", ".join(f"{effect.words} ({p_words(effect.p_holm)})" for effect in standing)
    return f"{head} below .05: {listed}"


def _table(results: Sequence[AnalysisResult], outcome: Outcome) -> pd.DataFrame:
    unit = _unit(outcome)
    rows = [
        {
            "Version": result.analysis.version,
            "Comparison": _comparison(effect),
            f"Estimate ({unit})": outcome.scale * effect.estimate,
            "95 % from": outcome.scale * effect.lower,
            "95 % to": outcome.scale * effect.upper,
            "p": effect.p,
            "p, Holm": math.nan if len(result.effects) == 1 else effect.p_holm,
        }
        for result in results
        for effect in result.effects
    ]
    return pd.DataFrame(rows)


def _outcome(analysis: Analysis) -> Outcome:
    return outcome_of(analysis.formula, analysis.family)
