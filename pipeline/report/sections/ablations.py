"""Does the answer depend on how frames are cut and which of them count?"""

from __future__ import annotations

from pipeline import labels
from pipeline.report import figures, phrases
from pipeline.report.collect import Collected
from pipeline.report.document import (
    Block,
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


def ablations(data: Collected) -> Section:
    """Crops by windows, and the lag profile."""
    rows = data.settings
    blocks: list[Block] = []
    if len(rows) > 1:
        blocks += [Paragraph(_words(data)), _figure(data), _table(data)]
    else:
        blocks.append(
            Paragraph("The store holds scores under one crop and window only: nothing to compare.")
        )
    return Section("settings", "Crops and windows", tuple(blocks))


def _words(data: Collected) -> str:
    rows = data.settings
    low, high = int(rows["share"].argmin()), int(rows["share"].argmax())
    words = (
        f"Under the {len(rows)} crops and windows the share of highly aligned utterances goes "
        f"from {labels.percent(rows['share'].iloc[low])} ({rows['label'].iloc[low]}) to "
        f"{labels.percent(rows['share'].iloc[high])} ({rows['label'].iloc[high]}), all at the "
        f"threshold {phrases.threshold(data.request.setting)}."
    )
    if rows["chance"].notna().all():
        excess = rows["share"] - rows["chance"]
        words += (
            " A window of more frames and a crop of more squares reach higher maxima by chance "
            f"too: the excess over chance goes from {labels.percent(excess.min())} to "
            f"{labels.percent(excess.max())}."
        )
    return words


def _figure(data: Collected) -> ReportFigure:
    rows = data.settings
    reference = rows[rows["is_reference"]]["label"].iloc[0]
    caption = (
        "Left: share of highly aligned utterances under every crop and window, with its chance "
        f"level. Right: its change against the setting of this report ({reference}), utterance by "
        "utterance, over those scored under both "
        f"(n = {int(rows['n_both'].min()):,} to {int(rows['n_both'].max()):,}). "
        f"{phrases.BY_RECORDING}"
    )
    changes = rows[~rows["is_reference"]]
    seen = (
        f"Two panels of dots, {len(rows)} rows. Changes go from "
        f"{100 * changes['change'].min():+.1f} to {100 * changes['change'].max():+.1f} points."
    )
    return ReportFigure("crops-and-windows", caption, seen, figures.settings(rows), rows)


def _table(data: Collected) -> ReportTable:
    frame = data.settings.assign(excess=data.settings["share"] - data.settings["chance"])
    return ReportTable(
        "crops-and-windows-table",
        "Crops and windows. Gained and lost: utterances that are highly aligned only there, and "
        "only under the report's setting. Points: percentage points. No correction for the number "
        f"of comparisons. {phrases.BY_RECORDING}",
        frame,
        (
            text("Crop, window", "label"),
            count("n", "n"),
            percent_interval("Share (%)", ("share", "low", "high")),
            percent("By chance", "chance"),
            percent("Excess", "excess"),
            count("n of both", "n_both"),
            points_interval("Change (points)", ("change", "change_low", "change_high")),
            count("Gained", "gained"),
            count("Lost", "lost"),
            interval(
                "Mean change of the score",
                ("mean_change", "mean_change_low", "mean_change_high"),
            ),
        ),
    )
