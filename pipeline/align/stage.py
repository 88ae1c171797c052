"""Stage "align": scores of one recording's utterances, each with its matched chance level.

The plain score compares the transcript. Further settings compare another text, or take hubs out;
they look at the same frames and the same null windows, drawn once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.checks import checked_hubs, variant_in_order
from pipeline.align.scoring import AlignInput, Ready, Scored, centred, prepare, score, shifted
from pipeline.align.windows import FrameRanges
from pipeline.config import AlignSettings
from pipeline.records import Int64Array
from pipeline.results import ChildHubs, FrameEmbeddings, RecordingAlignment, VariantTexts
from pipeline.score_settings import PLAIN, ScorerSetting, TextVariant

__all__ = ["AlignInput", "SettingInput", "align_recording", "align_settings"]


@dataclass(frozen=True, slots=True)
class SettingInput:
    """What further settings need besides: made texts, and mean vectors if hubs are taken out."""

    variants: tuple[VariantTexts, ...] = ()
    hubs: ChildHubs | None = None


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
    ready, texts = prepare(target, pool, settings)
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
        each_centred = [centred(vectors, hubs, text) for hubs in taken_off]
        scored = score(part, each_centred, n_threads)
        for setting, hubs, each, one in zip(alike, taken_off, each_centred, scored, strict=True):
            if hubs is not None:
                one = shifted(one, [each @ hubs.frames[crop].vector for crop in ready.crops])
            found[setting] = _alignment(ready, rows, one, reasons, setting)
    return tuple(found[setting] for setting in wanted)


def _alignment(
    ready: Ready,
    rows: Int64Array,
    scored: Scored,
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
