"""Stage results made from random numbers: small, valid, and equal for equal seeds."""

from __future__ import annotations

import numpy as np

from pipeline.config import AlignSettings
from pipeline.records import (
    Crop,
    MediaInfo,
    ModelRef,
    Notice,
    Speaker,
    TimeSpan,
    Utterance,
    Word,
)
from pipeline.results import (
    CropEmbeddings,
    FrameEmbeddings,
    RecordingAlignment,
    TextEmbeddings,
    Transcript,
)

DIM = 8
MEDIA = MediaInfo(60_000, 270, 480, 10.0, "h264", "aac", ("a note",))
MODEL = ModelRef(
    scorer="fake",
    name="fake-8",
    weights="none",
    revision="0123456789abcdef",
    dim=DIM,
    image_size_px=32,
    preprocess="none",
    precision="fp32",
    default_threshold=0.3,
    threshold_source="made up",
)
SUB_CROPS = {Crop.CENTER: 1, Crop.PAD: 1, Crop.SQUASH: 1, Crop.MULTI: 3}


def unit_rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random unit vectors, float32 (*shape, DIM)."""
    vectors = rng.normal(size=(*shape, DIM))
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def transcript(recording_id: str, n: int = 4) -> Transcript:
    """n utterances of 1.5 s, 5 s apart; the first has timed words, the last two overlap."""
    utterances = []
    for i in range(n):
        onset = 5_000 * i + 2_000
        words = ()
        if i == 0:
            words = (
                Word("Look,", TimeSpan(onset, onset + 500), 0.9),
                Word("a", None, None),
                Word("ball!", TimeSpan(onset + 600, onset + 1_500), 0.7),
            )
        utterances.append(
            Utterance(
                utterance_id=f"{recording_id}-u{i}",
                recording_id=recording_id,
                span=TimeSpan(onset, onset + 1_500),
                text="Look, a ball!" if i == 0 else f"it's number {i} — où?",
                speaker=(Speaker.FEM, Speaker.MAL, Speaker.CHI, Speaker.NA)[i % 4],
                speaker_overlap=0.5,
                language="en",
                mean_logprob=-0.25 if i else None,
                words=words,
                flags=("overlapping",) if i >= n - 2 else (),
                source="fake",
            )
        )
    return Transcript(
        recording_id, MEDIA, tuple(utterances), "fake", (Notice("n", "a speech notice"),)
    )


def frames(recording_id: str, n: int = 60, seed: int = 1) -> FrameEmbeddings:
    """n frames, one a second, with random embeddings and tiny thumbnails."""
    rng = np.random.default_rng([seed, *recording_id.encode()])
    return FrameEmbeddings(
        recording_id=recording_id,
        media=MEDIA,
        model=MODEL,
        times_ms=np.arange(n, dtype=np.int64) * 1_000,
        grid_index=np.arange(n, dtype=np.int64),
        thumbnails=tuple(f"jpeg {i}".encode() for i in range(n)),
        crops=tuple(CropEmbeddings(crop, unit_rows(rng, n, k)) for crop, k in SUB_CROPS.items()),
        notices=(Notice("n", "a vision notice"),),
    )


def texts(source: Transcript, seed: int = 2) -> TextEmbeddings:
    """Random embeddings of a transcript's utterances."""
    rng = np.random.default_rng([seed, *source.recording_id.encode()])
    ids = tuple(u.utterance_id for u in source.utterances)
    return TextEmbeddings(source.recording_id, MODEL, ids, unit_rows(rng, len(ids)))


def alignment(recording_ids: tuple[str, ...]) -> list[RecordingAlignment]:
    """Real alignments of fake recordings of one child."""
    from pipeline.align.stage import AlignInput, align_recording

    pool = [frames(recording_id) for recording_id in recording_ids]
    results = []
    for entry in pool:
        said = transcript(entry.recording_id)
        target = AlignInput(said, entry, texts(said))
        results.append(align_recording(target, pool, AlignSettings()))
    return results
