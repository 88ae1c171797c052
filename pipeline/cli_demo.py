"""What the demo command adds to the run: small steps, each of which skips what is done."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.cli_wer import measured
from pipeline.errors import CoviewError

_PROBED, _SEARCHED = 400, 12
"""Utterances that are probed, and frames for which the model's favourite sentence is searched."""


def finish_demo(folder: Path, quiet: bool) -> bool:
    """All that comes after the demo's run; true when the store is to be published again."""
    _compare_words(folder)
    _add_simulated_raters(folder)
    has_sound = _add_sound(folder, quiet)
    return _add_probe(folder, quiet) or has_sound


def _compare_words(folder: Path) -> None:
    from pipeline.demo.study_writer import REFERENCE_SET
    from pipeline.study import open_study

    measured(open_study(folder), folder, REFERENCE_SET)


def _add_simulated_raters(folder: Path) -> None:
    from pipeline.demo.simulated_study import add_simulated_study

    try:
        add_simulated_study(folder.expanduser().resolve())
    except CoviewError as problem:
        # Changed settings can leave too little to ask about; the demo works without raters.
        typer.echo(f"Note: no simulated raters: {problem}", err=True)


def _add_sound(folder: Path, quiet: bool) -> bool:
    from pipeline.cli_output import stepping
    from pipeline.demo.sound_study import add_sound
    from pipeline.engine.lock import study_lock
    from pipeline.engine.progress import last_shards
    from pipeline.sound.prepared import StudyShards
    from pipeline.store.layout import Stage
    from pipeline.study import open_study

    study = open_study(folder)
    shards = StudyShards(last_shards(study, Stage.SPEECH), last_shards(study, Stage.TEXT))
    try:
        with study_lock(study), stepping("Sound", quiet) as step:
            return add_sound(study, shards, step)
    except CoviewError as problem:
        # The demo works without sound, as where transformers is not installed.
        typer.echo(f"Note: no sound: {problem}", err=True)
        return False


def _add_probe(folder: Path, quiet: bool) -> bool:
    from pipeline.cli_probe import probed, searched
    from pipeline.probes.settings import ProbeSettings
    from pipeline.study import open_study

    study = open_study(folder)
    try:
        found = probed(study, ProbeSettings(n_utterances=_PROBED), "auto", quiet=quiet)
        is_new = not found.searched()
        if is_new:
            searched(study, found, "auto", _SEARCHED, quiet=quiet)
    except CoviewError as problem:
        # Changed settings can leave nothing to probe; the demo works without.
        typer.echo(f"Note: no probe: {problem}", err=True)
        return False
    return is_new
