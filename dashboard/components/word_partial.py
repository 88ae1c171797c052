"""One norm at a time: words as they score, and with the other norms held equal."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.words import partial_residuals
from dashboard.components.figure import clicked_point, current_look
from dashboard.components.url_choice import url_choice
from dashboard.components.view import View
from dashboard.components.word_state import open_lemma
from pipeline.stats.lemmas.norms import NormsModel, NormsRegression
from pipeline.stats.rank import rank_correlation

MAX_DRAWN = 1_000
"""Lemmas drawn in a scatter, the most frequent ones."""


def partial_plot(
    view: View,
    found: NormsRegression,
    table: pd.DataFrame,
    opened: str | None,
    units: dict[str, str],
) -> None:
    """Words against one norm; with a joint model also as component plus residual.

    table: `queries.word_norms.regression_table`; units: of the norms of the regression.
    """
    st.subheader("Word by word", anchor=False)
    place = st.container(width=280)
    norm = url_choice("Norm", tuple(units), param="norm", default=next(iter(units)), place=place)
    alone = next(model for model in found.alone if model.slopes[0].norm == norm)
    joint = found.joint if found.joint is not None and len(found.joint.slopes) > 1 else None
    unit = labels.SCALE_UNITS[view.measure.scale]
    plots = [_Plot("alone", alone, f"{named(norm)} and mean score", f"Mean score ({unit})")]
    if joint is not None:
        title = f"{named(norm)} and mean score, other norms held equal"
        plots.append(_Plot("joint", joint, title, f"Mean score, others equal ({unit})"))
    columns = st.columns(len(plots), gap="large") if opened is None else [st.container()] * 2
    clicked: str | None = None
    for plot, column in zip(plots, columns, strict=False):
        with column:
            clicked = _draw(plot, norm, units[norm], table, opened) or clicked
    if clicked and clicked != opened:
        open_lemma(clicked)
        st.rerun()


@dataclass(frozen=True, slots=True, eq=False)
class _Plot:
    """One scatter: its key, the model it shows, its titles."""

    key: str
    model: NormsModel
    title: str
    y_title: str


def _draw(plot: _Plot, norm: str, unit: str, table: pd.DataFrame, opened: str | None) -> str | None:
    """Draw one scatter; the clicked lemma, or None."""
    rows = plot.model.partial
    rows = rows[rows["norm"] == norm].merge(table[["lemma", "n"]], on="lemma")
    rows = rows.sort_values("n", ascending=False, kind="stable").drop(columns="norm")
    rows = rows.rename(columns={"lemma": "word", "value": "norm", "partial": "mean"})
    drawn = rows.head(MAX_DRAWN)
    rho = rank_correlation(rows["norm"].to_numpy(), rows["mean"].to_numpy())
    limits = f" [{rho.low:.2f}, {rho.high:.2f}]" if rho.is_known else ""
    left_out = (
        f" The {labels.count(MAX_DRAWN)} most frequent are drawn." if len(rows) > MAX_DRAWN else ""
    )
    how = (
        f"Rank correlation {rho.estimate:.2f}{limits}, words not weighted."
        if plot.key == "alone"
        else "What the norm adds in the joint model, plus what the model leaves (component plus "
        "residual)."
    )
    clicked = clicked_point(
        partial_residuals(
            drawn,
            marked=opened,
            x_title=f"{named(norm)} ({unit})",
            y_title=plot.y_title,
            look=current_look(),
        ),
        key=f"word_norms_{plot.key}",
        title=plot.title,
        hint="A click on a dot opens the word.",
        caption=f"n = {labels.plural(len(rows), 'word')}; larger dots have more utterances. "
        f"{how} Line: the weighted regression.{left_out}",
        table=drawn[["word", "n", "mean", "norm", "fitted"]].rename(
            columns={
                "word": "Word",
                "n": "Utterances",
                "mean": plot.y_title,
                "norm": norm,
                "fitted": "Line",
            }
        ),
    )
    return clicked[0] if clicked else None


def named(norm: str) -> str:
    """A norm's name as a title."""
    return norm[:1].upper() + norm[1:]
