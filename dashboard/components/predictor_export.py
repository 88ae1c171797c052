"""A model to take along: its table, its coefficients, and the call that fits it in R."""

from __future__ import annotations

import json

import streamlit as st

from dashboard.components.export_job import Work, export_button
from dashboard.components.export_tables import file_stem
from dashboard.components.predictor_tables import coefficient_table, random_table
from dashboard.components.view import View
from pipeline.exchange.bundle import BundledFile, BundledText, write_bundle
from pipeline.exchange.table_export import Bundle
from pipeline.predictors.analysis import Analysis, AnalysisResult
from pipeline.predictors.columns import BY_NAME
from pipeline.predictors.r_script import r_script
from pipeline.predictors.tables import levels_of, model_table
from pipeline.spreadsheet import csv_text


def in_r(view: View, result: AnalysisResult) -> None:
    """The R call to copy, and a button that makes a zip of the table and the results."""
    if result.fit is None:
        return
    analysis = result.analysis
    st.subheader("The same in R", anchor=False)
    levels = {
        v.text: v.levels for v in result.fit.coding.variables if v.text in BY_NAME and v.levels
    }
    st.code(r_script(analysis, _table_name(analysis), levels), language="r", wrap_lines=True)
    export_button(
        "Table, coefficients and R script",
        key="export_model",
        store=view.store,
        what=f"model {analysis.formula}",
        identity=f"{view.store.key} {analysis!r}",
        make=lambda work: _make(view, result, work),
    )


def _table_name(analysis: Analysis) -> str:
    return f"{analysis.key}-{analysis.unit}.csv"


def _make(view: View, result: AnalysisResult, work: Work) -> Bundle:
    fit, analysis = result.fit, result.analysis
    assert fit is not None
    work.on_step("Reading the table", None)
    table = model_table(work.cursor, analysis.choice, analysis.unit, analysis.formula)
    path = work.folder / _table_name(analysis)
    path.write_text(csv_text(table.rows), encoding="utf-8")
    described = {
        "formula": analysis.formula,
        "family": analysis.family,
        "answer": result.sentence,
        "method": fit.method,
        "p": fit.p_method,
        "messages": list(fit.messages),
        "made_of": table.facts.words,
        "columns": {
            name: {"meaning": BY_NAME[name].meaning, "unit": BY_NAME[name].unit}
            for name in table.rows.columns
        },
        "score": {
            "scorer": analysis.choice.scorer,
            "crop": analysis.choice.crop,
            "window": analysis.choice.window,
            "statistic": analysis.choice.statistic,
            "scale": analysis.choice.scale,
            "threshold": analysis.choice.threshold,
        },
        "store_build": view.store.options.build,
    }
    target = work.folder / f"{file_stem(view, f'model {analysis.key}')}.zip"
    write_bundle(
        target,
        [BundledFile(path, path.name)],
        [
            BundledText(csv_text(coefficient_table(fit)), "coefficients.csv"),
            BundledText(csv_text(random_table(fit)), "random-effects.csv"),
            BundledText(r_script(analysis, path.name, levels_of(table.rows)) + "\n", "model.R"),
            BundledText(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "model.json"),
        ],
        lambda n_done, n_total: work.on_step("Packing", n_done / max(1, n_total)),
    )
    path.unlink()
    return Bundle(target, len(table.rows))
