"""Frame embeddings in 16 bits, one file per model and crop beside a store.

A sentence is compared with every frame of a study, and reading the table `frame_embeddings` for it
takes several times as long as reading these files. `store-<build>~<scorer>~<crop>.npy` holds int16
(n_frames, n_squares, dim): unit vectors times SCALE, the frames in the order of the table `frames`
(by recording, then by time), zeros where a frame has no embedding. Nothing else knows this layout.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import StoreError
from pipeline.store.layout import file_stem

SCALE = 32_767
"""A component of a unit vector lies between -1 and 1; rounding moves a cosine by some 0.00001."""

_PARTIAL = ".partial"
_ROWS_AT_ONCE = 4_096
_PIECE_BYTES = 8_388_608
"""Large enough that letting go of a piece costs little, small enough for any server."""

Int16s = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class FrameVectors:
    """The embeddings of one model and crop: `n_frames` frames of `n_squares` unit vectors."""

    path: Path
    n_frames: int
    n_squares: int
    dim: int
    offset_bytes: int

    def pieces(self, first: int, stop: int) -> Iterator[tuple[int, Int16s]]:
        """Frames from `first` to before `stop`, some at a time: the place of the piece's first
        frame, and int16 (n * n_squares, dim), not to be changed.

        Mapped, because reading copies; and let go piece by piece, because what is mapped counts
        as memory of whoever looks at it. Raises StoreError when the file ends early.
        """
        row_bytes = 2 * self.n_squares * self.dim
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < self.offset_bytes + self.n_frames * row_bytes:
                raise _damaged(self.path)
            # To be copied on writing: to the compiler of loops these are arrays like others.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        n_values = self.n_frames * self.n_squares * self.dim
        rows = np.frombuffer(mapped, np.int16, n_values, self.offset_bytes)
        rows = rows.reshape(self.n_frames * self.n_squares, self.dim)
        n_at_once = max(1, _PIECE_BYTES // row_bytes)
        let_go = (self.offset_bytes + first * row_bytes) // mmap.PAGESIZE * mmap.PAGESIZE
        for place in range(first, stop, n_at_once):
            last = min(place + n_at_once, stop)
            yield place, rows[place * self.n_squares : last * self.n_squares]
            if hasattr(mmap, "MADV_DONTNEED"):
                end = (self.offset_bytes + last * row_bytes) // mmap.PAGESIZE * mmap.PAGESIZE
                if end > let_go:
                    mapped.madvise(mmap.MADV_DONTNEED, let_go, end - let_go)
                    let_go = end


def vectors_path(store: Path, scorer: str, crop: str) -> Path:
    """Where the vectors of a model and crop lie, whether they were written or not."""
    return store.with_name(f"{store.stem}~{file_stem(scorer)}~{crop}.npy")


def vector_files(store: Path) -> list[Path]:
    """The files of vectors that belong to a store."""
    return sorted(store.parent.glob(f"{escape(store.stem)}~*~*.npy"))


def files_beside(store: Path) -> list[Path]:
    """All files that belong to a store: vectors, and the columns of `store_columns`."""
    return sorted(store.parent.glob(f"{escape(store.stem)}~*.npy"))


def open_vectors(store: Path, scorer: str, crop: str) -> FrameVectors | None:
    """The vectors of a model and crop; None where there are none.

    Raises StoreError when the file is damaged.
    """
    path = vectors_path(store, scorer, crop)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        return None
    except (ValueError, OSError, EOFError) as problem:
        raise _damaged(path) from problem
    if not isinstance(found, np.memmap) or found.dtype != np.int16 or found.ndim != 3:
        raise _damaged(path)
    n_frames, n_squares, dim = found.shape
    return FrameVectors(path, n_frames, n_squares, dim, int(found.offset))


def rows_of_recording(con: duckdb.DuckDBPyConnection, recording_id: str) -> slice:
    """Which rows of every file of vectors are a recording's frames, by the store's `frames`."""
    row = con.execute(
        """SELECT count(*) FILTER (recording_id < $id), count(*) FILTER (recording_id = $id)
           FROM frames""",
        {"id": recording_id},
    ).fetchone()
    before, n = (0, 0) if row is None else (int(row[0]), int(row[1]))
    return slice(before, before + n)


def delete_rows(path: Path, rows: Sequence[slice]) -> None:
    """Write a file of vectors again without some rows, and put it in the place of the old one.

    Whoever does this deletes the same frames from the store: file and table must stay in step.
    """
    old = np.load(path, mmap_mode="r", allow_pickle=False)
    is_kept = np.ones(len(old), np.bool_)
    for some in rows:
        is_kept[some] = False
    kept = np.flatnonzero(is_kept)
    partial = path.with_name(path.name + _PARTIAL)
    new = np.lib.format.open_memmap(partial, "w+", np.int16, (len(kept), *old.shape[1:]))
    for first in range(0, len(kept), _ROWS_AT_ONCE):
        new[first : first + _ROWS_AT_ONCE] = old[kept[first : first + _ROWS_AT_ONCE]]
    new.flush()
    del new, old
    partial.replace(path)


def write_vectors(con: duckdb.DuckDBPyConnection, store: Path) -> list[Path]:
    """Write the vectors of every model and crop of an open store under the name that it will have.

    The files are partial until `keep_vectors`. Raises StoreError when frames and embeddings do not
    belong together, OSError when they cannot be written.
    """
    times = con.execute("SELECT time_ms FROM frames ORDER BY recording_id, time_ms").fetchnumpy()
    kinds = con.execute(
        """SELECT scorer, crop, max(crop_index) + 1, max(len(embedding)) FROM frame_embeddings
           GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    written = []
    for scorer, crop, n_squares, dim in kinds:
        path = vectors_path(store, scorer, crop)
        partial = path.with_name(path.name + _PARTIAL)
        shape = (len(times["time_ms"]), int(n_squares), int(dim))
        _write(con, partial, (scorer, crop), shape, np.repeat(times["time_ms"], n_squares))
        written.append(partial)
    return written


def keep_vectors(partials: Sequence[Path]) -> None:
    """Give whole files beside a store their names: the last step before it gets its own."""
    for partial in partials:
        partial.replace(partial.with_name(partial.name.removesuffix(_PARTIAL)))


def delete_vectors(store: Path) -> None:
    """Delete the files beside a store that is being deleted."""
    for path in files_beside(store):
        path.unlink(missing_ok=True)


def delete_orphans(folder: Path) -> None:
    """Delete files whose store is gone, whole or partial: a run that was killed can leave them."""
    for path in folder.glob("store-*~*.npy*"):
        if not path.with_name(path.name.split("~")[0] + ".duckdb").is_file():
            path.unlink(missing_ok=True)


def _write(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    kind: tuple[str, str],
    shape: tuple[int, int, int],
    times_ms: NDArray[np.int32],
) -> None:
    """Write the vectors of a scorer and crop, whose rows are of frames at these times."""
    scorer, crop = kind
    dim = shape[-1]
    # The rows of a model and crop lie in the order of the frames already: nothing is sorted.
    found = con.execute(
        """SELECT rowid, time_ms FROM frame_embeddings WHERE scorer = $scorer AND crop = $crop
           ORDER BY rowid""",
        {"scorer": scorer, "crop": crop},
    ).fetchnumpy()
    if not np.array_equal(found["time_ms"], times_ms):
        raise StoreError(
            f"The embeddings of {scorer} under the {crop} crop are not those of the frames.",
            hint="Delete derived/vision and run the study again.",
        )
    rows = np.asarray(found["rowid"], np.int64)
    with path.open("wb") as file:
        header = {"descr": "<i2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for place in range(0, len(rows), _ROWS_AT_ONCE):
            of_piece = rows[place : place + _ROWS_AT_ONCE]
            values = con.execute(
                """SELECT unnest(coalesce(embedding, $nothing::FLOAT[])) AS value
                   FROM frame_embeddings
                   WHERE rowid BETWEEN $first AND $last AND scorer = $scorer AND crop = $crop""",
                {
                    "nothing": [0.0] * dim,
                    "first": int(of_piece[0]),
                    "last": int(of_piece[-1]),
                    "scorer": scorer,
                    "crop": crop,
                },
            ).fetchnumpy()["value"]
            scaled = np.asarray(values, np.float32) * np.float32(SCALE)
            np.rint(scaled).astype("<i2").tofile(file)
        file.flush()
        os.fsync(file.fileno())


def _damaged(path: Path) -> StoreError:
    return StoreError(
        f"{path.name} is damaged.",
        hint="Build the store again with: python -m pipeline run STUDY --stage publish",
    )
