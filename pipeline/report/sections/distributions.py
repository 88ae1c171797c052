"""Scores of all and by child against chance, shares by child and speaker, every threshold."""

from __future__ import annotations

import pandas as pd

from pipeline import labels
from pipeline.published import (
    PUBLISHED_SETTING,
    PUBLISHED_SHARE,
    PUBLISHED_SWEEP,
    PUBLISHED_THRESHOLD,
    PublishedShare,
    is_published_model,
)
from pipeline.report import figures, phrases
from pipeline.report.collect import Collected
from pipeline.report.document import (
    Block,
    Heading,
    Paragraph,
    ReportFigure,
    ReportTable,
    Section,
    count,
    interval,
    percent,
    percent_interval,
    points_interval,
    text,
)
from pipeline.report.numbers import floats

FEW_UTTERANCES = 20
_LIMITS = ("low", "high", "excess_low", "excess_high", "mean_low", "mean_high")
MANY_RECORDINGS = 1_000
"""From here on ages are drawn by child and month instead of by recording."""


def distributions(data: Collected) -> Section:
    """Everything about the scores under the report's own setting."""
    if not int(data.scores.share.n):
        return Section("scores", "Scores", (Paragraph("No utterance has a score."),))
    blocks: list[Block] = [_all(data), Heading("By child"), _by_child(data), _shares_table(data)]
    if data.scores.bins["child_id"].nunique() > 1:
        blocks.append(_child_panels(data))
    aged = _by_age(data)
    if aged is not None:
        blocks += [Heading("By age"), aged]
    if len(data.scores.by_speaker) > 1:
        blocks += [Heading("By speaker"), _speaker_table(data)]
    blocks += [Heading("By threshold"), _sweep(data)]
    return Section("scores", "Scores against chance", tuple(blocks))


def _all(data: Collected) -> ReportFigure:
    scores, setting = data.scores, data.request.setting
    n = int(scores.share.n)
    drawn = scores.all_bins.rename(columns={"n": "n_observed"})
    expected = scores.all_chance.rename(columns={"n": "n_expected_by_chance", "share": "_"})
    frame = (
        drawn.assign(key=_place(drawn, scores.width))
        .merge(
            expected.assign(key=_place(expected, scores.width))[["key", "n_expected_by_chance"]],
            on="key",
            how="left",
        )
        .drop(columns="key")
    )
    frame.insert(1, "bin_end", frame["bin_start"] + scores.width)
    caption = f"Scores of n = {labels.plural(n, 'utterance')}, in bins of {scores.width:g}." + (
        " Line: what the matched null leads one to expect." if data.has_chance else ""
    )
    peak = float(frame["bin_start"].iloc[int(frame["n_observed"].argmax())])
    seen = (
        f"Histogram of scores. It peaks at about {peak:.3g}; "
        f"{labels.percent(scores.share.estimate)} lie at or above the threshold of "
        f"{phrases.threshold(setting)}"
        + (f", against {labels.percent(scores.chance)} by chance." if data.has_chance else ".")
    )
    svg = figures.distribution(
        scores.all_bins,
        scores.all_chance,
        width=scores.width,
        threshold=setting.threshold,
        axis_title=phrases.axis_title(setting, data.model),
    )
    return ReportFigure("distribution", caption, seen, svg, frame)


def _place(rows: pd.DataFrame, width: float) -> pd.Series[int]:
    """Bins as whole numbers, by which observed and expected ones find each other."""
    return (rows["bin_start"] / width).round().astype("int64")


def _by_child(data: Collected) -> ReportFigure:
    scores = data.scores
    rows = scores.by_child[scores.by_child["n_scored"] > 0].sort_values(["share", "child_id"])
    rows = rows.assign(label=rows["child_id"])
    published = _published(data)
    caption = (
        f"Share of highly aligned utterances by child (n = {labels.plural(len(rows), 'child')}, "
        f"{labels.plural(int(scores.share.n), 'scored utterance')}). {phrases.BY_RECORDING} A "
        "child with one recording has no interval."
    )
    if published is not None:
        caption += " Dashed: the published share of the same model, crop, window and threshold."
    low, high = rows.iloc[0], rows.iloc[-1]
    seen = (
        f"One dot per child with its interval and its chance level, from {low['child_id']} "
        f"({labels.percent(low['share'])}) to {high['child_id']} "
        f"({labels.percent(high['share'])})."
    )
    svg = figures.shares(rows, overall=scores.share.estimate, published=published)
    columns = ["child_id", "n_scored", "share", "low", "high", "chance"]
    return ReportFigure("shares-by-child", caption, seen, svg, rows[columns])


def _published(data: Collected) -> PublishedShare | None:
    setting = data.request.setting
    plain = (setting.crop, setting.window, setting.statistic, setting.scale)
    is_same = plain == PUBLISHED_SETTING and abs(setting.threshold - PUBLISHED_THRESHOLD) < 1e-9
    if not is_same or not is_published_model(data.model):
        return None
    return PublishedShare(PUBLISHED_THRESHOLD, PUBLISHED_SHARE, "Tan et al. 2025")


def _shares_table(data: Collected) -> ReportTable:
    scores = data.scores
    return ReportTable(
        "scores-by-child",
        "Shares of highly aligned utterances and mean scores by child. Excess: share minus chance, "
        f"in percentage points. Square brackets: {phrases.BY_RECORDING}",
        scores.by_child,
        (
            text("Child", "child_id"),
            count("Scored", "n_scored"),
            percent_interval("Share (%)", ("share", "low", "high")),
            percent("By chance", "chance"),
            points_interval("Excess (points)", ("excess", "excess_low", "excess_high")),
            interval("Mean score", ("mean", "mean_low", "mean_high")),
        ),
    )


def _speaker_table(data: Collected) -> ReportTable:
    rows = data.scores.by_speaker
    # A handful of utterances says nothing of how much a share varies.
    is_enough = rows["n_scored"] >= FEW_UTTERANCES
    rows = rows.assign(**{name: rows[name].where(is_enough) for name in _LIMITS})
    frame = rows.assign(
        name=[labels.SPEAKERS.get(code, code) for code in rows["speaker"]],
    )
    order = {code: place for place, code in enumerate(labels.SPEAKERS)}
    frame = frame.sort_values(
        "speaker", key=lambda codes: codes.map(order).fillna(len(order)), ignore_index=True
    )
    return ReportTable(
        "scores-by-speaker",
        "Shares and mean scores by speaker, all children together; see the models below for "
        f"comparisons within children. {phrases.BY_RECORDING} None is given for fewer than "
        f"{FEW_UTTERANCES} scored utterances.",
        frame,
        (
            text("Speaker", "name"),
            count("Recordings", "n_recordings"),
            count("Scored", "n_scored"),
            percent_interval("Share (%)", ("share", "low", "high")),
            percent("By chance", "chance"),
            points_interval("Excess (points)", ("excess", "excess_low", "excess_high")),
            interval("Mean score", ("mean", "mean_low", "mean_high")),
        ),
    )


def _child_panels(data: Collected) -> ReportFigure:
    scores = data.scores
    sizes = scores.bins.groupby("child_id")["n"].sum()
    largest = sizes.sort_values(ascending=False, kind="stable").index[: figures.MOST_PANELS]
    bins = scores.bins[scores.bins["child_id"].isin(largest)]
    expected = scores.chance_bins[scores.chance_bins["child_id"].isin(largest)]
    frame = scores.bins.assign(key=_place(scores.bins, scores.width))
    chance = scores.chance_bins.rename(columns={"share": "chance"})
    frame = frame.merge(
        chance.assign(key=_place(chance, scores.width))[["child_id", "key", "chance"]],
        on=["child_id", "key"],
        how="left",
    ).drop(columns="key")
    left_out = ""
    if len(sizes) > len(largest):
        left_out = (
            f" The {len(largest)} of {len(sizes)} children with most scored utterances; the file "
            "holds all."
        )
    setting = data.request.setting
    caption = (
        "Scores of each child (filled) and its matched null (line); dotted: the threshold. "
        f"n = {int(sizes.min()):,} to {int(sizes.max()):,} utterances a child.{left_out}"
    )
    seen = (
        f"Small histograms of scores, one for each of {len(largest)} children, with the "
        "distribution expected by chance as a line."
    )
    svg = figures.child_distributions(
        bins,
        expected,
        width=scores.width,
        threshold=setting.threshold,
        axis_title=phrases.axis_title(setting, data.model),
    )
    return ReportFigure("distributions-by-child", caption, seen, svg, frame)


def _by_age(data: Collected) -> ReportFigure | None:
    counts = data.scores.counts
    known = counts[counts["age_days"].notna()]
    rows = (
        known.groupby(["child_id", "recording_id", "age_days"], as_index=False)[
            ["n_scored", "n_high"]
        ]
        .sum()
        .query("n_scored > 0")
    )
    if rows["age_days"].nunique() < 2:
        return None
    rows = rows.assign(months=rows["age_days"] / labels.DAYS_PER_MONTH)
    what = "recording"
    if len(rows) >= MANY_RECORDINGS:
        rows = rows.assign(month=rows["months"].astype(int))
        rows = rows.groupby(["child_id", "month"], as_index=False).agg(
            months=("months", "mean"), n_scored=("n_scored", "sum"), n_high=("n_high", "sum")
        )
        what = "child and month of age"
    frame = pd.DataFrame(
        {
            "child_id": rows["child_id"],
            "months": rows["months"],
            "share": rows["n_high"] / rows["n_scored"],
            "n": rows["n_scored"],
        }
    ).reset_index(drop=True)
    drawn = frame[frame["n"] >= FEW_UTTERANCES]
    if drawn["months"].nunique() < 2:
        return None
    n = labels.plural(int(frame["n"].sum()), "scored utterance")
    n_undrawn = len(frame) - len(drawn)
    undrawn = (
        f" {labels.plural(n_undrawn, 'share')} of fewer than {FEW_UTTERANCES} utterances not drawn."
        if n_undrawn
        else ""
    )
    caption = (
        f"Share of highly aligned utterances by age: a dot per {what}, joined by child; the area "
        f"of a dot grows with its utterances (n = {n} "
        f"of known age).{undrawn} No interval is drawn for a single dot; the model of age below "
        "has one."
    )
    months = floats(drawn, "months")
    seen = (
        f"Scatter plot of {len(drawn)} dots from {months.min():.1f} to {months.max():.1f} months "
        "of age."
    )
    return ReportFigure("shares-by-age", caption, seen, figures.ages(drawn), frame)


def _sweep(data: Collected) -> ReportFigure:
    scores, setting = data.scores, data.request.setting
    plain = (setting.crop, setting.window, setting.statistic, setting.scale)
    is_same = is_published_model(data.model) and plain == PUBLISHED_SETTING
    listed = "; ".join(
        f"{100 * p.share:g} % at {p.threshold:g} ({p.text})" for p in PUBLISHED_SWEEP
    )
    note = (
        f"Crosses: published shares: {listed}."
        if is_same
        else f"Published for OpenAI's CLIP ViT-B/32, centre crop: {listed}; not drawn, because "
        "another model or setting has other scores."
    )
    caption = (
        "Share of highly aligned utterances if the threshold were another "
        f"(n = {labels.plural(int(scores.share.n), 'scored utterance')}). {note}"
    )
    seen = "Share at or above every threshold, falling from 100 % to 0, with the chance level."
    svg = figures.sweep(
        scores.sweep,
        threshold=setting.threshold,
        published=PUBLISHED_SWEEP if is_same else (),
        axis_title=phrases.axis_title(setting, data.model).lower(),
    )
    return ReportFigure("threshold-sweep", caption, seen, svg, scores.sweep)
