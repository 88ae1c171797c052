"""Cosines of a sentence with every frame, from the files of vectors beside the store.

A store without such files is asked in SQL (`search.sentence_cosines`), which takes several times
as long.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.queries.search import Timeline, Vector, sentence_cosines
from pipeline.compiled import compiled
from pipeline.stats.products import multiply, multiply_at_once
from pipeline.store.frame_vectors import SCALE, FrameVectors, open_vectors

Floats = NDArray[np.float32]

_FEW_FRAMES = 20_000
_THREADS = 2


def cosines_of_frames(
    con: DuckDBPyConnection, store: Path, times: Timeline, scorer: str, crop: str, vector: Vector
) -> Floats:
    """Cosine of a sentence with every frame of the timeline, float32 (n_frames,); within 0.0001
    of `search.sentence_cosines`. Raises StoreError when the file of vectors is damaged."""
    vectors = open_vectors(store, scorer, crop)
    if vectors is None or (vectors.n_frames, vectors.dim) != (len(times.frames), len(vector)):
        return sentence_cosines(con, times, scorer, crop, vector)
    cosines = cosines_with(vectors, np.array(vector, np.float32))
    cosines.flags.writeable = False
    return cosines


def cosines_with(vectors: FrameVectors, sentence: Floats) -> Floats:
    """Cosine of a unit vector, (dim,), with every frame, float32 (n_frames,).

    Of several squares the best counts; NaN where a frame has no embedding. Raises StoreError when
    the file is damaged.
    """
    cosines = np.empty(vectors.n_frames, np.float32)
    scaled = (sentence / np.float32(SCALE)).astype(np.float32)
    product = multiply_at_once if vectors.n_frames <= _FEW_FRAMES else compiled(multiply)

    def fill(first: int, stop: int) -> None:
        for place, rows in vectors.pieces(first, stop):
            products = np.empty(len(rows), np.float32)
            product(rows, scaled, products)
            # Only a product of exactly 0 can be of a row of zeros, which is no embedding.
            for row in np.flatnonzero(products == 0):
                if not rows[row].any():
                    products[row] = np.nan
            squares = products.reshape(-1, vectors.n_squares)
            cosines[place : place + len(squares)] = np.fmax.reduce(squares, axis=1)

    half = vectors.n_frames // _THREADS
    with ThreadPoolExecutor(_THREADS) as threads:
        for done in [
            threads.submit(fill, 0, half),
            threads.submit(fill, half, vectors.n_frames),
        ]:
            done.result()
    return cosines
