"""Run an analysis: read its table, fit it, say what it says, or why there is no answer."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from pipeline.errors import FitError
from pipeline.predictors.analysis import Analysis, AnalysisResult
from pipeline.predictors.tables import MOST_ROWS, ModelTable, TableFacts, checked, read_table

OnStep = Callable[[str], None]
"""Called with what is being done."""


def run(
    con: duckdb.DuckDBPyConnection,
    analysis: Analysis,
    *,
    on_step: OnStep = lambda step: None,
    most_rows: int = MOST_ROWS,
    with_curves: bool = True,
) -> AnalysisResult:
    """Read, fit and sum up. `con` is a cursor of the store; nothing is written.

    `with_curves` False leaves out predictions and diagnostics, which only a page draws.

    Whatever in the data or the formula stands against a fit is told in the result, never raised.
    """
    facts: TableFacts | None = None
    try:
        on_step("Reading the utterances")
        table = read_table(
            con, analysis.choice, analysis.unit, analysis.formula, most_rows=most_rows
        )
        facts = table.facts
        on_step(f"Fitting {facts.n_rows:,} rows")
        return _fitted(analysis, checked(table, analysis.formula), on_step, with_curves=with_curves)
    except FitError as problem:
        return AnalysisResult(analysis, None, (), problem.message, problem.hint, facts)


def _fitted(
    analysis: Analysis, table: ModelTable, on_step: OnStep, *, with_curves: bool
) -> AnalysisResult:
    # The server starts without the statistics: they are loaded when somebody fits a model.
    from pipeline.predictors.contrasts import effects_of, joint_tests
    from pipeline.predictors.diagnosing import diagnose
    from pipeline.predictors.predicting import curves_of
    from pipeline.predictors.words import answer, outcome_of
    from pipeline.stats.mixed.fit import fit_mixed

    fit = fit_mixed(table.rows, analysis.formula, family=analysis.family)
    on_step("Summing up")
    focus = analysis.focus or predictors_of(analysis.formula)
    effects = effects_of(fit, table.rows, focus)
    joint = joint_tests(fit, [predictor for predictor in focus if ":" not in predictor])
    return AnalysisResult(
        analysis,
        fit,
        answer(fit, outcome_of(analysis.formula, analysis.family), effects, joint),
        facts=table.facts,
        effects=effects,
        joint_tests=joint,
        curves=curves_of(fit, table.rows, focus) if with_curves else (),
        diagnostics=diagnose(fit, table.rows) if with_curves else None,
    )


def predictors_of(formula: str) -> tuple[str, ...]:
    """The columns of the fixed part in their order, then interactions of two as "a:b"."""
    from pipeline.stats.mixed.expression import column_names
    from pipeline.stats.mixed.formula import parse_formula

    found = []
    for term in parse_formula(formula).fixed.terms:
        columns = dict.fromkeys(name for variable in term for name in column_names(variable))
        if len(columns) <= 2:
            found.append(":".join(columns))
    return tuple(dict.fromkeys(found))
