"""Studies in which nothing is aligned: words and frames are drawn apart from each other.

Frames of a recording resemble each other, the more the closer they are in time, and children's
homes differ, as they do in video; some texts lie closer to all frames than others, as they do in
CLIP. Scores and their matched null come from the product's own stage "align".
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.simulated_studies import Size, durations_s
from pipeline.align.stage import AlignInput, align_recording
from pipeline.config import AlignSettings
from pipeline.records import Crop, Float32Array, MediaInfo, ModelRef, TimeSpan, Utterance
from pipeline.results import CropEmbeddings, FrameEmbeddings, TextEmbeddings, Transcript
from pipeline.schema import SCORE_STATISTICS

_DIM = 16
_MODEL = ModelRef("random", "random", "", "r", _DIM, 224, "none", "fp32")
_STATISTICS = tuple(column.name for column in SCORE_STATISTICS)
_LONGEST_MS = 12_000


def unaligned_study(
    rng: np.random.Generator, size: Size, *, n_utterances: int = 20, n_seconds: int = 400
) -> pd.DataFrame:
    """Scored utterances of one study: score (maximum cosine), z (against its K matched windows),
    duration (s), n_frames, child, recording. Those without a sampled frame have no score and are
    left out, as in every analysis."""
    parts = []
    for child in range(size.n_children):
        home = rng.normal(0, 0.4, _DIM)
        frames = [
            _frames(rng, f"c{child}r{number}", home, n_seconds)
            for number in range(size.n_recordings)
        ]
        for number, own in enumerate(frames):
            recording = child * size.n_recordings + number
            part = _scored(rng, own, frames, n_utterances, n_seconds)
            parts.append(part.assign(child=child, recording=recording))
    table = pd.concat(parts, ignore_index=True).dropna()
    return table.astype({"child": "category", "recording": "category"})


def _frames(
    rng: np.random.Generator, name: str, home: NDArray[np.float64], n_seconds: int
) -> FrameEmbeddings:
    from scipy.signal import lfilter

    drift = lfilter([0.6], [1.0, -0.8], rng.normal(0, 1, (n_seconds, _DIM)), axis=0)
    vectors = _unit(home + rng.normal(0, 0.4, _DIM) + drift)
    return FrameEmbeddings(
        name,
        MediaInfo(n_seconds * 1_000, 1080, 1920, 30.0, "h264", "aac"),
        _MODEL,
        np.arange(n_seconds) * 1_000,
        np.arange(n_seconds),
        (b"",) * n_seconds,
        (CropEmbeddings(Crop.CENTER, vectors[:, None, :]),),
    )


def _scored(
    rng: np.random.Generator,
    own: FrameEmbeddings,
    pool: list[FrameEmbeddings],
    n: int,
    n_seconds: int,
) -> pd.DataFrame:
    onsets_ms = np.sort(rng.integers(0, n_seconds * 1_000 - _LONGEST_MS, n))
    lengths_ms = np.round(1_000 * durations_s(rng, n)).astype(np.int64)
    ids = tuple(f"u{number}" for number in range(n))
    utterances = tuple(
        Utterance(one, own.recording_id, TimeSpan(int(onset), int(onset + length)), "words")
        for one, onset, length in zip(ids, onsets_ms, lengths_ms, strict=True)
    )
    texts = rng.normal(0, 1, (n, _DIM))
    texts[:, 0] += 2.0
    embedded = TextEmbeddings(own.recording_id, _MODEL, ids, _unit(texts))
    transcript = Transcript(own.recording_id, own.media, utterances, "random")
    found = align_recording(
        AlignInput(transcript, own, embedded), pool, AlignSettings(crops=[Crop.CENTER.value])
    )
    strict = found.statistics[:, 0, 0].astype(np.float64)
    return pd.DataFrame(
        {
            "score": strict[:, _STATISTICS.index("max_cosine")],
            "z": strict[:, _STATISTICS.index("z")],
            "duration": lengths_ms / 1_000,
            "n_frames": found.n_frames[:, 0],
        }
    )


def _unit(vectors: NDArray[np.float64]) -> Float32Array:
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(unit, np.float32)
