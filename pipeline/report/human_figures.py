"""The figure of human validation: accuracy by score, with the curve and its threshold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.look import LIGHT
from pipeline.report.numbers import floats
from pipeline.report.svg import drawn
from pipeline.stats.psychometric import Psychometric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N_POINTS = 101


def accuracy(rows: pd.DataFrame, curve: Psychometric | None, *, chance: float, people: str) -> str:
    """Accuracy of people and of the model by score. rows: middle, people, people_low,
    people_high, model; `people` names who answered."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        at = floats(rows, "middle")
        axes.axhline(100 * chance, color=LIGHT.ink, lw=0.9, ls="--", label="Chance")
        if curve is not None:
            scores = np.linspace(curve.lowest, curve.highest, _N_POINTS)
            p, low, high = curve.curve(scores)
            axes.fill_between(scores, 100 * low, 100 * high, color=LIGHT.accent, alpha=0.18, lw=0)
            axes.plot(scores, 100 * p, color=LIGHT.accent, lw=1.5, label="Curve, 95 % band")
            if not math.isnan(curve.threshold.estimate):
                axes.plot(
                    [curve.threshold.estimate] * 2,
                    [0, 100 * curve.halfway],
                    color=LIGHT.ink,
                    lw=0.9,
                    ls=":",
                    label=f"Threshold {curve.threshold.estimate:.3f}",
                )
        axes.vlines(
            at,
            100 * floats(rows, "people_low"),
            100 * floats(rows, "people_high"),
            color=LIGHT.accent,
            lw=1.3,
        )
        axes.plot(
            at,
            100 * floats(rows, "people"),
            ls="none",
            marker="o",
            ms=5,
            color=LIGHT.accent,
            label=f"{people}, 95 % interval",
        )
        axes.plot(
            at,
            100 * floats(rows, "model"),
            ls="none",
            marker="x",
            ms=6,
            mew=1.4,
            color=LIGHT.categories[1],
            label="Model, same trials",
        )
        axes.set_xlabel("Cosine of the right option")
        axes.set_ylabel("Right choices (%)")
        axes.set_ylim(0, 104)
        axes.grid(axis="y")
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=3,
            borderaxespad=0.2,
            columnspacing=1.2,
        )

    return drawn(draw, height_in=3.2)
