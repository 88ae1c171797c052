"""Human validation: what a score means to people, where people, or a simulation, answered."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from pipeline import labels
from pipeline.people.trial_records import ImageVariant, MomentLabel
from pipeline.published import PUBLISHED_CHOICE_SLOPE, is_published_model
from pipeline.report import human_figures
from pipeline.report.collect import Collected
from pipeline.report.document import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    ReportFigure,
    ReportTable,
    Section,
    count,
    interval,
    number,
    percent_interval,
    text,
)
from pipeline.report.human_queries import AnsweredChoices, GivenLabels, Validation
from pipeline.stats.crossed import CrossedInterval
from pipeline.stats.psychometric import Psychometric
from pipeline.validation.accuracy import AccuracyRow
from pipeline.validation.results import HumanFits, HumanResults

FEW_RATERS, FEW_ITEMS = 10, 30
_SIMULATED = (
    "Simulated answers: made by a program to show what this section does. No person gave them, and "
    "nothing here says anything about people."
)
_LABELS = {
    MomentLabel.ALIGNED: "Aligned",
    MomentLabel.PARTLY: "Partly",
    MomentLabel.NOT: "Not in view",
    MomentLabel.CANNOT_TELL: "Cannot tell",
}


def human(data: Collected) -> tuple[Section, ...]:
    """The section, or none where nobody answered."""
    found = data.validation
    if found.is_empty:
        return ()
    blocks: list[Block] = []
    if found.problem:
        blocks.append(Paragraph(f"The answers of raters cannot be read. {found.problem}"))
    if found.choices is not None:
        blocks += _choices(data, found.choices)
    if found.labels is not None:
        blocks += _labels(found.labels)
    told = tuple(_caveats(data, found))
    if told:
        blocks += [Heading("Caveats"), Bullets(told)]
    return (Section("validation", "Human validation", tuple(blocks)),)


def _choices(data: Collected, choices: AnsweredChoices) -> Iterator[Block]:
    results, fits = choices.results, choices.fits
    people, model = results.after.people, results.after.model
    if choices.is_simulated:
        yield Paragraph(_SIMULATED, "note")
    who = "Simulated raters" if choices.is_simulated else "People"
    if not people.n:
        yield Paragraph("No answer is left after exclusions.")
        return
    yield Paragraph(
        f"{who} chose rightly in {_share(people)} of {labels.plural(people.n, 'trial')} with four "
        f"options ({labels.plural(people.n_raters, 'rater')}, "
        f"{labels.plural(people.n_items, 'item')}); chance is "
        f"{labels.percent(results.chance, 0)}."
        + (
            f" The model chose rightly in {_share(model)} of the same trials."
            if not math.isnan(model.estimate)
            else " The model's own choices are not known for these trials."
        ),
        "lead",
    )
    if fits is not None:
        yield Paragraph(_curve(fits))
        in_force = _in_force(data, fits.curve)
        if in_force:
            yield Paragraph(in_force)
        mixed = _mixed(data, fits)
        if mixed:
            yield Paragraph(mixed)
    yield _figure(choices, results, fits)
    yield _table(choices, results)
    yield Paragraph(_agreement(results))
    yield Paragraph(_left_out(results))


def _curve(fits: HumanFits) -> str:
    curve = fits.curve
    if curve is None:
        assert fits.curve_problem is not None
        return f"No threshold follows from these answers: {fits.curve_problem}"
    if math.isnan(curve.threshold.estimate):
        end = curve.lowest if curve.beyond.value == "below" else curve.highest
        said = (
            f"The score at which accuracy is halfway between chance and its ceiling lies "
            f"{curve.beyond.value} {end:.3g}, outside the scores that raters saw."
        )
    else:
        limits = curve.threshold
        said = (
            f"Implied threshold: {limits.estimate:.3f} (95 % {_limit(limits.low)} to "
            f"{_limit(limits.high)}), where accuracy is {labels.percent(curve.halfway)}, halfway "
            f"between chance and a ceiling of {labels.percent(curve.ceiling.estimate)}."
        )
    slope = curve.slope
    return (
        f"{said} Slope of the curve: {slope.estimate:.3g} log-odds per unit of cosine "
        f"(95 % {_limit(slope.low)} to {_limit(slope.high)}). {' '.join(curve.messages)}"
    ).strip()


def _in_force(data: Collected, curve: Psychometric | None) -> str:
    setting = data.request.setting
    if setting.threshold_origin in ("people", "simulated"):
        return f"In this report, {setting.threshold:.3g} is the threshold {_source(data)}."
    if curve is None or math.isnan(curve.threshold.estimate) or setting.scale != "raw":
        return ""
    return (
        f"The rest of this report uses {setting.threshold:.3g}, not the implied threshold; it can "
        "be taken as the study's on the page Human agreement."
    )


def _source(data: Collected) -> str:
    return data.model.threshold_source


def _mixed(data: Collected, fits: HumanFits) -> str:
    if fits.mixed is None:
        return f"No mixed model: {fits.mixed_problem}" if fits.mixed_problem is not None else ""
    slope = fits.mixed.effect("score")
    if slope is None:
        return ""
    p = "< .001" if slope.p < 0.001 else f"= {slope.p:.3f}"
    said = (
        f"Logistic mixed model {fits.formula}: b = {slope.estimate:.3g} (95 % {slope.lower:.3g} to "
        f"{slope.upper:.3g}), p {p}, n = {labels.plural(fits.mixed.n, 'answer')}. It takes no "
        "account of guessing, so it is shallower than the curve."
    )
    if is_published_model(data.model):
        published = PUBLISHED_CHOICE_SLOPE
        said += (
            f" Published ({published.text}): b = {published.estimate:g} [{published.low:.1f}, "
            f"{published.high:g}]."
        )
    return " ".join([said, *fits.mixed.messages])


def _figure(
    choices: AnsweredChoices, results: HumanResults, fits: HumanFits | None
) -> ReportFigure:
    frame = _frame(results.bins)
    who = "Simulated raters" if choices.is_simulated else "People"
    curve = fits.curve if fits is not None else None
    caption = (
        f"{'SIMULATED answers. ' if choices.is_simulated else ''}Right choices by the score of "
        f"the right option, {_size(results.after.people)}. Intervals: 95 %, clustered by rater and "
        f"item. Dashed: chance, {labels.percent(results.chance, 0)}. Sets: "
        f"{', '.join(choices.sets)}."
    )
    if len(frame):
        first, last = frame.iloc[0], frame.iloc[-1]
        seen = (
            f"Accuracy from {labels.percent(float(first['people']))} at a score of "
            f"{float(first['middle']):.3g} to {labels.percent(float(last['people']))} at "
            f"{float(last['middle']):.3g}."
        )
    else:
        seen = "No trial has a score."
    svg = human_figures.accuracy(frame, curve, chance=results.chance, people=who)
    return ReportFigure("human-accuracy", caption, seen, svg, frame)


def _table(choices: AnsweredChoices, results: HumanResults) -> ReportTable:
    caption = (
        f"{'SIMULATED answers. ' if choices.is_simulated else ''}Accuracy by score bin and kind of "
        f"trial; chance {labels.percent(results.chance, 0)}. "
        + (
            f"{labels.plural(results.n_without_value, 'answer')} without a score enter no bin."
            if results.n_without_value
            else "Every answer has a score."
        )
    )
    frame = _frame((*results.bins, *results.modes, results.after))
    return ReportTable(
        "human-accuracy-bins",
        caption,
        frame,
        (
            text("Score or kind", "name"),
            number("Mean score", "middle"),
            count("Answers", "n"),
            count("Raters", "n_raters"),
            count("Items", "n_items"),
            percent_interval("Raters right", ("people", "people_low", "people_high")),
            percent_interval("Model right", ("model", "model_low", "model_high")),
        ),
    )


def _frame(rows: tuple[AccuracyRow, ...]) -> pd.DataFrame:
    """One row per bin or kind, shares 0-1."""
    return pd.DataFrame(
        [
            {
                "name": {"images": "Four images", "utterances": "Four utterances"}.get(
                    row.name, row.name.replace("-", "−")
                ),
                "middle": row.middle,
                "n": row.people.n,
                "n_raters": row.people.n_raters,
                "n_items": row.people.n_items,
                "people": row.people.estimate,
                "people_low": row.people.low,
                "people_high": row.people.high,
                "model": row.model.estimate,
                "model_low": row.model.low,
                "model_high": row.model.high,
            }
            for row in rows
        ],
        columns=[
            *("name", "middle", "n", "n_raters", "n_items", "people", "people_low"),
            *("people_high", "model", "model_low", "model_high"),
        ],
    )


def _agreement(results: HumanResults) -> str:
    between = results.between_raters
    with_model = results.with_model
    said = (
        f"Raters chose as the model did in {_share(with_model.same)} of "
        f"{labels.plural(with_model.same.n, 'answer')} (chance "
        f"{labels.percent(results.chance, 0)})."
    )
    if between is None or math.isnan(between.alpha.estimate):
        return f"{said} No item was answered by two raters, so their agreement is not known."
    alpha = between.alpha
    reach = f" (95 % {alpha.low:.2f} to {alpha.high:.2f})" if not math.isnan(alpha.low) else ""
    return (
        f"{said} Two raters of an item chose the same in "
        f"{labels.percent(between.same.estimate)} of cases; Krippendorff's alpha "
        f"{alpha.estimate:.2f}{reach}, {labels.plural(alpha.n_units, 'item')}."
    )


def _left_out(results: HumanResults) -> str:
    left = results.exclusions
    if not left.n_excluded:
        return (
            f"None of {labels.plural(left.n_raters, 'rater')} was left out: all were right in at "
            f"least {labels.percent(left.rule.least_catch_share, 0)} of their catch trials"
            + (f" ({left.n_without_catch} had none)." if left.n_without_catch else ".")
        )
    return (
        f"Left out: {left.n_excluded} of {labels.plural(left.n_raters, 'rater')} with "
        f"{labels.plural(left.n_answers_excluded, 'answer')}, who were right in fewer than "
        f"{labels.percent(left.rule.least_catch_share, 0)} of their catch trials. With them, "
        f"{_share(results.before.people)} of {labels.plural(results.before.people.n, 'trial')} are "
        "right."
    )


def _labels(given: GivenLabels) -> Iterator[Block]:
    found = given.results
    yield Heading("Experts' labels")
    if given.is_simulated:
        yield Paragraph(_SIMULATED, "note")
    alpha = found.agreement.alpha
    yield Paragraph(
        f"{labels.plural(found.n_raters, 'expert')} gave {labels.plural(found.n, 'label')} to "
        f"{labels.plural(found.n_moments, 'moment')}; {labels.count(found.cannot_tell)} of them "
        "say that one cannot tell. "
        + (
            f"Krippendorff's alpha (ordinal) {alpha.estimate:.2f}"
            + ("" if math.isnan(alpha.low) else f" (95 % {alpha.low:.2f} to {alpha.high:.2f})")
            + f", {labels.plural(alpha.n_units, 'moment')}."
            if not math.isnan(alpha.estimate)
            else "Agreement is not known: no moment was labelled twice."
        )
    )
    frame = pd.DataFrame(
        {
            "label": [_LABELS[row.label] for row in found.rows],
            "n": [row.n for row in found.rows],
            "score": [row.score.estimate for row in found.rows],
            "score_low": [row.score.low for row in found.rows],
            "score_high": [row.score.high for row in found.rows],
            "z": [row.z.estimate for row in found.rows],
            "z_low": [row.z.low for row in found.rows],
            "z_high": [row.z.high for row in found.rows],
        }
    )
    yield ReportTable(
        "expert-labels",
        f"{'SIMULATED labels. ' if given.is_simulated else ''}Mean score of the moments of each "
        "label, 95 % intervals clustered by expert and moment; z against chance, which is 0. Sets: "
        f"{', '.join(given.sets)}.",
        frame,
        (
            text("Label", "label"),
            count("Labels", "n"),
            interval("Mean score", ("score", "score_low", "score_high")),
            interval("Mean z", ("z", "z_low", "z_high"), digits=2),
        ),
    )


def _caveats(data: Collected, found: Validation) -> Iterator[tuple[str, str]]:
    choices = found.choices
    if choices is not None:
        people = choices.results.after.people
        if people.n_raters < FEW_RATERS or people.n_items < FEW_ITEMS:
            yield (
                "Few raters or items.",
                f"{labels.plural(people.n_raters, 'rater')} and "
                f"{labels.plural(people.n_items, 'item')}: intervals over so few are rough.",
            )
        if ImageVariant.FULL_FRAME in choices.image_variants and data.request.setting.crop == (
            "center"
        ):
            yield (
                "People saw more than the model.",
                "Raters were shown the full frame, the model the centre crop: what lies above or "
                "below it helps people only.",
            )
        where = f" {' and '.join(choices.foils)}" if choices.foils else ""
        yield (
            "Wrong options.",
            f"Accuracy, and so the threshold, depends on how far the wrong options{where} are from "
            "the right one; other wrong options give another curve.",
        )
        if choices.fits is None:
            yield ("No fits.", "The curve and the mixed model were left out with the models.")
        if data.request.scope.selection.words != "all of the study":
            yield (
                "Not filtered.",
                "Answers are those of the whole sets, whatever utterances this report is about.",
            )
    if found.n_simulated_left_out:
        yield (
            "Simulated answers left out.",
            f"{labels.plural(found.n_simulated_left_out, 'simulated answer')} beside people's "
            "enter nothing here.",
        )
    if found.other_sets:
        yield (
            "Other sets.",
            f"Answered, but not about scores of {data.request.setting.scorer}: "
            f"{', '.join(found.other_sets)}.",
        )


def _share(found: CrossedInterval) -> str:
    if not found.is_known:
        return labels.percent(found.estimate)
    return f"{labels.percent(found.estimate)} (95 % {labels.percent_range(found.low, found.high)})"


def _size(found: CrossedInterval) -> str:
    return (
        f"n = {labels.plural(found.n, 'answer')} of {labels.plural(found.n_raters, 'rater')} to "
        f"{labels.plural(found.n_items, 'item')}"
    )


def _limit(value: float) -> str:
    return "no limit" if math.isinf(value) else f"{value:.3g}"
