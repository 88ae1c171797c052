"""Scores of one recording for given texts: what is drawn and looked at once, then any texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align import kernels
from pipeline.align.checks import check_pool, check_target, texts_in_order
from pipeline.align.null import (
    Places,
    UInt64Array,
    draw_runs,
    places_in_others,
    places_in_same,
    utterance_keys,
)
from pipeline.align.null_scores import NullPool, NullWork, score_null, turns
from pipeline.align.window_scores import score_windows
from pipeline.align.windows import FrameRanges, Spans, frame_ranges, grid_step_ms, with_nearest
from pipeline.config import AlignSettings
from pipeline.records import Crop, Float32Array, Int64Array
from pipeline.results import ChildHubs, FrameEmbeddings, LagTable, TextEmbeddings, Transcript
from pipeline.schema import SCORE_STATISTICS, WINDOWS
from pipeline.score_settings import TextVariant

_NAMES = tuple(column.name for column in SCORE_STATISTICS)
_OBSERVED = [_NAMES.index(name) for name in kernels.OBSERVED]
_CHANCE = [_NAMES.index(name) for name in kernels.CHANCE]
_SHIFTED = [_NAMES.index(name) for name in (*kernels.OBSERVED, "null_mean")]
"""Statistics that a constant taken off all cosines of an utterance lowers by as much."""


@dataclass(frozen=True, slots=True)
class AlignInput:
    """What the earlier stages left for one recording. `texts` may be None if nothing was said."""

    transcript: Transcript
    frames: FrameEmbeddings
    texts: TextEmbeddings | None


@dataclass(frozen=True, slots=True)
class Ready:
    """One recording before any text is looked at: which frames, which null windows.

    The text-dependent arrays that follow are over some of its n utterances, `rows`.
    """

    ids: tuple[str, ...]
    frames: FrameEmbeddings
    crops: tuple[Crop, ...]
    spans: Spans
    windows: FrameRanges
    null_pool: NullPool
    places: Places
    keys: UInt64Array
    n_draws: int

    def of(self, rows: Int64Array) -> Ready:
        """The same for some of the utterances."""
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            spans=Spans(self.spans.onset_ms[rows], self.spans.offset_ms[rows]),
            windows=FrameRanges(self.windows.first[rows], self.windows.n_frames[rows]),
            places=self.places.of(rows),
            keys=self.keys[rows],
        )


@dataclass(frozen=True, slots=True)
class Scored:
    """What one text for each of m utterances gives; statistics as in RecordingAlignment."""

    statistics: NDArray[np.float32]
    lags: LagTable
    has_null: NDArray[np.bool_]


def prepare(
    target: AlignInput, pool: Sequence[FrameEmbeddings], settings: AlignSettings
) -> tuple[Ready, Float32Array]:
    """Check that everything belongs together; also the text vectors (n, dim) in order."""
    check_target(target.transcript, target.frames, target.texts)
    frames = target.frames
    others = sorted(
        (f for f in pool if f.recording_id != frames.recording_id and len(f.times_ms)),
        key=lambda f: f.recording_id,
    )
    made = {entry.crop for entry in frames.crops}
    crops = tuple(crop for crop in Crop if crop in made and crop.value in settings.crops)
    check_pool(frames, others, crops)
    texts = texts_in_order(target.transcript, target.texts, frames.model.dim)
    spans = Spans.of(target.transcript.utterances)
    ids = tuple(utterance.utterance_id for utterance in target.transcript.utterances)
    windows = frame_ranges(spans, frames.times_ms, tuple(WINDOWS.values()))
    if settings.sub_second == "nearest":
        windows = with_nearest(windows, spans, frames.times_ms, grid_step_ms(frames))
    null_pool = NullPool.of(others or [frames])
    if others:
        places = places_in_others(null_pool.starts, [len(f.times_ms) for f in others])
    else:
        places = places_in_same(spans, frames.times_ms)
    keys = utterance_keys(frames.recording_id, ids, settings.seed)
    draws = settings.null_draws
    return Ready(ids, frames, crops, spans, windows, null_pool, places, keys, draws), texts


def score(ready: Ready, texts: Sequence[Float32Array], n_threads: int) -> list[Scored]:
    """Scores of the ready utterances for each array (m, dim) of texts; draws are made once."""
    windows, crops, n = ready.windows, ready.crops, len(ready.ids)
    shape = (n, len(crops), len(WINDOWS), len(_NAMES))
    found = []
    seen = []
    for vectors in texts:
        lags, observed = score_windows(vectors, ready.frames, crops, ready.spans, windows)
        statistics = np.full(shape, np.nan, np.float32)
        for index in range(len(crops)):
            statistics[:, index][..., _OBSERVED] = observed[index]
        found.append(Scored(statistics, lags, np.zeros(n, np.bool_)))
        seen.append(observed)
    for rows in turns(windows.n_frames[:, -1], ready.n_draws):
        part = windows.of(rows)
        runs = draw_runs(part, ready.places.of(rows), ready.keys[rows], ready.n_draws)
        work = NullWork.of(runs, ready.null_pool)
        for vectors, observed, one in zip(texts, seen, found, strict=True):
            one.has_null[rows] = runs.window_first[:, 0] >= 0
            for index, crop in enumerate(crops):
                one.statistics[rows, index][..., _CHANCE] = score_null(
                    vectors[rows],
                    ready.null_pool,
                    crop,
                    work,
                    part,
                    observed[index][rows],
                    n_threads,
                )
    return found


def centred(vectors: Float32Array, hubs: ChildHubs | None, text: TextVariant) -> Float32Array:
    """Texts (m, dim) with the child's mean text taken off, where hubs are taken out."""
    if hubs is None:
        return vectors
    centred: Float32Array = np.subtract(vectors, hubs.texts[text].vector, dtype=np.float32)
    return centred


def shifted(scored: Scored, taken_off: Sequence[Float32Array]) -> Scored:
    """The scores with a constant (m,) for each crop taken off every cosine of an utterance."""
    off = np.stack(taken_off, axis=1)
    statistics = scored.statistics.copy()
    statistics[..., _SHIFTED] -= off[:, :, None, None]
    lags = replace(scored.lags, cosines=scored.lags.cosines - off[scored.lags.utterance_row])
    return replace(scored, statistics=statistics, lags=lags)
