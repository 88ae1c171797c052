"""Stage "align": scores of one recording's utterances, each with its matched chance level.

The plain score compares the transcript. Further settings compare another text, or take hubs out;
they look at the same frames and the same null windows, drawn once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align import kernels
from pipeline.align.checks import (
    check_pool,
    check_target,
    checked_hubs,
    texts_in_order,
    variant_in_order,
)
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
from pipeline.results import (
    ChildHubs,
    FrameEmbeddings,
    LagTable,
    RecordingAlignment,
    TextEmbeddings,
    Transcript,
    VariantTexts,
)
from pipeline.schema import SCORE_STATISTICS, WINDOWS
from pipeline.score_settings import PLAIN, ScorerSetting, TextVariant

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
class SettingInput:
    """What further settings need besides: made texts, and mean vectors if hubs are taken out."""

    variants: tuple[VariantTexts, ...] = ()
    hubs: ChildHubs | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
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

    def of(self, rows: Int64Array) -> _Ready:
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
class _Scored:
    """What one text for each of m utterances gives; statistics as in RecordingAlignment."""

    statistics: NDArray[np.float32]
    lags: LagTable
    has_null: NDArray[np.bool_]


def align_recording(
    target: AlignInput,
    pool: Sequence[FrameEmbeddings],
    settings: AlignSettings,
    *,
    n_threads: int = 1,
) -> RecordingAlignment:
    """Score every utterance of `target` in every window and crop, with its matched null.

    pool: frames of the same child, in any order; the target's own may be among them and are used
    only if the child has no other recording with frames. Crops are those of the settings that
    were made. What is missing is NaN: everything for a window without frames, the null and what
    follows from it where none can be drawn. Under sub_second = "nearest" an empty window takes
    the nearest frame within one grid step (n_frames 1; see windows.used_nearest).
    Raises AlignmentError when text, frames and pool do not belong together or there is no frame.
    """
    plain = replace(settings, settings=[])
    return align_settings(target, pool, plain, SettingInput(), n_threads=n_threads)[0]


def align_settings(
    target: AlignInput,
    pool: Sequence[FrameEmbeddings],
    settings: AlignSettings,
    extra: SettingInput,
    *,
    n_threads: int = 1,
) -> tuple[RecordingAlignment, ...]:
    """`align_recording`, and behind it the same utterances under each of the further settings.

    An utterance without the text that a setting compares has NaN, no lags, and the reason.
    """
    ready, texts = _prepare(target, pool, settings)
    made = {variant.variant: variant for variant in extra.variants}
    found: dict[ScorerSetting, RecordingAlignment] = {}
    wanted = (PLAIN, *settings.score_settings)
    for text in TextVariant:
        alike = [setting for setting in wanted if setting.text is text]
        if not alike:
            continue
        if text is TextVariant.RAW:
            rows, vectors = np.arange(len(ready.ids)), texts
            reasons, part = ("",) * len(ready.ids), ready
        else:
            variant = variant_in_order(made.get(text), text, target.transcript, ready.frames)
            rows = np.flatnonzero(variant.vector_row >= 0)
            vectors = variant.vectors[variant.vector_row[rows]]
            reasons, part = variant.missing_reason, ready.of(rows)
        taken_off = [
            checked_hubs(extra.hubs, text, ready.frames, ready.crops)
            if setting.is_hub_corrected
            else None
            for setting in alike
        ]
        centred = [_centred(vectors, hubs, text) for hubs in taken_off]
        scored = _score(part, centred, n_threads)
        for setting, hubs, each, one in zip(alike, taken_off, centred, scored, strict=True):
            if hubs is not None:
                one = _shifted(one, [each @ hubs.frames[crop].vector for crop in ready.crops])
            found[setting] = _alignment(ready, rows, one, reasons, setting)
    return tuple(found[setting] for setting in wanted)


def _prepare(
    target: AlignInput, pool: Sequence[FrameEmbeddings], settings: AlignSettings
) -> tuple[_Ready, Float32Array]:
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
    return _Ready(ids, frames, crops, spans, windows, null_pool, places, keys, draws), texts


def _score(ready: _Ready, texts: Sequence[Float32Array], n_threads: int) -> list[_Scored]:
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
        found.append(_Scored(statistics, lags, np.zeros(n, np.bool_)))
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


def _centred(vectors: Float32Array, hubs: ChildHubs | None, text: TextVariant) -> Float32Array:
    """Texts (m, dim) with the child's mean text taken off, where hubs are taken out."""
    if hubs is None:
        return vectors
    centred: Float32Array = np.subtract(vectors, hubs.texts[text].vector, dtype=np.float32)
    return centred


def _shifted(scored: _Scored, taken_off: Sequence[Float32Array]) -> _Scored:
    """The scores with a constant (m,) for each crop taken off every cosine of an utterance."""
    off = np.stack(taken_off, axis=1)
    statistics = scored.statistics.copy()
    statistics[..., _SHIFTED] -= off[:, :, None, None]
    lags = replace(scored.lags, cosines=scored.lags.cosines - off[scored.lags.utterance_row])
    return replace(scored, statistics=statistics, lags=lags)


def _alignment(
    ready: _Ready,
    rows: Int64Array,
    scored: _Scored,
    reasons: tuple[str, ...],
    setting: ScorerSetting,
) -> RecordingAlignment:
    """All n utterances of the recording again; those that are not among `rows` have no score."""
    n = len(ready.ids)
    statistics, lags, has_null = scored.statistics, scored.lags, scored.has_null
    if len(rows) < n:
        statistics = np.full((n, *scored.statistics.shape[1:]), np.nan, np.float32)
        statistics[rows] = scored.statistics
        has_null = np.zeros(n, np.bool_)
        has_null[rows] = scored.has_null
        lags = replace(lags, utterance_row=rows[lags.utterance_row])
    model = ready.frames.model
    missing = _missing_reasons(ready.windows, has_null)
    return RecordingAlignment(
        recording_id=ready.frames.recording_id,
        model=model if setting == PLAIN else model.under(setting),
        crops=ready.crops,
        utterance_ids=ready.ids,
        n_frames=ready.windows.n_frames,
        statistics=statistics,
        missing_reason=tuple(reason or why for reason, why in zip(reasons, missing, strict=True)),
        lags=lags,
    )


def _missing_reasons(windows: FrameRanges, has_null: NDArray[np.bool_]) -> tuple[str, ...]:
    """Why the strict score of each utterance lacks something, "" if it lacks nothing."""
    without_null = np.where(has_null, "", "no_null")
    reasons = np.where(windows.n_frames[:, 0] == 0, "no_frame_in_window", without_null)
    return tuple(reasons.tolist())
