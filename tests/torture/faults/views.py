"""What can be seen of a study from outside: its current store as the dashboard opens it, and
everything else that a run leaves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from pipeline.errors import CoviewError
from pipeline.store.frame_vectors import vector_files
from pipeline.store.locate import current_store_path
from pipeline.store.publish import store_digests
from pipeline.store.seals import build_is_whole

NOTHING = "no store"
_NOT_CONTENT = ("logs/", "stores/", "run.lock", "plan.json", "media-digests.json")
_STRAY = (".partial", ".tmp", ".wal", "blocks/")


@dataclass(frozen=True, slots=True)
class Content:
    """What a finished run leaves: the store by `store_view`, and every other derived file."""

    store: str
    files: dict[str, str]

    def difference(self, other: Content) -> str:
        """In a sentence what `other` has otherwise; "" when they are equal."""
        if self.files != other.files:
            names = sorted(self.files.keys() ^ other.files.keys())
            changed = sorted(
                name
                for name in self.files.keys() & other.files.keys()
                if self.files[name] != other.files[name]
            )
            return f"derived files more or fewer: {names[:6]}, of other content: {changed[:6]}"
        return "" if self.store == other.store else f"the store is {other.store}, not {self.store}"


def store_view(root: Path) -> str:
    """The current store: NOTHING, a digest of all its tables and of the files beside it, or what
    the person is told where it cannot be shown.

    Whatever is not a plain sentence of Coview's is raised: a traceback on the page.
    """
    try:
        path = current_store_path(root)
    except CoviewError as problem:
        return f"told: {problem.message}"
    if path is None:
        return NOTHING
    digest = hashlib.sha256(repr(sorted(store_digests(path).items())).encode())
    for file in vector_files(path):
        digest.update(file.name.removeprefix(path.stem).encode())
        digest.update(np.load(file, allow_pickle=False).tobytes())
    if not path.with_suffix(".rules").is_file() or not build_is_whole(path):
        return "a store without its rules, or with other files than were written"
    return digest.hexdigest()[:16]


def quick_view(root: Path) -> tuple[int, ...]:
    """Numbers of rows of the current store, () without one: quick enough to ask all the time."""
    path = current_store_path(root)
    if path is None:
        return ()
    with duckdb.connect(str(path), read_only=True) as con:
        names = ("recordings", "utterances", "words", "frames", "frame_embeddings", "lags")
        counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in names)
        row = con.execute(f"SELECT {counts}").fetchone()
    return tuple(int(value) for value in row or ())


def content_of(root: Path) -> Content:
    """What lies under derived/ but for logs and names of builds."""
    derived = root / "derived"
    names = {path.relative_to(derived).as_posix(): path for path in sorted(derived.rglob("*"))}
    files = {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if path.is_file() and not name.startswith(_NOT_CONTENT)
    }
    stores = [name for name in names if name.startswith("stores/")]
    for name in [*files, *stores]:
        if any(part in name for part in _STRAY):
            files[name] = "left over"
    n_builds = sum(name.endswith(".duckdb") for name in stores)
    for suffix in (".rules", ".sums"):
        n_beside = sum(name.endswith(suffix) for name in stores)
        if n_builds != n_beside:
            files["stores"] = f"{n_builds} builds, {n_beside} files {suffix}"
    return Content(store_view(root), files)
