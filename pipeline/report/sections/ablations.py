"""Does the answer depend on how frames are cut and which of them count?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline import labels
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
    decimal,
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
    blocks += [Heading("Before, during and after the words"), *_lags(data)]
    return Section("settings", "Crops and windows", tuple(blocks))


def _lags(data: Collected) -> list[Block]:
    found = data.lags
    if found is None:
        return [
            Paragraph(
                "No utterance holds exactly one frame with cosines around it, so there is no lag "
                "profile."
            )
        ]
    rows = found.rows
    crop = labels.CROPS[data.request.setting.crop].lower()
    what = "Cosine above chance" if found.has_null else "Mean cosine"
    caption = (
        f"{what} by lag, {crop} crop: mean over n = {labels.plural(found.n, 'utterance')} of "
        f"{labels.plural(found.n_recordings, 'recording')} that hold exactly one frame."
    )
    if found.has_null:
        caption += (
            " For these the matched null is the mean cosine with single frames of other recordings "
            "of the child: the chance level at every lag (0)."
        )
    caption += " Bars: the interval of each lag by itself."
    has_band = _is_band_drawn(rows)
    if has_band:
        caption += " Band: simultaneous 95 % band over all lags, from recordings within each child"
        caption += (
            "; where it leaves out 0, words and frames match better (or worse) than chance."
            if found.has_null
            else "."
        )
    elif rows["low"].notna().any():
        caption += (
            f" A band over all lags at once is not drawn: from "
            f"{labels.plural(found.n_recordings, 'recording')} it is far wider than the figure."
        )
    peak = rows.iloc[int(rows["value"].argmax())]
    words = f"The match is best {_when(int(peak['lag_s']))}: {decimal(float(peak['value']), 3)}" + (
        " above chance." if found.has_null else "."
    )
    if found.has_null and rows["low"].notna().any():
        away = [
            f"{side} chance at {_listed(rows.loc[is_there, 'lag_s'])} s"
            for side, is_there in (("above", rows["low"] > 0), ("below", rows["high"] < 0))
            if is_there.any()
        ]
        words += (
            f" The simultaneous band lies {' and '.join(away)}."
            if away
            else " A band over all lags at once holds the chance level at every lag, so no lag can "
            "be told from chance by this profile alone."
        )
    svg = figures.lag_profile(rows, y_title=what, has_chance=found.has_null, has_band=has_band)
    seen = f"Line over lags from {rows['lag_s'].min()} to {rows['lag_s'].max()} s. {words}"
    return [Paragraph(words), ReportFigure("lag-profile", caption, seen, svg, rows)]


def _listed(lags: pd.Series[int]) -> str:
    """'−1, 0, +1'."""
    return ", ".join(f"{lag:+d}" if lag else "0" for lag in lags).replace("-", "−")


def _is_band_drawn(rows: pd.DataFrame) -> bool:
    """Whether the band is narrow enough to be seen beside the intervals of single lags."""
    band = (rows["high"] - rows["low"]).median()
    own = rows[["own_low", "own_high", "value"]].to_numpy()
    reach = float(np.nanmax(own) - np.nanmin(own))
    return bool(band <= 3 * reach)


def _when(lag_s: int) -> str:
    if lag_s == 0:
        return "during the utterance"
    side = "before its start" if lag_s < 0 else "after its end"
    return f"{abs(lag_s) - 1} to {abs(lag_s)} s {side}"


def _range(values: pd.Series[int]) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _words(data: Collected) -> str:
    rows = data.settings
    low, high = int(rows["share"].argmin()), int(rows["share"].argmax())
    words = (
        f"Under the {len(rows)} crops and windows the share of highly aligned utterances goes "
        f"from {labels.percent(rows['share'].iloc[low])} ({rows['label'].iloc[low]}) to "
        f"{labels.percent(rows['share'].iloc[high])} ({rows['label'].iloc[high]}), all at the "
        f"threshold {phrases.threshold(data.request.setting)}."
    )
    if data.request.setting.scale == "raw" and rows["chance"].notna().all():
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
        f"(n = {_range(rows['n_both'])}). "
        f"{phrases.BY_RECORDING}"
    )
    changes = rows[~rows["is_reference"]]
    seen = (
        f"Two panels of dots, {len(rows)} rows. Changes go from "
        f"{100 * changes['change'].min():+.1f} to {100 * changes['change'].max():+.1f} points."
    )
    return ReportFigure("crops-and-windows", caption, seen, figures.settings(rows), rows)


def _table(data: Collected) -> ReportTable:
    return ReportTable(
        "crops-and-windows-table",
        "Crops and windows. Gained and lost: utterances that are highly aligned only there, and "
        "only under the report's setting. Points: percentage points. No correction for the number "
        f"of comparisons. {phrases.BY_RECORDING}",
        data.settings,
        (
            text("Crop, window", "label"),
            count("n", "n"),
            percent_interval("Share (%)", ("share", "low", "high")),
            percent("By chance", "chance"),
            points_interval("Excess (points)", ("excess", "excess_low", "excess_high")),
            points_interval("Change (points)", ("change", "change_low", "change_high")),
            count("Gained", "gained"),
            count("Lost", "lost"),
            interval(
                "Mean change of the score",
                ("mean_change", "mean_change_low", "mean_change_high"),
            ),
        ),
    )
