"""Small random recordings for the tests of the scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.records import Crop, MediaInfo, ModelRef, TimeSpan, Utterance
from pipeline.results import CropEmbeddings, FrameEmbeddings, TextEmbeddings, Transcript

DIM = 24
MODEL = ModelRef("toy", "toy", "", "r1", DIM, 32, "none", "fp32")
MEDIA = MediaInfo(600_000, 64, 48, 30.0, "h264", "aac")
SUB_CROPS = {Crop.CENTER: 1, Crop.PAD: 1, Crop.SQUASH: 1, Crop.MULTI: 3}


def unit_rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def frames_at(
    recording_id: str,
    times_ms: Sequence[int],
    rng: np.random.Generator,
    *,
    crops: Sequence[Crop] = tuple(Crop),
    model: ModelRef = MODEL,
    step_ms: int = 1000,
) -> FrameEmbeddings:
    """Frames at given times with random vectors, as many sub-crops as SUB_CROPS says."""
    times = np.asarray(times_ms, np.int64)
    return FrameEmbeddings(
        recording_id,
        MEDIA,
        model,
        times,
        times // step_ms,
        (b"",) * len(times),
        tuple(
            CropEmbeddings(crop, unit_rows(rng, len(times), SUB_CROPS[crop], model.dim))
            for crop in crops
        ),
    )


def transcript_of(recording_id: str, spans: Sequence[tuple[int, int]]) -> Transcript:
    return Transcript(
        recording_id,
        MEDIA,
        tuple(
            Utterance(f"u{row:04d}", recording_id, TimeSpan(onset, offset), f"word {row}")
            for row, (onset, offset) in enumerate(spans)
        ),
        "test",
    )


def texts_for(
    transcript: Transcript, rng: np.random.Generator, *, model: ModelRef = MODEL
) -> TextEmbeddings:
    ids = tuple(utterance.utterance_id for utterance in transcript.utterances)
    return TextEmbeddings(transcript.recording_id, model, ids, unit_rows(rng, len(ids), model.dim))


def random_spans(
    rng: np.random.Generator, n: int, duration_ms: int, longest_ms: int = 5_000
) -> list[tuple[int, int]]:
    onsets = np.sort(rng.integers(0, duration_ms, n))
    return [(int(t), int(t + rng.integers(1, longest_ms))) for t in onsets]
