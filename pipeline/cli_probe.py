"""The command `probe`: what drives the score of a model."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_base import (
    DeviceOption,
    JsonOption,
    QuietOption,
    StudyArgument,
    reporting_errors,
)

if TYPE_CHECKING:
    from pipeline.probes.results import FinishedProbe
    from pipeline.probes.run import LoadModel
    from pipeline.probes.settings import ProbeSettings
    from pipeline.probes.verdicts import Index
    from pipeline.study import Study
    from pipeline.vision.image_text_model import ImageTextModel

_VERDICTS = {True: "yes", False: "no", None: "–"}


@reporting_errors
def probe(
    study: StudyArgument,
    sample: Annotated[int, typer.Option(min=1, help="Utterances to draw.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 1,
    scorer: Annotated[
        str, typer.Option(help="Which model's score; without it, the study's own.")
    ] = "",
    crop: Annotated[str, typer.Option(help="center, pad or squash.")] = "center",
    search: Annotated[
        int,
        typer.Option(min=0, help="For so many frames, search the sentence the model likes best."),
    ] = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """What drives the score: change the words, watch the score (see docs/probing.md)."""
    from pipeline.probes.settings import ProbeSettings
    from pipeline.study import open_study

    opened = open_study(study)
    settings = ProbeSettings(n_utterances=sample, seed=seed, crop=crop)
    found = probed(opened, settings, device, scorer=scorer, quiet=quiet)
    if search:
        searched(opened, found, device, search, quiet=quiet)
    if as_json:
        typer.echo(json.dumps(_content(found), indent=1))
        return
    _show(found)
    typer.echo(f"Written to {found.folder.relative_to(opened.root)}; the dashboard shows it.")
    typer.echo("Into the store too: python -m pipeline run STUDY --stage publish")


def probed(
    study: Study, settings: ProbeSettings, device: str, *, scorer: str = "", quiet: bool = False
) -> FinishedProbe:
    """Probe a study by its own model, or read the probe if it was made before."""
    from pipeline.cli_output import counting
    from pipeline.probes.run import run_probe

    with counting("Utterances probed", quiet) as count:
        return run_probe(study, settings, _loader(study, device), scorer=scorer, on_progress=count)


def searched(
    study: Study, found: FinishedProbe, device: str, n: int, *, quiet: bool = False
) -> None:
    """Search the favourite sentences of n frames of a probe."""
    from pipeline.cli_output import counting
    from pipeline.probes.run import run_search

    with counting("Frames searched", quiet) as count:
        run_search(study, found, _loader(study, device), n, count)


def _loader(study: Study, device: str) -> LoadModel:
    def load() -> ImageTextModel:
        from pipeline.engine.tools import resolved_device
        from pipeline.vision.open_clip_model import OpenClipModel

        return OpenClipModel(study.settings.model, study.root, resolved_device(device))

    return load


def _content(found: FinishedProbe) -> dict[str, object]:
    from pipeline.probes.indices import effect_rows

    return {
        "scorer": found.identity.scorer,
        "settings": asdict(found.identity.settings),
        "counts": asdict(found.facts.counts),
        "words": found.facts.knowledge_sources,
        "indices": [asdict(index) for index in found.indices],
        "effects": [
            {**asdict(row), "change": row.change.value, "label": row.change.label}
            for row in effect_rows(found.measured(), found.identity.settings)
        ],
        "favourites": [asdict(one) for one in found.searched()],
    }


def _show(found: FinishedProbe) -> None:
    from rich.console import Console
    from rich.table import Table

    from pipeline.probe_tables import CORPUS
    from pipeline.probes.indices import effect_rows

    console = Console()
    counts = found.facts.counts
    table = Table(title=f"What drives the score of {found.identity.scorer}")
    for title in ("Index", "Value", "95 % interval", "Chance", "n", "Supported"):
        table.add_column(title, justify="left" if title == "Index" else "right")
    rows = [index for index in found.indices if index.scope == CORPUS]
    for index in rows:
        table.add_row(
            index.name,
            _number(index.value),
            _interval(index),
            _number(index.chance),
            f"{index.n:,}",
            _VERDICTS[index.supports],
        )
    console.print(table)
    for index in rows:
        console.print(f"{index.name}: {index.note}.", highlight=False, markup=False)
    changes = Table(title="What changing the words does (in s0)")
    for title in ("Change", "Best frame", "Middle frame", "Text alone", "n"):
        changes.add_column(title, justify="left" if title == "Change" else "right")
    for row in effect_rows(found.measured(), found.identity.settings):
        numbers = (_with_interval(one) for one in (row.best, row.middle, row.shift))
        changes.add_row(row.change.label, *numbers, f"{row.best.n:,}")
    console.print(changes)
    console.print(
        f"{counts.n_sampled:,} of {counts.n_usable:,} usable utterances "
        f"({counts.n_utterances:,} in all). {found.facts.knowledge_sources}",
        highlight=False,
        markup=False,
    )
    searched = found.searched()
    if searched:
        favourites = Table(title="What the model would call aligned")
        for title in ("Heard", "The model's favourite", "Headroom (s0)", "Shared nouns"):
            favourites.add_column(title, justify="right" if "(s0)" in title else "left")
        for one in searched:
            best = one.favourite
            favourites.add_row(
                one.text, best.text, f"{best.headroom:.2f}", ", ".join(best.shared) or "–"
            )
        console.print(favourites)
    for reason, n in counts.not_usable:
        console.print(f"Not usable: {n:,} with {reason}.", highlight=False, markup=False)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(index: Index) -> str:
    if index.lower is None or index.upper is None:
        return "–"
    return f"{index.lower:.3f} to {index.upper:.3f}"


def _with_interval(index: Index) -> str:
    return f"{_number(index.value)} ({_interval(index)})"
