"""The scores once more, slowly and straight from their definition, to compare with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.align.stage import AlignInput
from pipeline.config import AlignSettings
from pipeline.records import Crop
from pipeline.results import FrameEmbeddings
from pipeline.schema import MAX_LAG_MS, NULL_MIN_LAG_MS, SCORE_STATISTICS, WINDOWS

_MASK = (1 << 64) - 1


def lag(time_ms: int, onset_ms: int, offset_ms: int) -> int:
    if time_ms < onset_ms:
        return time_ms - onset_ms
    return max(0, time_ms - (offset_ms - 1))


def product(text: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Products of one text with images (k, dim), both kept as 16-bit whole numbers: images in
    steps of 1/32700, the text as finely as its length and its largest component allow."""
    scale = np.float32(min(64_000 / np.linalg.norm(text), 32_767 / np.abs(text).max()))
    whole_text = np.rint(text * scale).astype(int)
    whole_images = np.rint(images * np.float32(32_700)).astype(int)
    return (whole_images @ whole_text) / (float(scale) * 32_700)


def cosine(text: np.ndarray, frames: FrameEmbeddings, crop: Crop, row: int) -> float:
    return float(product(text, frames.vectors(crop)[row]).max())


def fraction(seed: int, recording_id: str, utterance_id: str, draw: int) -> float:
    """The draw-th random number of an utterance (SplitMix64 with whole numbers)."""
    text = f"{seed}\n{recording_id}\n{utterance_id}".encode()
    key = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
    state = (key + (draw + 1) * 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    state ^= state >> 31
    return (state >> 11) / 2**53


def scores(
    target: AlignInput,
    pool: Sequence[FrameEmbeddings],
    settings: AlignSettings,
    cosine: Callable[[np.ndarray, FrameEmbeddings, Crop, int], float] = cosine,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """(n_frames, statistics, missing_reason), as in RecordingAlignment, with float64."""
    frames, texts = target.frames, target.texts
    others = sorted(
        (f for f in pool if f.recording_id != frames.recording_id and len(f.times_ms)),
        key=lambda f: f.recording_id,
    )
    crops = [c for c in Crop if c.value in settings.crops and c in {e.crop for e in frames.crops}]
    utterances = target.transcript.utterances
    shape = (len(utterances), len(crops), len(WINDOWS), len(SCORE_STATISTICS))
    statistics = np.full(shape, np.nan)
    n_frames = np.zeros((len(utterances), len(WINDOWS)), int)
    missing = []
    step_ms = float(np.median(np.diff(frames.times_ms)))
    for row, utterance in enumerate(utterances):
        onset, offset = utterance.span.onset_ms, utterance.span.offset_ms
        lags = [lag(int(t), onset, offset) for t in frames.times_ms]
        inside = []
        for width in WINDOWS.values():
            members = [i for i, value in enumerate(lags) if abs(value) <= width]
            if not members and settings.sub_second == "nearest":
                nearest = min(range(len(lags)), key=lambda i: (abs(lags[i]), i))
                members = [nearest] if abs(lags[nearest]) <= step_ms else []
            inside.append(members)
        n_frames[row] = [len(members) for members in inside]
        null = _null_windows(target, row, others, lags, inside, settings)
        if not inside[0]:
            missing.append("no_frame_in_window")
        else:
            missing.append("no_null" if null[0] is None else "")
        for c, crop in enumerate(crops):
            text = texts.vectors[texts.utterance_ids.index(utterance.utterance_id)]
            for w, members in enumerate(inside):
                if members:
                    real = [cosine(text, frames, crop, i) for i in members]
                    drawn = null[w] and [
                        [cosine(text, source, crop, i) for i in window]
                        for source, window in null[w]
                    ]
                    statistics[row, c, w] = _statistics(real, drawn)
    return n_frames, statistics, missing


def _null_windows(target, row, others, lags, inside, settings):
    """For each window None, or K pairs (frames of a recording, rows of the null window)."""
    utterance = target.transcript.utterances[row]
    if others:
        stretches = [(source, range(len(source.times_ms))) for source in others]
    else:
        before = [i for i, value in enumerate(lags) if value < -NULL_MIN_LAG_MS]
        after = [i for i, value in enumerate(lags) if value > NULL_MIN_LAG_MS]
        stretches = [(target.frames, before), (target.frames, after)]
    for widest in reversed(range(len(inside))):
        length = len(inside[widest])
        places = [
            (source, list(stretch[at : at + length]))
            for source, stretch in stretches
            for at in range(len(stretch) - length + 1)
        ]
        if length and places:
            break
    else:
        return [None] * len(inside)
    recording_id = target.transcript.recording_id
    drawn = [
        places[int(fraction(settings.seed, recording_id, utterance.utterance_id, k) * len(places))]
        for k in range(settings.null_draws)
    ]
    windows = []
    for w, members in enumerate(inside):
        if w > widest or not members:
            windows.append(None)
            continue
        at = members[0] - inside[widest][0]
        windows.append([(source, rows[at : at + len(members)]) for source, rows in drawn])
    return windows


def _statistics(real: list[float], drawn: list[list[float]] | None) -> list[float]:
    values = {
        "max_cosine": max(real),
        "mean_cosine": float(np.mean(real)),
        "min_cosine": min(real),
    }
    if drawn is not None:
        largest = np.array([max(window) for window in drawn])
        means = np.array([np.mean(window) for window in drawn])
        values["null_mean"] = float(largest.mean())
        values["null_sd"] = float(largest.std(ddof=1))
        values["p"] = float((1 + (largest >= values["max_cosine"]).sum()) / (len(drawn) + 1))
        if values["null_sd"] > 1e-6:
            values["z"] = (values["max_cosine"] - values["null_mean"]) / values["null_sd"]
        if means.std(ddof=1) > 1e-6:
            values["mean_z"] = float((values["mean_cosine"] - means.mean()) / means.std(ddof=1))
    return [values.get(column.name, np.nan) for column in SCORE_STATISTICS]


def lag_rows(frames: FrameEmbeddings, spans: Sequence[tuple[int, int]]) -> list[tuple[int, ...]]:
    """(utterance row, time_ms, lag_ms) of every frame within MAX_LAG_MS."""
    return [
        (row, int(time), lag(int(time), *span))
        for row, span in enumerate(spans)
        for time in frames.times_ms
        if abs(lag(int(time), *span)) <= MAX_LAG_MS
    ]
