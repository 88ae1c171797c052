"""The answer, in one paragraph."""

from __future__ import annotations

import math

from pipeline import labels
from pipeline.published import PUBLISHED_SETTING, PUBLISHED_SHARE, is_published_model
from pipeline.report import phrases
from pipeline.report.collect import Collected
from pipeline.report.document import Block, Bullets, Paragraph, Section, decimal


def answer(data: Collected) -> Section:
    """Share of high alignment with interval, chance, excess, and what it rests on."""
    setting = data.request.setting
    blocks: list[Block] = [Paragraph(_lead(data), "lead")]
    crop = f", {labels.CROPS[setting.crop].lower()} crop" if data.model.dim else ""
    how = (
        f"An utterance is highly aligned if {phrases.score(setting, data.model)} is "
        f"{setting.threshold:g} or more (model {data.model.label}{crop}). {phrases.BY_RECORDING} "
        f"{phrases.chance(data.facts, setting, is_known=data.has_chance)}"
    )
    blocks.append(Paragraph(how))
    blocks.append(Bullets(tuple(_figures(data))))
    return Section("answer", "Answer", tuple(blocks))


def _lead(data: Collected) -> str:
    share = data.scores.share
    n = int(share.n)
    if not n:
        return (
            f"None of the {labels.plural(data.n_utterances, 'utterance')} has a score under this "
            "setting, so the question cannot be answered."
        )
    sentences = [
        f"{labels.percent(share.estimate)} of utterances are highly aligned with what was in "
        f"view{phrases.interval(share)}: {int(data.scores.counts['n_high'].sum()):,} of "
        f"{labels.plural(n, 'scored utterance')}."
    ]
    if data.has_chance:
        sentences.append(
            f"Matched chance leads one to expect {labels.percent(data.scores.chance)}; the excess "
            f"over chance is {_excess(data)}."
        )
    else:
        sentences.append(phrases.no_chance(data.facts, data.request.setting))
    totals = data.sample.totals
    sentences.append(
        f"This rests on {labels.plural(data.n_utterances, 'utterance')} in "
        f"{labels.plural(totals.n_recordings, 'recording')} "
        f"({labels.hours(totals.total_ms)}) of {labels.plural(totals.n_children, 'child')}."
    )
    return " ".join(sentences)


def _excess(data: Collected) -> str:
    found = data.scores.excess
    if found is None:
        return phrases.points(data.scores.share.estimate - data.scores.chance)
    words = phrases.points(found.estimate)
    if found.interval.is_known:
        low, high = 100 * found.interval.low, 100 * found.interval.high
        words += f" (95 % interval {decimal(low, 1)} to {decimal(high, 1)})"
    n = int(found.interval.n)
    if n < int(data.scores.share.n):
        words += f", over the {labels.plural(n, 'utterance')} that have a null"
    return words


def _figures(data: Collected) -> list[tuple[str, str]]:
    by_child = data.scores.by_child[data.scores.by_child["n_scored"] > 0]
    rows: list[tuple[str, str]] = []
    if len(by_child) > 1:
        low, high = by_child["share"].min(), by_child["share"].max()
        above = int((by_child["share"] > by_child["chance"]).sum())
        words = f"From {labels.percent(low)} to {labels.percent(high)} by child"
        if by_child["chance"].notna().any():
            words += f"; {above} of {labels.plural(len(by_child), 'child')} lie above chance"
        rows.append(("Children.", f"{words}."))
    mean = data.scores.mean
    if not math.isnan(mean.estimate):
        words = f"{mean.estimate:.3f}"
        if mean.is_known:
            words += f" (95 % interval {mean.low:.3f} to {mean.high:.3f})"
        rows.append(("Mean score.", f"{words}.".replace("-", "−")))
    rows.append(("Published.", _published(data)))
    return rows


def _published(data: Collected) -> str:
    setting = data.request.setting
    plain = (setting.crop, setting.window, setting.statistic, setting.scale)
    words = (
        f"Tan et al. 2025 report {100 * PUBLISHED_SHARE:.2f} % over 325 hours of 19 children with "
        "OpenAI's CLIP ViT-B/32, centre crop, maximum over the frames during the utterance, .24 "
        "or more"
    )
    if is_published_model(data.model) and plain == PUBLISHED_SETTING:
        return f"{words}; this report uses the same model, crop and window."
    if not is_published_model(data.model):
        return (
            f"{words}; scores of {data.model.label} are on another scale, so the two shares cannot "
            "be compared."
        )
    return f"{words}; this report uses another setting, so the two shares cannot be compared."
