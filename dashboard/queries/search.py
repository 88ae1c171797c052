"""Moments whose view looks like a typed sentence: cosines of the sentence with every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.moment_list import MomentList
from dashboard.queries.moments import listed_numbers
from dashboard.queries.saved import Keys
from dashboard.queries.selection import Measure
from pipeline.records import ModelRef
from pipeline.score_columns import window_seconds

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Vector = tuple[float, ...]

MAX_HITS = 1_000
"""Moments that a search lists."""
_RECORDING_SHIFT = 32
_TIME_BITS = (1 << _RECORDING_SHIFT) - 1
_APART_MS = 10_000
_CANDIDATES = 200
"""Frames looked at for each one that is shown; most of them stand beside a better one."""
_PLACE = f"(r.number << {_RECORDING_SHIFT})"
_JOINED = """JOIN (SELECT recording_id, row_number() OVER (ORDER BY recording_id) - 1 AS number
    FROM recordings) r ON r.recording_id = f.recording_id"""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """When frames were taken and utterances said, over all recordings of a store.

    A place in time is one number: the recording's place among `recordings` times 2**32 plus
    milliseconds. frames: (n_frames,) ascending; onset and offset: (n_utterances,) by
    utterance_number. The offset is the first instant after the utterance.
    """

    recordings: tuple[str, ...]
    frames: Ints
    onset: Ints
    offset: Ints

    def recording(self, place: int) -> str:
        return self.recordings[place >> _RECORDING_SHIFT]

    def time_ms(self, place: int) -> int:
        return place & _TIME_BITS


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """How well every frame of a timeline fits one sentence: cosines float32 (n_frames,)."""

    times: Timeline
    cosines: Floats


@dataclass(frozen=True, slots=True)
class Hits:
    """Moments by how well their best frame fits a sentence, best first, at most MAX_HITS.

    `n_searched` utterances of the `n_chosen` have a frame in their window.
    """

    numbers: tuple[int, ...]
    cosines: tuple[float, ...]
    n_searched: int
    n_chosen: int


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame that fits a sentence, with the utterance nearest in time."""

    recording_id: str
    time_ms: int
    cosine: float
    utterance_number: int


def timeline(con: DuckDBPyConnection) -> Timeline:
    """Read when frames were taken and utterances said."""
    rows = con.execute("SELECT recording_id FROM recordings ORDER BY recording_id").fetchall()
    frames = con.execute(
        f"SELECT {_PLACE} + f.time_ms AS place FROM frames f {_JOINED} ORDER BY place"
    ).fetchnumpy()
    said = con.execute(
        f"""SELECT {_PLACE} + f.onset_ms AS said_from, {_PLACE} + f.offset_ms AS said_until
            FROM utterances f {_JOINED} ORDER BY f.utterance_number"""
    ).fetchnumpy()
    return Timeline(
        tuple(str(row[0]) for row in rows),
        np.asarray(frames["place"], np.int64),
        np.asarray(said["said_from"], np.int64),
        np.asarray(said["said_until"], np.int64),
    )


def searchable_model(
    con: DuckDBPyConnection, models: tuple[ModelRef, ...], scorer: str
) -> ModelRef | None:
    """The model behind the scorer if the store has its frame embeddings, else the first model that
    has, or None."""
    base = next((model.base for model in models if model.scorer == scorer), scorer)
    for model in sorted(models, key=lambda model: model.scorer != base):
        found = con.execute(
            "SELECT 1 FROM frame_embeddings WHERE scorer = ? LIMIT 1", [model.scorer]
        ).fetchone()
        if found:
            return model
    return None


def sentence_cosines(
    con: DuckDBPyConnection, times: Timeline, scorer: str, crop: str, vector: Vector
) -> Floats:
    """Cosine of a sentence with every frame of the timeline, float32 (n_frames,).

    Of the multi crop the best square counts. NaN where a frame has no embedding. Memory stays
    within the connection's limit, however many frames there are.
    """
    found = con.execute(
        f"""SELECT {_PLACE} + f.time_ms AS place,
                CAST(list_inner_product(f.embedding, $vector::FLOAT[]) AS FLOAT) AS cosine
            FROM frame_embeddings f {_JOINED}
            WHERE f.scorer = $scorer AND f.crop = $crop AND len(f.embedding) = $dim""",
        {"vector": list(vector), "scorer": scorer, "crop": crop, "dim": len(vector)},
    ).fetchnumpy()
    cosines = np.full(len(times.frames), np.nan, np.float32)
    places = np.searchsorted(times.frames, found["place"])
    np.fmax.at(cosines, places, found["cosine"])
    cosines.flags.writeable = False
    return cosines


def look_hits(
    con: DuckDBPyConnection,
    seen: Seen,
    filters: Filters,
    measure: Measure,
    listing: MomentList,
    restricted_to: Keys | None = None,
) -> Hits:
    """The moments of a list (its order aside) by how well the view fits the sentence."""
    chosen = listed_numbers(con, filters, measure, listing, restricted_to)
    return best_moments(seen, measure.window, chosen)


def best_moments(seen: Seen, window: str, chosen: NDArray[np.int32]) -> Hits:
    """The chosen utterances (their numbers) by the best cosine of the frames in their window."""
    times, cosines = seen.times, seen.cosines
    before_s, after_s = window_seconds(window)
    onset, offset = times.onset[chosen], times.offset[chosen]
    within = onset & _TIME_BITS
    first = np.searchsorted(times.frames, onset - np.minimum(within, before_s * 1_000))
    last = np.searchsorted(times.frames, offset + after_s * 1_000)
    best = _maxima(np.nan_to_num(cosines, nan=-np.inf), first, last)
    is_seen = np.isfinite(best)
    numbers, best = chosen[is_seen], best[is_seen]
    top = _largest(best, MAX_HITS)
    order = top[np.lexsort((numbers[top], -best[top]))]
    return Hits(
        tuple(numbers[order].tolist()), tuple(best[order].tolist()), len(numbers), len(chosen)
    )


def best_frames(seen: Seen, recordings: frozenset[str], n: int) -> list[SeenFrame]:
    """The frames of these recordings that fit best, at least 10 s apart, best first."""
    times, cosines = seen.times, seen.cosines
    allowed = np.array([recording in recordings for recording in times.recordings], np.bool_)
    if not len(times.frames) or not len(times.onset):
        return []
    usable = allowed[times.frames >> _RECORDING_SHIFT] & ~np.isnan(cosines)
    places = np.flatnonzero(usable)
    places = places[_largest(cosines[places], n * _CANDIDATES)]
    kept: list[int] = []
    for place in places[np.lexsort((places, -cosines[places]))]:
        at = int(times.frames[place])
        if all(abs(at - int(times.frames[other])) >= _APART_MS for other in kept):
            kept.append(int(place))
        if len(kept) == n:
            break
    return [
        SeenFrame(
            times.recording(int(times.frames[place])),
            times.time_ms(int(times.frames[place])),
            float(cosines[place]),
            _nearest_utterance(times, int(times.frames[place])),
        )
        for place in kept
    ]


def _maxima(values: Floats, first: Ints, last: Ints) -> Floats:
    """Largest of values[first:last] for each pair; -inf where the range is empty."""
    padded = np.append(values, np.float32(-np.inf))
    if not len(first):
        return np.zeros(0, np.float32)
    edges = np.column_stack([first, np.maximum(last, first)]).ravel()
    found = np.maximum.reduceat(padded, edges)[::2]
    return np.where(last > first, found, np.float32(-np.inf)).astype(np.float32)


def _largest(values: Floats, n: int) -> Ints:
    """Places of the n largest values, in no order."""
    if len(values) <= n:
        return np.arange(len(values))
    return np.argpartition(-values, n - 1)[:n]


def _nearest_utterance(times: Timeline, place: int) -> int:
    """Number of the utterance nearest to a place in the same recording, -1 without one."""
    after = int(np.searchsorted(times.onset, place, side="right"))
    near = [
        number
        for number in range(max(0, after - 5), min(len(times.onset), after + 1))
        if times.onset[number] >> _RECORDING_SHIFT == place >> _RECORDING_SHIFT
    ]
    return min(
        near,
        key=lambda n: max(0, int(times.onset[n]) - place, place - int(times.offset[n]) + 1),
        default=-1,
    )
