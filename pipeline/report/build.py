"""From a store to the whole report."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.exchange.facts import StoreFacts
from pipeline.report import phrases
from pipeline.report.collect import Collected, OnStep, collect
from pipeline.report.document import Report
from pipeline.report.request import ReportRequest
from pipeline.report.sections.ablations import ablations
from pipeline.report.sections.answer import answer
from pipeline.report.sections.caveats import caveats
from pipeline.report.sections.distributions import distributions
from pipeline.report.sections.human import human
from pipeline.report.sections.methods import citing, methods
from pipeline.report.sections.models import model_caveats, models
from pipeline.report.sections.sample import sample
from pipeline.report.sections.words import words


def build_report(
    con: DuckDBPyConnection,
    study_root: Path | None,
    facts: StoreFacts,
    request: ReportRequest,
    on_step: OnStep = lambda step, share: None,
) -> Report:
    """Read the store, fit the models, draw the figures.

    `study_root` is where measured word error rates lie; without it none are told. Raises StoreError
    when there is no utterance to report on.
    """
    data = collect(con, study_root, facts, request, on_step)
    on_step("Drawing", 0.85)
    sections = (
        answer(data),
        methods(data),
        sample(data),
        distributions(data),
        ablations(data),
        models(data),
        words(data.words),
        *human(data),
        caveats(data, model_caveats(data.analyses)),
        citing(data),
    )
    return Report(
        f"{facts.study_name}: do words match what was in view?",
        _facts(data),
        request.made_on.isoformat(),
        data.n_utterances,
        sections,
    )


def _facts(data: Collected) -> tuple[tuple[str, str], ...]:
    facts = data.facts
    rows = [
        ("Study", facts.study_name),
        ("Utterances", data.request.scope.selection.words),
        ("Score", "Model " + phrases.setting_words(data.request.setting, data.model)),
        ("Store build", f"{facts.build or 'unknown'} (inputs {facts.inputs_digest or 'unknown'})"),
    ]
    if facts.run is not None and facts.run.finished_at is not None:
        rows.append(("Store built", f"{facts.run.finished_at:%Y-%m-%d}"))
    rows.append(("Coview", version("coview")))
    return tuple((name, value[:1].upper() + value[1:]) for name, value in rows)
