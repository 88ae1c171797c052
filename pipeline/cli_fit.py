"""The command `fit`: a mixed model from a table and a formula."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_base import JsonOption, reporting_errors
from pipeline.errors import FitError
from pipeline.spreadsheet import csv_text

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.stats.mixed.result import MixedFit

RESIDUAL = "Residual"

JsonValue = str | int | float | bool | list["JsonValue"] | dict[str, "JsonValue"] | None


@reporting_errors
def fit(
    table: Annotated[
        Path, typer.Argument(help="CSV or Parquet file, one row for each case.", show_default=False)
    ],
    formula: Annotated[
        str,
        typer.Argument(
            help="What explains what, as in lme4: 'share ~ speaker + age + (1 | child)'.",
            show_default=False,
        ),
    ],
    family: Annotated[
        str,
        typer.Option(
            help="gaussian for numbers; binomial for 0 and 1, or for counts: "
            "'cbind(successes, failures) ~ ...'."
        ),
    ] = "gaussian",
    ml: Annotated[
        bool,
        typer.Option(
            "--ml",
            help="Maximum likelihood instead of REML, to compare log-likelihoods of models with "
            "other fixed effects.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write the fixed effects to this CSV file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a mixed model to a table and print its effects, as lme4 and lmerTest would find them."""
    from pipeline.stats.mixed.fit import fit_mixed

    rows = _read(table)
    found = fit_mixed(rows, formula, family=family, is_reml=not ml)
    if out is not None:
        _write(found, out)
    if as_json:
        typer.echo(json.dumps(as_values(found), indent=1, allow_nan=False))
    else:
        _show(found)


def as_values(found: MixedFit) -> dict[str, JsonValue]:
    """A fit for other programs: numbers that are not known or not finite are null."""
    random: list[JsonValue] = [
        {"group": effect.group, "term": effect.term, "sd": _number(effect.sd)}
        for effect in found.random
    ]
    if not math.isnan(found.residual_sd):
        random.append({"group": RESIDUAL, "term": "", "sd": _number(found.residual_sd)})
    return {
        "formula": found.formula,
        "family": found.family,
        "method": found.method,
        "p_method": found.p_method,
        "fixed": [
            {
                "term": effect.term,
                "estimate": _number(effect.estimate),
                "se": _number(effect.se),
                "lower": _number(effect.lower),
                "upper": _number(effect.upper),
                "df": _number(effect.df),
                "statistic": _number(effect.statistic),
                "p": _number(effect.p),
            }
            for effect in found.fixed
        ],
        "random": random,
        "correlations": [
            {"group": c.group, "first": c.first, "second": c.second, "value": _number(c.value)}
            for c in found.correlations
        ],
        "groups": [{"group": size.group, "n_levels": size.n_levels} for size in found.groups],
        "icc": [{"group": group, "value": _number(value)} for group, value in found.icc],
        "r2_marginal": _number(found.r2_marginal),
        "r2_conditional": _number(found.r2_conditional),
        "loglik": _number(found.loglik),
        "n": found.n,
        "n_missing": found.n_missing,
        "converged": found.has_converged,
        "singular": found.is_singular,
        "messages": list(found.messages),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise FitError(f"There is no file {path}.", hint="Name a CSV or Parquet file.")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, encoding="utf-8-sig", low_memory=False)
    except (OSError, ValueError) as problem:
        # pandas' and pyarrow's own errors are ValueErrors; so is text that is no UTF-8.
        raise FitError(
            f"{path} cannot be read as a table ({str(problem).splitlines()[0]}).",
            hint="Save it as CSV in UTF-8, with one line of column names.",
        ) from problem


def _write(found: MixedFit, path: Path) -> None:
    import pandas as pd

    effects = [
        (e.term, e.estimate, e.se, e.df, e.statistic, e.p, e.lower, e.upper) for e in found.fixed
    ]
    columns = ["term", "estimate", "se", "df", "statistic", "p", "lower", "upper"]
    try:
        path.write_text(csv_text(pd.DataFrame(effects, columns=columns)), encoding="utf-8")
    except OSError as problem:
        raise FitError(
            f"{path} cannot be written ({problem.strerror}).", hint="Name a file in a folder."
        ) from problem


def _show(found: MixedFit) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"{found.formula}", highlight=False, markup=False, soft_wrap=True)
    sizes = ", ".join(f"{size.n_levels:,} {size.group}" for size in found.groups)
    console.print(
        f"{found.family}, {found.method}; {found.n:,} rows, {sizes}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    is_linear = not math.isnan(found.residual_sd)
    fixed = Table(title="Fixed effects" if is_linear else "Fixed effects (log-odds)")
    fixed.add_column("Term")
    for title in ("Estimate", "SE", "95 % interval", "t" if is_linear else "z", "df", "p"):
        if title != "df" or is_linear:
            fixed.add_column(title, justify="right")
    for effect in found.fixed:
        interval = f"{effect.lower:.4g} to {effect.upper:.4g}"
        df = [f"{effect.df:.1f}"] if is_linear else []
        numbers = (f"{effect.estimate:.4g}", f"{effect.se:.3g}", interval)
        fixed.add_row(effect.term, *numbers, f"{effect.statistic:.2f}", *df, _p_text(effect.p))
    console.print(fixed, highlight=False, markup=False)
    random = Table(title="Random effects")
    for title in ("Group", "Term"):
        random.add_column(title)
    random.add_column("SD", justify="right")
    for spread in found.random:
        random.add_row(spread.group, spread.term, f"{spread.sd:.4g}")
    if is_linear:
        random.add_row(RESIDUAL, "", f"{found.residual_sd:.4g}")
    console.print(random, highlight=False, markup=False)
    for line in _lines(found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(found: MixedFit) -> list[str]:
    lines = [
        f"Correlation of {c.first} and {c.second} by {c.group}: {c.value:.2f}"
        for c in found.correlations
        if not math.isnan(c.value)
    ]
    shares = ", ".join(f"{group} {value:.1%}" for group, value in found.icc)
    lines.append(f"Share of the unexplained variance between levels (ICC): {shares}")
    lines.append(
        f"Variance explained (R2): {found.r2_marginal:.1%} by the fixed effects, "
        f"{found.r2_conditional:.1%} with the random ones"
    )
    lines.append(f"Log-likelihood: {found.loglik:.4f}; p and intervals: {found.p_method}")
    lines.extend(f"Note: {message}" for message in found.messages)
    return lines


def _p_text(p: float) -> str:
    if p >= 0.001:
        return f"{p:.3f}"
    return f"{p:.1e}" if p > 0 else "< 1e-300"
