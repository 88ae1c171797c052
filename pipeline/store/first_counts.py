"""What the dashboard counts for its opening page, counted when the store is published.

Each scorer is counted as pages open with it: the first crop, the strict window, the maximum, at
its own threshold (or on the z scale, where it has none). Counts are kept by speaker and by
recording or child, so that choices of these are added up, as `dashboard.queries.cube` does with
counts of its own; a test compares both. Any other threshold, crop or window is counted from the
columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.bin_width import nice_width, spread_of
from pipeline.ratio_moments import moments_of_chance, moments_of_scores
from pipeline.records import ModelRef
from pipeline.score_columns import CROPS, wide_column
from pipeline.score_settings import MADE_TEXTS
from pipeline.store.column_file import Array, ColumnWriter, part_name

FIRST_WINDOW = "strict"
Z_THRESHOLD = 2.0
NULL_CELL = 0.0025
"""Width of a cell of null means and SDs."""
MOST_CELLS = 4_000_000
_REACH, _STEPS = 8.0, 8_192

Ints = NDArray[np.int64]
Scores = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CountedAs:
    """A way to score utterances, by all that counts of it depend on."""

    scorer: str
    crop: str
    window: str
    statistic: str
    scale: str
    threshold: float
    is_made_text: bool

    def name(self, what: str) -> str:
        """What counts of this kind go by, in memory and in the file of columns."""
        return f"{what} {self!r}"

    def pair_name(self, what: str, other: CountedAs) -> str:
        """What counts of utterances under this and another way go by."""
        return f"{what} {self!r} {other!r}"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where each utterance is counted, int64 (n_utterances,): its recording by code, its child in
    alphabetical order, its speaker in alphabetical order with the unknown last; how many of each
    there are; and the child of each recording, int32 (n_recordings,), with its age in days."""

    recording: Ints
    child: Ints
    speaker: Ints
    n_recordings: int
    n_children: int
    n_speakers: int
    child_of: NDArray[np.int32]
    ages: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class FirstScores:
    """Scores of one scorer as pages open with it, float32 (n_utterances,), NaN for none. `chosen`
    (n,) are the utterances that have a row; n_frames is -1 where there is no text to compare."""

    chosen: NDArray[np.int32]
    n_frames: Scores
    cosine: Scores
    z: Scores
    null_mean: Scores
    null_sd: Scores

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The columns of `scores_wide` that the last five hold, but for n_frames."""
        return tuple(
            wide_column(CROPS[0], FIRST_WINDOW, name)
            for name in ("max_cosine", "z", "null_mean", "null_sd")
        )


def first_measure(model: ModelRef) -> CountedAs:
    """As pages open with a model."""
    threshold = model.default_threshold
    scale = "z" if threshold is None else "raw"
    return CountedAs(
        model.scorer,
        CROPS[0],
        FIRST_WINDOW,
        "max",
        scale,
        Z_THRESHOLD if threshold is None else float(threshold),
        model.setting.text in MADE_TEXTS,
    )


def write_first_counts(
    file: ColumnWriter, model: ModelRef, scores: FirstScores, places: Places
) -> None:
    """Count a scorer and add the counts to the file of columns."""
    measure, chosen = first_measure(model), scores.chosen
    speaker, recording, child = (
        part[chosen] for part in (places.speaker, places.recording, places.child)
    )
    of_recording = speaker * places.n_recordings + recording
    of_child = speaker * places.n_children + child
    by_recording = (places.n_speakers, places.n_recordings)
    by_child = (places.n_speakers, places.n_children)
    mine = FirstScores(
        chosen,
        *(
            part[chosen]
            for part in (scores.n_frames, scores.cosine, scores.z, scores.null_mean, scores.null_sd)
        ),
    )
    counts, sums = _scores(mine, measure, of_recording, by_recording)
    add_counts(file, measure.name("scores"), counts, sums)
    add_moments_of(
        file,
        measure.name("scores"),
        counts,
        sums,
        lambda counts, sums: moments_of_scores(
            counts, sums, places.child_of, places.ages, places.n_children
        ),
    )
    n_scored, total, squares = counts[..., 1].sum(), sums[..., 0].sum(), sums[..., 1].sum()
    width = nice_width(spread_of(float(total), float(squares), float(n_scored)), float(n_scored))
    bins = _bins(mine, measure, width, of_child, by_child)
    if bins is not None:
        add_counts(file, f"{measure.name('bins')} {width!r}", bins)
    if measure.scale == "raw":
        counts, sums = _chance(mine, measure, of_recording, by_recording)
        add_counts(file, measure.name("chance"), counts, sums)
        add_moments_of(
            file,
            measure.name("chance"),
            counts,
            sums,
            lambda counts, sums: moments_of_chance(
                counts, sums, places.child_of, places.n_children
            ),
        )
        cells = _null_cells(mine, of_child, by_child)
        if cells is not None:
            add_counts(file, measure.name("null"), *cells)


def add_counts(file: ColumnWriter, name: str, counts: Ints, sums: Doubles | None = None) -> None:
    """Add counts and sums, (n_speakers, n, ...), and the same of all speakers, (n, 1, ...)."""
    for place, cells in enumerate(
        (counts, np.zeros((*counts.shape[:2], 0)) if sums is None else sums)
    ):
        file.add(f"cube {name} #{place}", cells)
        file.add(f"whole cube {name} #{place}", cells.sum(axis=0)[:, None])


def add_moments_of(
    file: ColumnWriter,
    name: str,
    counts: Ints,
    sums: Doubles,
    moments: Callable[[Ints, Doubles], tuple[Array, ...]],
) -> None:
    """Add what `moments` says of counts and sums, (n_speakers, n_recordings, ...): of all speakers
    and of each."""
    for of, *cells in (
        ("children", counts.sum(axis=0)[:, None], sums.sum(axis=0)[:, None]),
        ("children by speaker", np.moveaxis(counts, 0, 1), np.moveaxis(sums, 0, 1)),
    ):
        for place, found in enumerate(moments(*cells)):
            file.add(part_name(f"{of} {name}", place), found)


def _scores(
    scores: FirstScores, measure: CountedAs, place: Ints, shape: tuple[int, int]
) -> tuple[Ints, Doubles]:
    """(*shape, 6) and (*shape, 2): as `pipeline.stats.counting.count_scores`."""
    is_z = measure.scale == "z"
    value = scores.z if is_z else scores.cosine
    known = ~np.isnan(value)
    is_high = known & (value >= np.float32(measure.threshold))
    has_cosine = ~known & ~np.isnan(scores.cosine) if is_z else np.zeros(len(value), np.bool_)
    counts = np.stack(
        [
            _counted(place, of, shape)
            for of in (
                np.ones(len(value), np.bool_),
                known,
                is_high,
                ~known & (scores.n_frames == 0),
                has_cosine,
                ~known & (scores.n_frames < 0),
            )
        ],
        axis=-1,
    )
    exact = value[known].astype(np.float64)
    sums = [_summed(place[known], values, shape) for values in (exact, exact * exact)]
    return counts, np.stack(sums, axis=-1)


def _chance(
    scores: FirstScores, measure: CountedAs, place: Ints, shape: tuple[int, int]
) -> tuple[Ints, Doubles]:
    """(*shape, 2) and (*shape, 3): as `pipeline.stats.tallies.count_chance`."""
    from scipy.special import ndtr

    known = _has_null(scores)
    place = place[known]
    value, mean, sd = (
        part[known].astype(np.float64) for part in (scores.cosine, scores.null_mean, scores.null_sd)
    )
    is_high = scores.cosine[known] >= np.float32(measure.threshold)
    table = ndtr(np.linspace(-_REACH, _REACH, _STEPS + 1))
    step = ((mean - measure.threshold) / np.maximum(sd, 1e-9) + _REACH) * (_STEPS / (2 * _REACH))
    step = np.clip(step, 0.0, float(_STEPS))
    below = np.minimum(step.astype(np.int64), _STEPS - 1)
    expected = table[below] + (step - below) * (table[below + 1] - table[below])
    counts = [_counted(place, of, shape) for of in (np.ones(len(place), np.bool_), is_high)]
    sums = [_summed(place, values, shape) for values in (value, mean, expected)]
    return np.stack(counts, axis=-1), np.stack(sums, axis=-1)


def _bins(
    scores: FirstScores, measure: CountedAs, width: float, place: Ints, shape: tuple[int, int]
) -> Ints | None:
    """(*shape, n_bins): scored utterances by bin; the threshold is the edge of one."""
    value = scores.z if measure.scale == "z" else scores.cosine
    known = ~np.isnan(value)
    found = _levels(value[known], float(np.float32(measure.threshold)), width)
    n_bins = int(found.max()) + 1 if len(found) else 1
    if n_bins * shape[0] * shape[1] > MOST_CELLS:
        return None
    cells = np.bincount(place[known] * n_bins + found, minlength=shape[0] * shape[1] * n_bins)
    return cells.astype(np.int64).reshape(*shape, n_bins)


def _null_cells(
    scores: FirstScores, place: Ints, shape: tuple[int, int]
) -> tuple[Ints, Doubles] | None:
    """(*shape, n_mean, n_sd) and (*shape, n_mean, n_sd, 2): scored utterances that have a null, by
    cells of its mean and SD, and sums of these."""
    known = _has_null(scores)
    nulls = [
        (part[known].astype(np.float64), _levels(part, 0.0, NULL_CELL, known))
        for part in (scores.null_mean, scores.null_sd)
    ]
    (mean, a), (sd, b) = nulls
    sizes = tuple(
        int(_levels(part, 0.0, NULL_CELL).max(initial=0)) + 1
        for part in (scores.null_mean, scores.null_sd)
    )
    n_cells = shape[0] * shape[1] * sizes[0] * sizes[1]
    if n_cells > MOST_CELLS:
        return None
    cell = (place[known] * sizes[0] + a) * sizes[1] + b
    whole = (*shape, *sizes)
    counts = np.bincount(cell, minlength=n_cells).astype(np.int64).reshape(whole)
    sums = [np.bincount(cell, values, n_cells).reshape(whole) for values in (mean, sd)]
    return counts, np.stack(sums, axis=-1)


def _levels(
    values: Scores, origin: float, width: float, kept: NDArray[np.bool_] | None = None
) -> Ints:
    """Bins of values that are not NaN, or of those kept, counted from the lowest of all."""
    known = ~np.isnan(values)
    if not known.any():
        return np.zeros(0, np.int64)
    first = np.floor((float(np.fmin.reduce(values)) - origin) / width)
    exact = values[known if kept is None else kept].astype(np.float64)
    found: Ints = (np.floor((exact - origin) / width) - first).astype(np.int64)
    return found


def _has_null(scores: FirstScores) -> NDArray[np.bool_]:
    has: Array = ~(np.isnan(scores.cosine) | np.isnan(scores.null_mean) | np.isnan(scores.null_sd))
    return np.asarray(has, np.bool_)


def _counted(place: Ints, of: NDArray[np.bool_], shape: tuple[int, int]) -> Ints:
    found = np.bincount(place[of], minlength=shape[0] * shape[1])
    return found.astype(np.int64).reshape(shape)


def _summed(place: Ints, values: Doubles, shape: tuple[int, int]) -> Doubles:
    return np.bincount(place, values, shape[0] * shape[1]).astype(np.float64).reshape(shape)
