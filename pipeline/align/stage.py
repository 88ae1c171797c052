"""Stage "align": scores of one recording's utterances, each with its matched chance level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align import kernels
from pipeline.align.checks import check_pool, check_target, texts_in_order
from pipeline.align.null import draw_runs, places_in_others, places_in_same, utterance_keys
from pipeline.align.null_scores import NullPool, NullWork, score_null, turns
from pipeline.align.window_scores import score_windows
from pipeline.align.windows import FrameRanges, Spans, frame_ranges, grid_step_ms, with_nearest
from pipeline.config import AlignSettings
from pipeline.records import Crop
from pipeline.results import FrameEmbeddings, RecordingAlignment, TextEmbeddings, Transcript
from pipeline.schema import SCORE_STATISTICS, WINDOWS

_NAMES = tuple(column.name for column in SCORE_STATISTICS)
_OBSERVED = [_NAMES.index(name) for name in kernels.OBSERVED]
_CHANCE = [_NAMES.index(name) for name in kernels.CHANCE]


@dataclass(frozen=True, slots=True)
class AlignInput:
    """What the earlier stages left for one recording. `texts` may be None if nothing was said."""

    transcript: Transcript
    frames: FrameEmbeddings
    texts: TextEmbeddings | None


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

    statistics = np.full((len(ids), len(crops), len(WINDOWS), len(_NAMES)), np.nan, np.float32)
    lags, observed = score_windows(texts, frames, crops, spans, windows)
    for index in range(len(crops)):
        statistics[:, index][..., _OBSERVED] = observed[index]
    has_null = np.zeros(len(ids), np.bool_)

    null_pool = NullPool.of(others or [frames])
    if others:
        places = places_in_others(null_pool.starts, [len(f.times_ms) for f in others])
    else:
        places = places_in_same(spans, frames.times_ms)
    keys = utterance_keys(frames.recording_id, ids, settings.seed)
    for rows in turns(windows.n_frames[:, -1], settings.null_draws):
        part = windows.of(rows)
        runs = draw_runs(part, places.of(rows), keys[rows], settings.null_draws)
        work = NullWork.of(runs, null_pool)
        has_null[rows] = runs.window_first[:, 0] >= 0
        for index, crop in enumerate(crops):
            statistics[rows, index][..., _CHANCE] = score_null(
                texts[rows], null_pool, crop, work, part, observed[index][rows], n_threads
            )
    return RecordingAlignment(
        recording_id=frames.recording_id,
        model=frames.model,
        crops=crops,
        utterance_ids=ids,
        n_frames=windows.n_frames,
        statistics=statistics,
        missing_reason=_missing_reasons(windows, has_null),
        lags=lags,
    )


def _missing_reasons(windows: FrameRanges, has_null: NDArray[np.bool_]) -> tuple[str, ...]:
    """Why the strict score of each utterance lacks something, "" if it lacks nothing."""
    without_null = np.where(has_null, "", "no_null")
    reasons = np.where(windows.n_frames[:, 0] == 0, "no_frame_in_window", without_null)
    return tuple(reasons.tolist())
