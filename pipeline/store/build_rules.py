"""What a store may show, and that no store is opened that holds more than may be shown now.

Beside each build stands store-<build>.rules: the redactions it was made with, and the recordings
whose words are in it. Where metadata/ take more away now, or cannot be read, the build stays closed
until the study is published again.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipeline.current_rules import metadata_state, rules_now
from pipeline.errors import MediaError, StoreError, StudyError
from pipeline.redactions import read_redactions, redactions_path, redactions_text
from pipeline.store.shards import write_atomically
from pipeline.study import Study

_SUFFIX = ".rules"
_SHOWN = "\tshown"
_PUBLISH = "Bring the store up to date with: python -m pipeline run STUDY"


def rules_text(study: Study) -> str:
    """What a store of the study is built by: a line for each recording that is redacted, and one
    for each that may be shown."""
    shown = [r.recording_id for r in study.recordings if r.permission.may_be_shown]
    return study.redactions + "".join(f"{name}{_SHOWN}\n" for name in shown)


def taken_away(before: str, study: Study) -> bool:
    """Whether the study allows less now than `before`, a `rules_text`, did."""
    lines = frozenset(before.splitlines())
    hidden = [r.recording_id for r in study.recordings if not r.permission.may_be_shown]
    return bool(frozenset(study.redactions.splitlines()) - lines) or any(
        f"{name}{_SHOWN}" in lines for name in hidden
    )


def write_rules_of_build(store: Path, text: str) -> None:
    """Keep beside a build what it was made without."""
    write_atomically(store.with_suffix(_SUFFIX), lambda path: _write(path, text))


def delete_rules_of_build(store: Path) -> None:
    """Forget what a build was made without, when it is deleted itself."""
    store.with_suffix(_SUFFIX).unlink(missing_ok=True)


def refuse_if_rules_changed(study_root: Path, store: Path) -> None:
    """Raise StoreError for a build that may hold what must not be shown any more.

    That is: its redactions are not those that hold now, or a recording whose words it has may not
    be shown now, or metadata/ cannot be read.
    """
    try:
        path = store.with_suffix(_SUFFIX)
        lines = _lines_of(path, _state(path))
        redactions = _redactions_now(study_root, _state(redactions_path(study_root)))
    except (StudyError, OSError) as problem:
        raise StoreError(
            "metadata/redactions.csv cannot be read, so nothing of the study is shown.",
            hint=str(problem),
        ) from problem
    if frozenset(redactions.splitlines()) != {line for line in lines if not line.endswith(_SHOWN)}:
        raise StoreError(
            "metadata/redactions.csv was changed since the store was built, so nothing of the "
            "study is shown.",
            hint=_PUBLISH,
        )
    if not any(line.endswith(_SHOWN) for line in lines):
        return
    try:
        closed = _closed_now(study_root, metadata_state(study_root))
    except MediaError as problem:
        raise StoreError(problem.message, hint=problem.hint) from problem
    n_tightened = sum(f"{name}{_SHOWN}" in lines for name in closed)
    if n_tightened:
        raise StoreError(
            f"The permission of {n_tightened} recording(s) was made stricter since the store was "
            "built, and it holds their words, so nothing of the study is shown.",
            hint=f"{_PUBLISH} --stage publish",
        )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _lines_of(path: Path, state: tuple[int, int]) -> frozenset[str]:
    """The lines of a build's rules; none for a build of a version that wrote none."""
    try:
        return frozenset(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return frozenset()


@lru_cache(maxsize=8)
def _redactions_now(study_root: Path, state: tuple[int, int]) -> str:
    return redactions_text(read_redactions(study_root))


@lru_cache(maxsize=8)
def _closed_now(study_root: Path, state: tuple[tuple[str, int, int], ...]) -> tuple[str, ...]:
    return rules_now(study_root).wordless
