"""What a store was built without, and that no store is opened that holds more than it may.

Beside each build stands store-<build>.rules: the redactions, and the recordings whose words are not
in it because of their permission. Where metadata/ take more away now, or cannot be read, the build
stays closed until the study is published again.
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
_PUBLISH = "Bring the store up to date with: python -m pipeline run STUDY"


def rules_text(study: Study) -> str:
    """What a store of the study is built without, a line for each recording and reason."""
    wordless = [r.recording_id for r in study.recordings if not r.permission.may_be_shown]
    return study.redactions + "".join(_wordless_line(name) for name in wordless)


def rules_of_build(store: Path) -> str | None:
    """`rules_text` as it was when a build was made; None for a build that does not say."""
    try:
        return store.with_suffix(_SUFFIX).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


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
        built = rules_of_build(store)
        redactions = _redactions_now(study_root, _state(redactions_path(study_root)))
    except (StudyError, OSError) as problem:
        raise StoreError(
            "metadata/redactions.csv cannot be read, so nothing of the study is shown.",
            hint=str(problem),
        ) from problem
    lines = frozenset((built or "").splitlines())
    if frozenset(redactions.splitlines()) != {line for line in lines if not _is_wordless(line)}:
        raise StoreError(
            "metadata/redactions.csv was changed since the store was built, so nothing of the "
            "study is shown.",
            hint=_PUBLISH,
        )
    if built is None:
        return
    try:
        closed = _closed_now(study_root, metadata_state(study_root))
    except MediaError as problem:
        raise StoreError(problem.message, hint=problem.hint) from problem
    n_tightened = sum(_wordless_line(name).rstrip("\n") not in lines for name in closed)
    if n_tightened:
        raise StoreError(
            f"The permission of {n_tightened} recording(s) was made stricter since the store was "
            "built, and it holds their words, so nothing of the study is shown.",
            hint=f"{_PUBLISH} --stage publish",
        )


def _wordless_line(recording_id: str) -> str:
    return f"{recording_id}\tscores_only\n"


def _is_wordless(line: str) -> bool:
    return line.endswith("\tscores_only")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _redactions_now(study_root: Path, state: tuple[int, int]) -> str:
    return redactions_text(read_redactions(study_root))


@lru_cache(maxsize=8)
def _closed_now(study_root: Path, state: tuple[tuple[str, int, int], ...]) -> tuple[str, ...]:
    return rules_now(study_root).wordless
