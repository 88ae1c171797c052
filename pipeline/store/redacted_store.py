"""Which redactions a store was built with, and that no other is opened.

The redactions stand beside each build as store-<build>.redactions. Where metadata/redactions.csv
says something else now, or cannot be read, the build may hold what was taken away since: it stays
closed until the study is published again.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipeline.errors import StoreError, StudyError
from pipeline.redactions import read_redactions, redactions_path, redactions_text
from pipeline.store.shards import write_atomically

_SUFFIX = ".redactions"


def redactions_of_build(store: Path) -> str:
    """What a build was made without, as `redactions_text`; "" when nothing was taken away."""
    try:
        return store.with_suffix(_SUFFIX).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def write_redactions_of_build(store: Path, text: str) -> None:
    """Keep beside a build what it was made without."""
    write_atomically(store.with_suffix(_SUFFIX), lambda path: _write(path, text))


def delete_redactions_of_build(store: Path) -> None:
    """Forget what a build was made without, when it is deleted itself."""
    store.with_suffix(_SUFFIX).unlink(missing_ok=True)


def refuse_if_redactions_changed(study_root: Path, store: Path) -> None:
    """Raise StoreError unless the build was made with the redactions that hold now."""
    hint = "Bring the store up to date with: python -m pipeline run STUDY"
    try:
        now = _text_now(study_root, _state(redactions_path(study_root)))
        built = redactions_of_build(store)
    except (StudyError, OSError) as problem:
        raise StoreError(
            "metadata/redactions.csv cannot be read, so nothing of the study is shown.",
            hint=str(problem),
        ) from problem
    if now != built:
        raise StoreError(
            "metadata/redactions.csv was changed since the store was built, so nothing of the "
            "study is shown.",
            hint=hint,
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
def _text_now(study_root: Path, state: tuple[int, int]) -> str:
    return redactions_text(read_redactions(study_root))
