"""Frame times and vectors of chosen frames, from the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.errors import ProbeError
from pipeline.records import Float32Array, Int64Array


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Times int64 (n_frames,), ms, of each recording that has frames; recordings of each child."""

    of_recording: Mapping[str, Int64Array]
    of_child: Mapping[str, tuple[str, ...]]
    owner: Mapping[str, str]

    def child_of(self, recording_id: str) -> str:
        """The child of a recording with frames."""
        return self.owner[recording_id]

    def run(self, pool: Sequence[str], first: int, n: int) -> list[tuple[str, int]]:
        """n frames from place `first` on of recordings laid one behind the other, within one."""
        starts = np.cumsum([0, *(len(self.of_recording[recording]) for recording in pool)])
        place = int(np.searchsorted(starts, first, "right")) - 1
        begin = first - int(starts[place])
        times = self.of_recording[pool[place]][begin : begin + n]
        return [(pool[place], int(time_ms)) for time_ms in times]

    def others_of(self, child_id: str, recording_id: str) -> tuple[str, ...]:
        """The child's other recordings with frames, by id."""
        return tuple(r for r in self.of_child[child_id] if r != recording_id)


class FramesWanted:
    """Frames that are asked for again and again, each kept once: recording and time -> row."""

    def __init__(self) -> None:
        self._row: dict[tuple[str, int], int] = {}

    def rows(self, frames: Iterable[tuple[str, int]]) -> Int64Array:
        """Rows (n,) of frames in the matrix that `read_vectors` gives."""
        found = [self._row.setdefault(frame, len(self._row)) for frame in frames]
        return np.array(found, np.int64)

    def frames(self) -> Sequence[tuple[str, int]]:
        """All of them, in order of row."""
        return list(self._row)


def frame_times(con: duckdb.DuckDBPyConnection, children: Sequence[str]) -> FrameTimes:
    """Times of all frames of some children."""
    rows = con.execute(
        """SELECT r.child_id, f.recording_id, list(f.time_ms ORDER BY f.time_ms)
           FROM frames f JOIN recordings r USING (recording_id)
           WHERE r.child_id IN (SELECT unnest($children)) GROUP BY ALL ORDER BY ALL""",
        {"children": list(children)},
    ).fetchall()
    of_recording = {recording: np.array(times, np.int64) for _, recording, times in rows}
    of_child: dict[str, tuple[str, ...]] = {}
    for child, recording, _ in rows:
        of_child[child] = (*of_child.get(child, ()), recording)
    owner = {recording: child for child, recording, _ in rows}
    return FrameTimes(of_recording, of_child, owner)


def read_vectors(
    con: duckdb.DuckDBPyConnection, scorer: str, crop: str, wanted: FramesWanted
) -> Float32Array:
    """Unit vectors float32 (n, dim) of the wanted frames.

    Raises ProbeError when the store lacks one of them.
    """
    frames = wanted.frames()
    asked = pa.table(
        {
            "place": pa.array(range(len(frames)), pa.int64()),
            "recording_id": pa.array([recording for recording, _ in frames], pa.string()),
            "time_ms": pa.array([time_ms for _, time_ms in frames], pa.int32()),
        }
    )
    con.register("frames_asked", asked)
    try:
        found = con.execute(
            """SELECT e.embedding
               FROM frame_embeddings e JOIN frames_asked a USING (recording_id, time_ms)
               WHERE e.scorer = $scorer AND e.crop = $crop AND e.crop_index = 0
               ORDER BY a.place""",
            {"scorer": scorer, "crop": crop},
        ).fetchnumpy()["embedding"]
    finally:
        con.unregister("frames_asked")
    if len(found) != len(frames):
        raise ProbeError(
            f"The store holds {len(found):,} of {len(frames):,} frame embeddings of {scorer} "
            f"under the {crop} crop.",
            hint="Add the crop to align.crops in study.toml and run the study again.",
        )
    return np.stack([np.asarray(vector, np.float32) for vector in found])


def read_mean_text(
    con: duckdb.DuckDBPyConnection, scorer: str, utterances: Sequence[tuple[str, str]]
) -> Float32Array:
    """Mean (dim,) of the text vectors of utterances, given by recording and utterance id."""
    asked = pa.table(
        {
            "recording_id": pa.array([recording for recording, _ in utterances], pa.string()),
            "utterance_id": pa.array([utterance for _, utterance in utterances], pa.string()),
        }
    )
    con.register("texts_asked", asked)
    try:
        rows = con.execute(
            """SELECT e.embedding FROM utterance_embeddings e
               JOIN texts_asked a USING (recording_id, utterance_id) WHERE e.scorer = $scorer
               ORDER BY e.recording_id, e.utterance_id""",
            {"scorer": scorer},
        ).fetchall()
    finally:
        con.unregister("texts_asked")
    if len(rows) != len(utterances):
        raise ProbeError(
            f"The store lacks text embeddings of {len(utterances) - len(rows):,} utterances.",
            hint="Run the study again.",
        )
    vectors = np.array([vector for (vector,) in rows], np.float32)
    mean: Float32Array = vectors.mean(axis=0, dtype=np.float32)
    return mean
