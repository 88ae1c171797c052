"""The command `trials`: make a set of 4AFC trials, or of moments for experts' labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pipeline.cli_base import JsonOption, StudyArgument, reporting_errors
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipeline.validation.make import Stratum
    from pipeline.validation.trial_set import NewSet


Kind = TypeVar("Kind", bound=Enum)

_MODES = {"images": ("images",), "utterances": ("utterances",), "both": ("images", "utterances")}
_MADE = {"images": "Image trials", "utterances": "Utterance trials", "moment": "Moments"}


@reporting_errors
def trials(
    study: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write the trial lists there, as CSV, with how they were made."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the set; it must be free.")] = "",
    lists: Annotated[int, typer.Option(help="Lists; each rater works through one.")] = 80,
    per_list: Annotated[int, typer.Option(help="Trials of a list that enter results.")] = 40,
    bins: Annotated[int, typer.Option(help="Score bins of equal width to draw from.")] = 8,
    seed: Annotated[int, typer.Option(help="The same seed gives the same lists.")] = 1,
    raters_per_item: Annotated[
        int, typer.Option(help="Lists in which each item stands, so that raters overlap.")
    ] = 4,
    mode: Annotated[
        str,
        typer.Option(
            help="images (four images for an utterance), utterances (the reverse), or both."
        ),
    ] = "both",
    foils: Annotated[
        str, typer.Option(help="Whose moments are the wrong options: same-child or any-child.")
    ] = "same-child",
    match_length: Annotated[
        bool,
        typer.Option("--match-length", help="Foils as long as the target, within one word."),
    ] = False,
    catch: Annotated[int, typer.Option(help="Catch trials in each list.")] = 2,
    practice: Annotated[int, typer.Option(help="Practice trials before each list.")] = 3,
    image: Annotated[
        str, typer.Option(help="What raters see: full-frame, or model-input (centre square).")
    ] = "full-frame",
    sound: Annotated[bool, typer.Option("--sound", help="Raters may play the utterance.")] = False,
    min_words: Annotated[int, typer.Option(help="Leave out shorter utterances.")] = 1,
    with_doubtful: Annotated[
        bool,
        typer.Option("--with-doubtful", help="Also utterances that perhaps nobody said."),
    ] = False,
    scorer: Annotated[str, typer.Option(help="Whose scores; without it, the study's model.")] = "",
    crop: Annotated[str, typer.Option(help="center, pad, squash or multi.")] = "center",
    window: Annotated[str, typer.Option(help="strict, 1s, 2s, or seconds such as -3+1.")] = (
        "strict"
    ),
    statistic: Annotated[str, typer.Option(help="max or mean over the window.")] = "max",
    labels: Annotated[
        int,
        typer.Option(help="Instead: this many moments for experts to label as aligned or not."),
    ] = 0,
    consent: Annotated[
        Path | None, typer.Option(help="Text file that raters agree to before they start.")
    ] = None,
    closing: Annotated[
        str,
        typer.Option(help="What raters read at the end, such as a completion code or https link."),
    ] = "",
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Also make its pictures now, so that raters never wait."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a set of trials for people to rate, from moments that may be shown."""
    from pipeline.people.trial_records import ImageVariant, TrialMode
    from pipeline.store.opening import open_current_store
    from pipeline.validation.consent import read_consent
    from pipeline.validation.files.export import export_set
    from pipeline.validation.plan import Foils, TrialPlan, label_plan
    from pipeline.validation.trial_set import make_set

    if mode not in _MODES:
        raise _unknown("--mode", mode, _MODES)
    plan = TrialPlan(
        name=name or (f"Expert labels {seed}" if labels else f"Trials {seed}"),
        lists=lists,
        per_list=per_list,
        bins=bins,
        seed=seed,
        modes=tuple(TrialMode(one) for one in _MODES[mode]),
        foils=_choice(Foils, "--foils", foils),
        is_matched_on_length=match_length,
        raters_per_item=raters_per_item,
        n_catch=catch,
        n_practice=practice,
        image_variant=_choice(ImageVariant, "--image", image),
        with_sound=sound,
        min_words=min_words,
        with_doubtful=with_doubtful,
        scorer=scorer,
        crop=crop,
        window=window,
        statistic=statistic,
        closing=closing.strip(),
    )
    root = study.expanduser().resolve()
    text = "" if consent is None else read_consent(consent)
    with open_current_store(root) as con:
        new = make_set(con, root, label_plan(plan, labels) if labels else plan, consent=text)
        ready = _pictures(con, root, new.set_id, is_quiet=as_json) if pictures else ()
    written = export_set(root, new.set_id, out.expanduser()).files if out is not None else ()
    if as_json:
        typer.echo(json.dumps(_as_values(new, written), indent=1))
        return
    _show(new)
    for line in ready:
        typer.echo(line)
    if written:
        typer.echo(f"Written to {out}: {', '.join(path.name for path in written)}.")
    typer.echo(
        f"Next: invite raters on the dashboard's page Rate: python -m pipeline serve {study}"
    )


def _pictures(
    con: DuckDBPyConnection, root: Path, set_id: int, *, is_quiet: bool
) -> tuple[str, ...]:
    from pipeline.cli_output import counting
    from pipeline.validation.prepare import prepare_set

    with counting("Pictures", is_quiet) as count:
        return prepare_set(con, root, set_id, count).sentences


def _choice(kind: type[Kind], option: str, text: str) -> Kind:
    """The value that a text names; hyphens and underscores are the same."""
    try:
        return kind(text.replace("-", "_"))
    except ValueError:
        known = [str(one.value).replace("_", "-") for one in kind]
        raise _unknown(option, text, known) from None


def _unknown(option: str, text: str, known: Iterable[str]) -> SettingsError:
    return SettingsError(f"{option} is {text!r}.", hint=f"Choose one of: {', '.join(known)}.")


def _as_values(new: NewSet, written: Sequence[Path]) -> dict[str, object]:
    return {
        "set_id": new.set_id,
        "name": new.name,
        "n_items": new.made.n_main,
        "n_items_wanted": new.made.n_wanted,
        "list_lengths": list(new.made.list_lengths),
        "strata": [{**asdict(stratum), "mode": stratum.mode.value} for stratum in new.made.strata],
        "left_out": {one.reason: one.n for one in new.pool.left_out},
        "files": [path.name for path in written],
    }


def _show(new: NewSet) -> None:
    from rich.console import Console
    from rich.table import Table

    from pipeline.validation.told import sentences

    modes = list(dict.fromkeys(stratum.mode for stratum in new.made.strata))
    table = Table(title=f"{new.name}: items by score")
    for title in ("Bin", "From", "To", "Could be had", *(_MADE[one.value] for one in modes)):
        table.add_column(title, justify="right")
    rows: dict[int, list[Stratum]] = {}
    for stratum in new.made.strata:
        rows.setdefault(stratum.bin, []).append(stratum)
    for number, strata in rows.items():
        table.add_row(
            str(number + 1),
            f"{strata[0].low:.3f}",
            f"{strata[0].high:.3f}",
            f"{strata[0].n_candidates:,}",
            *(f"{one.n_made} of {one.n_wanted}" for one in strata),
        )
    Console().print(table)
    for line in sentences(new):
        typer.echo(line)
