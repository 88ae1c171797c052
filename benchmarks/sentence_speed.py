"""How long a typed sentence takes to find its frames, in each way.

    python -m benchmarks.sentence_speed [--frames 300000] [--write]

Frames with random unit vectors of 512 numbers are written to a store and, by the pipeline's own
code, to the 16-bit file beside it. In one process a sentence is then compared with all of them: in
SQL, from an fp16 array in NumPy, and from the file. Frames are found as well if the best 20 of
each sentence are those of exact arithmetic. Times are of the processor and, in brackets, of the
clock, the best of several, and for 1.2 million frames in proportion. `--write` keeps the ratio to
SQL and the frames found in results.csv.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from benchmarks.charts_speed import best, timed
from benchmarks.results import Result, record
from dashboard.queries.sentence import cosines_with
from pipeline.store.frame_vectors import keep_vectors, open_vectors, write_vectors

Floats = NDArray[np.float32]
DIM, PER_RECORDING, AT_ONCE = 512, 1_000, 20_000
CORPUS = 1_200_000
_LEAST_RATIO, _LEAST_RECALL = 10.0, 0.98


def main() -> int:
    """Print the table; the exit code is 1 when the file is not clearly faster or finds others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentence_speed")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--write", action="store_true", help="add the lines of results.csv")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ratio, recall = _compare(Path(folder), asked.frames)
    if asked.write:
        record(_results(ratio, recall, asked.frames))
    is_met = ratio >= _LEAST_RATIO and recall >= _LEAST_RECALL
    print(f"{ratio:.1f} times SQL: " + ("met" if is_met else "MISSED"))
    return int(not is_met and asked.frames >= 100_000)


def _results(ratio: float, recall: float, n_frames: int) -> list[Result]:
    size = f"{n_frames:,} frames, vectors of {DIM}"
    command = "python -m benchmarks.sentence_speed --frames 300000 --write"
    return [
        Result(
            "Store",
            f"a sentence's frames: {measure}",
            value,
            unit,
            limit,
            True,
            against,
            size,
            command,
        )
        for measure, value, unit, limit, against in (
            ("CPU time saved", ratio, "times", _LEAST_RATIO, "SQL"),
            ("best 20 found", recall, "of all", _LEAST_RECALL, "exact arithmetic"),
        )
    ]


def unit_vectors(n: int, seed: int) -> Floats:
    """float32 (n, DIM), with a direction in common, as images of one model have."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((n, DIM), np.float32) + np.float32(2) * np.eye(1, DIM, 7)[0]
    found: Floats = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return found


def _write(con: duckdb.DuckDBPyConnection, n_frames: int) -> Floats:
    con.execute(
        "CREATE TABLE frames (recording_id VARCHAR, time_ms INTEGER);"
        "CREATE TABLE frame_embeddings (recording_id VARCHAR, time_ms INTEGER, scorer VARCHAR, "
        "crop VARCHAR, crop_index INTEGER, embedding FLOAT[])"
    )
    everything = []
    for first in range(0, n_frames, AT_ONCE):
        vectors = unit_vectors(min(AT_ONCE, n_frames - first), first)
        everything.append(vectors)
        import pyarrow as pa

        offsets = np.arange(0, vectors.size + 1, DIM, dtype=np.int32)
        block = pa.table(
            {
                "place": np.arange(first, first + len(vectors)),
                "embedding": pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel())),
            }
        )
        con.register("block", block)
        con.execute(
            f"""INSERT INTO frame_embeddings SELECT format('r{{:06d}}', place // {PER_RECORDING}),
                ((place % {PER_RECORDING}) * 1000)::INTEGER, 'm', 'center', 0, embedding
                FROM block ORDER BY place"""
        )
        con.unregister("block")
    con.execute("INSERT INTO frames SELECT recording_id, time_ms FROM frame_embeddings")
    return np.concatenate(everything)


def _compare(folder: Path, n_frames: int) -> tuple[float, float]:
    """Print the table. Returns CPU time of SQL over that of the file, and the share of the best 20
    that the file finds."""
    store = folder / "store-frames.duckdb"
    with duckdb.connect(str(store)) as con:
        exact = _write(con, n_frames)
        written = timed(lambda: keep_vectors(write_vectors(con, store)))
    vectors = open_vectors(store, "m", "center")
    assert vectors is not None
    np.save(folder / "half.npy", exact.astype(np.float16))
    half = np.load(folder / "half.npy", mmap_mode="r")
    con = duckdb.connect(str(store), read_only=True)
    queries = unit_vectors(5, -1 % 2**31)

    def in_sql(query: Floats) -> Floats:
        found = con.execute(
            "SELECT CAST(list_inner_product(embedding, $v::FLOAT[]) AS FLOAT) AS cosine "
            "FROM frame_embeddings WHERE scorer = 'm' AND crop = 'center'",
            {"v": query.tolist()},
        ).fetchnumpy()
        return np.asarray(found["cosine"])

    def in_numpy(query: Floats) -> Floats:
        pieces = [
            half[first : first + 1_024].astype(np.float32) @ query
            for first in range(0, n_frames, 1_024)
        ]
        return np.concatenate(pieces)

    ways: dict[str, Callable[[Floats], Floats]] = {
        "SQL": in_sql,
        "fp16 in NumPy": in_numpy,
        "16-bit file": lambda query: cosines_with(vectors, query),
    }
    wanted = [set(np.argsort(-(exact @ query))[:20].tolist()) for query in queries]
    to_corpus = CORPUS / n_frames
    print(f"{n_frames:,} frames of {DIM}; file written in {written} ms")
    print(f"{'way':16}{'ms':>16}{'for 1.2 million':>20}{'best 20 found':>16}")
    took, recalls = {}, {}
    for name, way in ways.items():
        fastest = best(lambda way=way: way(queries[0]), 5)  # type: ignore[misc]
        found = [set(np.argsort(-way(query))[:20].tolist()) for query in queries]
        recalls[name] = float(
            np.mean([len(a & b) / 20 for a, b in zip(wanted, found, strict=True)])
        )
        took[name] = fastest.cpu_ms
        whole = f"{to_corpus * fastest.cpu_ms:,.0f} ({to_corpus * fastest.clock_ms:,.0f})"
        print(f"{name:16}{fastest!s:>16}{whole:>20}{recalls[name]:16.3f}")
    con.close()
    return took["SQL"] / took["16-bit file"], recalls["16-bit file"]


if __name__ == "__main__":
    sys.exit(main())
