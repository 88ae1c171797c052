"""Delete what was made before a redaction or a stricter permission: older builds, caches, shards
that still hold what was taken away.

What is deleted can be made again. Clips and pictures go for all recordings, because their names
say nothing of whose they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from glob import escape
from pathlib import Path

from pipeline.store.build_rules import rules_text, taken_away
from pipeline.store.layout import Stage, file_stem
from pipeline.store.locate import POINTER_NAME, stores_folder
from pipeline.store.shards import write_atomically
from pipeline.study import Study

_STATE = "rules-swept.txt"
_CACHES = ("clips", "cache", "exports", "report", "probes", "word_errors", "sound/scores")


def sweep_redacted(study: Study, current: Path, shards: Collection[Path]) -> int:
    """Delete what holds more than it may, once for each thing that was taken away; how many files.

    current: the build that was made with them; shards: those it was made from.
    """
    state = study.derived / _STATE
    text = rules_text(study)
    before = _read(state)
    if before == text:
        return 0
    if not (_is_first(study) if before is None else taken_away(before, study)):
        write_atomically(state, lambda path: _write(path, text))
        return 0
    n_deleted = 0
    for path in (*_old_builds(study, current), *_shown(study), *_old_shards(study, shards)):
        n_deleted += path.is_file()
        path.unlink(missing_ok=True)
    for name in _CACHES:
        shutil.rmtree(study.derived / name, ignore_errors=True)
    write_atomically(state, lambda path: _write(path, text))
    return n_deleted


def _read(state: Path) -> str | None:
    try:
        return state.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _is_first(study: Study) -> bool:
    """Whether what was made before anybody kept count may hold too much."""
    return bool(study.redactions) or any(not r.permission.may_be_shown for r in study.recordings)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _old_builds(study: Study, current: Path) -> Iterator[Path]:
    """Other builds with what lies beside them, and copies made of them for single viewers."""
    for path in sorted(stores_folder(study.root).rglob("*")):
        is_own = path.parent == current.parent and path.name.startswith(current.stem)
        is_lock = path.name == "lock" or path.suffix == ".lock"
        if path.is_file() and not is_own and not is_lock and path.name != POINTER_NAME:
            yield path


def _shown(study: Study) -> Iterator[Path]:
    folders = [study.derived / name for name in _CACHES]
    folders += sorted(study.derived.glob("export-*"))
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _old_shards(study: Study, shards: Collection[Path]) -> Iterator[Path]:
    """Shards, kept blocks and features of redacted recordings that the store was not made from,
    and such scores of the same children, whose chance level was drawn from all their frames."""
    redacted = [r for r in study.recordings if r.blackout or r.mute]
    children = {r.child_id for r in redacted}
    kept = set(shards)
    for recording in study.recordings:
        stages: tuple[str, ...] = ()
        if recording.child_id in children:
            stages = (Stage.ALIGN.value,)
        if recording in redacted:
            stages = (*(stage.value for stage in Stage), "sound/features", "speech/*")
        for stage in stages:
            pattern = f"{stage}/*/{escape(file_stem(recording.recording_id))}~*"
            for found in sorted(study.derived.glob(pattern)):
                inside = found.rglob("*") if found.is_dir() else [found]
                yield from (path for path in inside if path.is_file() and path not in kept)
