"""Stage "align": scores of utterances, each with its matched chance level.

A child is scored as a whole, one crop after the other: null windows come from all its recordings,
and frames that many utterances are compared with are read from memory once. The plain score
compares the transcript. Further settings compare another text, or take hubs out; they look at the
same frames and the same null windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.checks import (
    check_frames,
    check_pool,
    check_target,
    checked_hubs,
    texts_in_order,
    variant_in_order,
)
from pipeline.align.child_frames import ChildFrames, FrameTimes
from pipeline.align.scores import Scores
from pipeline.align.threads import threads_of
from pipeline.align.utterances import Utterances, lag_table, utterances_of
from pipeline.align.windows import FrameRanges
from pipeline.config import AlignSettings
from pipeline.errors import AlignmentError
from pipeline.records import Crop, Float32Array, Int64Array, ModelRef
from pipeline.results import (
    ChildHubs,
    FrameEmbeddings,
    RecordingAlignment,
    TextEmbeddings,
    Transcript,
    VariantTexts,
)
from pipeline.score_settings import PLAIN, ScorerSetting, TextVariant


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
class ChildTarget:
    """One recording of a child to be scored: what was said, its vectors and made texts."""

    transcript: Transcript
    texts: TextEmbeddings | None
    variants: tuple[VariantTexts, ...] = ()


@dataclass(frozen=True, slots=True)
class _Words:
    """One text for some of a recording's n utterances: `rows` (m,) of them, vectors (m, dim), and
    for all n why there is none."""

    rows: Int64Array
    vectors: Float32Array
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Recording:
    """A target that can be scored: its crops, and its words for each text that is wanted."""

    target: ChildTarget
    model: ModelRef
    crops: tuple[Crop, ...]
    words: dict[TextVariant, _Words]

    @property
    def n_utterances(self) -> int:
        return len(self.target.transcript.utterances)


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
    check_frames(target.transcript, target.frames.recording_id)
    others = [frames for frames in pool if frames.recording_id != target.frames.recording_id]
    frames = ChildFrames.in_memory([target.frames, *others])
    mine = ChildTarget(target.transcript, target.texts, extra.variants)
    (found,) = align_child([mine], frames, settings, extra.hubs, n_threads=n_threads)
    if isinstance(found, AlignmentError):
        raise found
    return found


def align_child(
    targets: Sequence[ChildTarget],
    frames: ChildFrames,
    settings: AlignSettings,
    hubs: ChildHubs | None = None,
    *,
    n_threads: int = 1,
) -> list[tuple[RecordingAlignment, ...] | AlignmentError]:
    """Score recordings of a child: for each target, in their order, the plain score and every
    further setting, or the error that keeps it from being scored.

    frames: of all recordings of the child. hubs: needed where settings take hubs out.
    """
    wanted = (PLAIN, *settings.score_settings)
    kinds: dict[tuple[ModelRef, frozenset[Crop]], FrameTimes] = {}
    for one_recording in frames.recordings:
        if len(one_recording):
            kinds.setdefault((one_recording.model, one_recording.crops), one_recording)
    pool = tuple(kinds.values())
    checked = [_checked(target, frames, pool, settings, hubs) for target in targets]
    ready = [one for one in checked if isinstance(one, _Recording)]
    crops = tuple(crop for crop in Crop if any(crop in one.crops for one in ready))
    scores: dict[ScorerSetting, Scores] = {}
    taken_off: dict[ScorerSetting, list[Float32Array]] = {}
    with threads_of(n_threads) as threads, ThreadPoolExecutor(1) as reader:
        # The first vectors are read while the utterances are laid out.
        ahead = [reader.submit(frames.images, crop, threads) for crop in crops[:1]]
        whole = utterances_of(frames, [one.target.transcript for one in ready], settings)
        for setting in wanted:
            alike = next((scores[other] for other in scores if other.text is setting.text), None)
            utterances = alike.utterances if alike else whole.of(_rows(ready, setting.text))
            vectors = _vectors(ready, setting, hubs)
            scores[setting] = Scores.empty(utterances, vectors, len(crops), threads)
            if setting.is_hub_corrected and hubs is not None:
                means = [hubs.frames[crop].vector for crop in crops]
                taken_off[setting] = [_products(vectors, mean) for mean in means]
        for place, crop in enumerate(crops):
            images, n_sub_crops = ahead.pop().result() if ahead else frames.images(crop, threads)
            for setting, mine in scores.items():
                mine.fill(place, images, n_sub_crops, settings.null_draws, threads)
                if setting in taken_off:
                    mine.shift(place, taken_off[setting][place])
            del images  # before those of the next crop are read
    found = iter(_told(ready, whole, crops, scores, frames))
    return [next(found) if isinstance(one, _Recording) else one for one in checked]


def _checked(
    target: ChildTarget,
    frames: ChildFrames,
    kinds: Sequence[FrameTimes],
    settings: AlignSettings,
    hubs: ChildHubs | None,
) -> _Recording | AlignmentError:
    """What is to be scored of a target, or why it cannot be. kinds: a recording with frames of
    every model and set of crops."""
    transcript = target.transcript
    try:
        own = check_target(transcript, frames, target.texts)
        crops = tuple(crop for crop in Crop if crop in own.crops and crop.value in settings.crops)
        check_pool(own, kinds, crops)
        n = len(transcript.utterances)
        made = {variant.variant: variant for variant in target.variants}
        words: dict[TextVariant, _Words] = {}
        for setting in (PLAIN, *settings.score_settings):
            text = setting.text
            if setting.is_hub_corrected:
                checked_hubs(hubs, text, own, crops)
            if text is TextVariant.RAW:
                vectors = texts_in_order(transcript, target.texts, own.model.dim)
                words[text] = _Words(np.arange(n), vectors, ("",) * n)
            else:
                variant = variant_in_order(made.get(text), text, transcript, own)
                rows = np.flatnonzero(variant.vector_row >= 0)
                vectors = variant.vectors[variant.vector_row[rows]]
                words[text] = _Words(rows, vectors, variant.missing_reason)
    except AlignmentError as problem:
        return problem
    return _Recording(target, own.model, crops, words)


def _rows(ready: Sequence[_Recording], text: TextVariant) -> slice | Int64Array:
    """Which of all utterances of these recordings have a text."""
    if all(len(one.words[text].rows) == one.n_utterances for one in ready):
        return slice(None)
    before = np.cumsum([0, *(one.n_utterances for one in ready)])
    parts = [one.words[text].rows + n for one, n in zip(ready, before, strict=False)]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _vectors(
    ready: Sequence[_Recording], setting: ScorerSetting, hubs: ChildHubs | None
) -> Float32Array:
    """Texts (m, dim) of these recordings; where hubs are taken out, less the child's mean text."""
    parts = [one.words[setting.text].vectors for one in ready]
    vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
    if setting.is_hub_corrected and hubs is not None:
        vectors = np.subtract(vectors, hubs.texts[setting.text].vector, dtype=np.float32)
    return np.ascontiguousarray(vectors, np.float32)


def _products(vectors: Float32Array, mean: Float32Array) -> Float32Array:
    """Product of each row (m, dim) with one vector; a row's does not depend on the others, as
    that of a matrix product does in its last digit."""
    found: Float32Array = np.einsum("ij,j->i", vectors, mean, dtype=np.float64).astype(np.float32)
    return found


def _told(
    ready: Sequence[_Recording],
    whole: Utterances,
    crops: tuple[Crop, ...],
    scores: dict[ScorerSetting, Scores],
    frames: ChildFrames,
) -> Iterator[tuple[RecordingAlignment, ...]]:
    """Every recording's part of the scores."""
    times_ms = np.concatenate([np.zeros(0, np.int64), *(f.times_ms for f in frames.recordings)])
    before = 0
    before_of = dict.fromkeys(scores, (0, 0))
    for one in ready:
        windows = whole.windows.of(slice(before, before + one.n_utterances))
        before += one.n_utterances
        told = []
        for setting, mine in scores.items():
            first, first_lag = before_of[setting]
            last = first + len(one.words[setting.text].rows)
            last_lag = first_lag + int(mine.utterances.reach.n_frames[first:last].sum())
            before_of[setting] = last, last_lag
            part = mine.of(
                slice(first, last),
                slice(first_lag, last_lag),
                [crops.index(crop) for crop in one.crops],
            )
            told.append(_alignment(one, windows, setting, part, times_ms))
        yield tuple(told)


def _alignment(
    one: _Recording,
    windows: FrameRanges,
    setting: ScorerSetting,
    scores: Scores,
    times_ms: Int64Array,
) -> RecordingAlignment:
    """All n utterances of the recording; those without a text have no score."""
    n, words = one.n_utterances, one.words[setting.text]
    statistics, has_null = scores.statistics, scores.has_null
    if len(words.rows) < n:
        statistics = np.full((n, *scores.statistics.shape[1:]), np.nan, np.float32)
        statistics[words.rows] = scores.statistics
        has_null = np.zeros(n, np.bool_)
        has_null[words.rows] = scores.has_null
    lags = lag_table(scores.utterances, times_ms, scores.cosines)
    missing = _missing_reasons(windows, has_null)
    transcript = one.target.transcript
    return RecordingAlignment(
        recording_id=transcript.recording_id,
        model=one.model if setting == PLAIN else one.model.under(setting),
        crops=one.crops,
        utterance_ids=tuple(utterance.utterance_id for utterance in transcript.utterances),
        n_frames=windows.n_frames,
        statistics=statistics,
        missing_reason=tuple(
            reason or why for reason, why in zip(words.reasons, missing, strict=True)
        ),
        lags=replace(lags, utterance_row=words.rows[lags.utterance_row]),
    )


def _missing_reasons(windows: FrameRanges, has_null: NDArray[np.bool_]) -> tuple[str, ...]:
    """Why the strict score of each utterance lacks something, "" if it lacks nothing."""
    without_null = np.where(has_null, "", "no_null")
    reasons = np.where(windows.n_frames[:, 0] == 0, "no_frame_in_window", without_null)
    return tuple(reasons.tolist())
