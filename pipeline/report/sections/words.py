"""Which words are said when the thing is in view? Mean scores of words against norms."""

from __future__ import annotations

import pandas as pd

from pipeline import labels
from pipeline.report import figures
from pipeline.report.document import (
    Block,
    Paragraph,
    ReportFigure,
    ReportTable,
    Section,
    Shown,
    count,
    decimal,
    number,
    text,
)
from pipeline.report.phrases import p_value
from pipeline.report.word_queries import MIN_COUNT, Words
from pipeline.stats.lemmas.norms import NormsRegression

_MOST_WORDS = 25


def words(found: Words | None) -> Section:
    """The regression, what the norms share, and the words themselves."""
    return Section("words", "Words", tuple(_blocks(found)))


def _blocks(found: Words | None) -> list[Block]:
    if found is None:
        return [
            Paragraph(
                "The study has no word norms (metadata/norms), so mean scores of words are not "
                "set against concreteness, frequency or age of acquisition."
            )
        ]
    if found.regression is None:
        return [Paragraph(f"No regression of words on norms: {found.problem}")]
    frame = _slopes(found.regression)
    blocks: list[Block] = [Paragraph(_intro(found, found.regression))]
    blocks += [_figure(frame, found.regression), _table(frame, found)]
    blocks.append(Paragraph(_shared(found.regression)))
    blocks.append(_words_table(found))
    return blocks


def _intro(found: Words, regression: NormsRegression) -> str:
    words_ = (
        "The mean score of the utterances that hold a word, for "
        f"{labels.plural(regression.n, 'word')} (lemmas) heard in {MIN_COUNT} or more scored "
        "utterances and with a value of every norm, regressed on norms. Words count by how well "
        "their mean is known (a random effect for what else words differ in); p by Student's t "
        "after Knapp and Hartung."
    )
    joint = regression.joint
    if joint is None:
        return f"{words_} {regression.problem}"
    clear = [s for s in joint.slopes if s.p_holm < 0.05]
    listed = "; ".join(
        f"{s.norm} {decimal(s.sd_estimate, 3)} for one SD ({decimal(s.sd_low, 3)} to "
        f"{decimal(s.sd_high, 3)})"
        for s in clear
    )
    return f"{words_} " + (
        f"With all norms together these go with the score: {listed}."
        if clear
        else "With all norms together none goes clearly with the score."
    )


def _slopes(regression: NormsRegression) -> pd.DataFrame:
    models = [("Alone", model) for model in regression.alone]
    if regression.joint is not None and len(regression.alone) > 1:
        models.append(("All together", regression.joint))
    rows = [
        {
            "key": name,
            "label": f"{slope.norm}, {name.lower()}",
            "norm": slope.norm,
            "estimate": slope.sd_estimate,
            "low": slope.sd_low,
            "high": slope.sd_high,
            "per_unit": slope.estimate,
            "p": slope.p,
            "p_holm": slope.p_holm,
            "r2": model.r2,
            "n_words": model.n,
            "axis": "Change of the mean score for one SD of the norm",
            "unit": "",
        }
        for name, model in models
        for slope in model.slopes
    ]
    return pd.DataFrame(rows)


def _figure(frame: pd.DataFrame, regression: NormsRegression) -> ReportFigure:
    caption = (
        "Change of a word's mean score for one standard deviation of each norm, alone and with the "
        f"others held equal, with 95 % intervals (n = {labels.plural(regression.n, 'word')})."
    )
    seen = "; ".join(
        f"{row.label}: {row.estimate:.3g} ({row.low:.3g} to {row.high:.3g})"
        for row in frame.itertuples()
    )
    svg = figures.effects(frame)
    return ReportFigure("norms", caption, f"Dots with intervals. {seen}.", svg, frame)


def _table(frame: pd.DataFrame, found: Words) -> ReportTable:
    units = "; ".join(
        f"{norm}: {unit}" for norm, unit in found.units.items() if norm in found.norms
    )
    shown = (
        text("Norm", "norm"),
        text("Model", "key"),
        Shown(
            "For one SD [95 %]",
            ("estimate", "low", "high"),
            lambda e, low, high: f"{decimal(e, 4)} [{decimal(low, 4)}, {decimal(high, 4)}]",
        ),
        Shown("p", ("p",), p_value),
        Shown("p (Holm)", ("p_holm",), p_value),
        number("R²", "r2"),
        count("Words", "n_words"),
    )
    caption = "Mean scores of words against norms." + (f" Units: {units}." if units else "")
    return ReportTable("norms-slopes", caption, frame, shown)


def _shared(regression: NormsRegression) -> str:
    shared = regression.collinearity
    listed = ", ".join(
        f"{name} {inflation:.1f}"
        for name, inflation in zip(shared.names, shared.inflation.tolist(), strict=True)
    )
    words_ = f"How much the norms say the same (variance inflation): {listed}."
    if shared.inflated:
        words_ += (
            f" {', '.join(shared.inflated)}: above 5, so their joint coefficients are worth little "
            "on their own."
        )
    return words_


def _words_table(found: Words) -> ReportTable:
    frame = found.table.assign(se=found.table["variance"] ** 0.5)
    shown = (
        text("Word", "lemma"),
        count("n", "n"),
        number("Mean score", "mean"),
        number("Standard error", "se"),
        *(number(norm, norm, 2) for norm in found.norms),
    )
    n = labels.plural(len(frame), "word")
    caption = f"The words of the regression, most frequent first (n = {n})."
    return ReportTable("words", caption, frame, shown, _MOST_WORDS)
