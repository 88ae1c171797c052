"""The same model in R: what to type to fit it with lme4, from the table as CSV."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.predictors.analysis import Analysis
from pipeline.spreadsheet import R_GUARD
from pipeline.stats.mixed.result import BINOMIAL

_UNGUARDED = (
    "# The table has an apostrophe before text that a spreadsheet would take for a formula.",
    "texts <- sapply(d, is.character)",
    f'd[texts] <- lapply(d[texts], sub, pattern = "{R_GUARD}", replacement = "", perl = TRUE)',
)


def r_script(analysis: Analysis, file_name: str, levels: Mapping[str, tuple[str, ...]]) -> str:
    """R code that reads the table and fits the model. `levels` of the categories, reference
    first."""
    lines = ["library(lmerTest)" if analysis.family != BINOMIAL else "library(lme4)"]
    lines.append(f'd <- read.csv("{file_name}", na.strings = "")')
    lines += _UNGUARDED
    for name, values in levels.items():
        quoted = ", ".join(_quoted(value) for value in values)
        lines.append(f"d${name} <- factor(d${name}, levels = c({quoted}))")
    if analysis.family == BINOMIAL:
        lines.append(f"m <- glmer({analysis.formula}, data = d, family = binomial)")
    else:
        lines.append(f"m <- lmer({analysis.formula}, data = d)")
    return "\n".join([*lines, "summary(m)"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
