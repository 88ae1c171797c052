"""A made-up study in memory: recordings, what is said in them, and vectors that hang together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THINGS = ("ball", "dog", "cup", "book", "shoe", "car", "spoon", "bear")
CARRIERS = (
    "look at the {}",
    "where is the {} ?",
    "yes that is a {}",
    "can you see the {} over there",
    "oh a {}",
    "give mommy the {} please",
)
ABSTRACT = ("come on", "all right let's go", "what do you think", "hm", "no not now sweetie")
N_SUB_CROPS = {"center": 1, "pad": 1, "squash": 1, "multi": 3}
DIM = 32
_SHARED = slice(1, 9)


@dataclass(frozen=True, slots=True)
class Plan:
    """The switches of one synthetic study."""

    seed: int
    with_speakers: bool
    with_ages: bool
    with_contexts: bool
    with_null: bool
    threshold: float | None
    scorers: tuple[str, ...]


@dataclass(slots=True)
class SyntheticRecording:
    """One recording while it is being made up."""

    recording_id: str
    child: int
    duration_ms: int
    age_days: int | None
    day: date
    onset_ms: Ints
    offset_ms: Ints
    thing: Ints
    texts: list[str]
    speakers: list[str]
    frame_ms: Ints
    utterance_ids: list[str] = field(default_factory=list)
    image: dict[str, Floats] = field(default_factory=dict)
    text: Floats = field(default_factory=lambda: np.empty((0, DIM)))


def synthetic_recordings(
    rng: np.random.Generator, plan: Plan, n_children: int, n_recordings: int, n_utterances: int
) -> list[SyntheticRecording]:
    shares = np.full(n_recordings, n_utterances // n_recordings)
    shares[: n_utterances % n_recordings] += 1
    return [
        _recording(rng, plan, number, number % n_children, int(n))
        for number, n in enumerate(shares)
    ]


def _recording(
    rng: np.random.Generator, plan: Plan, number: int, child: int, n: int
) -> SyntheticRecording:
    duration_ms = 30_000 + 5_000 * n
    onsets = np.sort(rng.integers(2_000, duration_ms - 12_000, n))
    lengths = np.clip(rng.lognormal(7.3, 0.55, n), 250, 9_000).astype(np.int64)
    thing = np.where(rng.random(n) < 0.6, rng.integers(0, len(THINGS), n), -1)
    texts = [
        ABSTRACT[int(rng.integers(len(ABSTRACT)))]
        if t < 0
        else CARRIERS[int(rng.integers(len(CARRIERS)))].format(THINGS[int(t)])
        for t in thing
    ]
    speakers = rng.choice(["FEM", "MAL", "CHI", "OCH", "NA"], n, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    first_age = 200 + 90 * child
    return SyntheticRecording(
        recording_id=f"rec{number + 1:02d}",
        child=child,
        duration_ms=duration_ms,
        age_days=first_age + 31 * number if plan.with_ages else None,
        day=date(2024, 1, 10) + timedelta(days=31 * number),
        onset_ms=onsets,
        offset_ms=onsets + lengths,
        thing=thing,
        texts=texts,
        speakers=[str(s) for s in speakers] if plan.with_speakers else ["NA"] * n,
        frame_ms=np.arange(0, duration_ms, 1_000) + rng.integers(0, 20),
        utterance_ids=[f"u{number + 1:02d}{i:05d}" for i in range(n)],
    )


def _unit(vectors: Floats) -> Floats:
    result: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return result


def embed(rng: np.random.Generator, recording: SyntheticRecording, n_children: int) -> None:
    """Vectors whose cosine is about .2 by the gap between modalities, plus what they share."""
    concepts = _unit(np.random.default_rng(7).normal(size=(len(THINGS), 8)))
    n_frames = len(recording.frame_ms)
    drift = np.cumsum(rng.normal(size=(n_frames, 8)), axis=0)
    drift[1:] -= 0.9 * drift[:-1]
    shown = _unit(drift + rng.normal(scale=2.0, size=(n_frames, 8)))
    chance = 0.15 + 0.3 * (recording.child + 1) / n_children
    for onset, offset, thing in zip(
        recording.onset_ms, recording.offset_ms, recording.thing, strict=True
    ):
        if thing >= 0 and rng.random() < chance:
            near = (recording.frame_ms > onset - 2_500) & (recording.frame_ms < offset + 1_500)
            shown[near] = _unit(0.9 * concepts[thing] + 0.35 * shown[near])
    said = _unit(rng.normal(size=(len(recording.thing), 8)))
    named = recording.thing >= 0
    said[named] = _unit(concepts[recording.thing[named]] + 0.4 * said[named])
    for crop, n_sub in N_SUB_CROPS.items():
        strength = {"center": 1.0, "pad": 0.85, "squash": 0.92, "multi": 0.95}[crop]
        image = np.zeros((n_frames, n_sub, DIM))
        image[..., 0] = 0.447
        noise = rng.normal(scale=0.25, size=(n_frames, n_sub, 8))
        image[..., _SHARED] = 0.26 * strength * _unit(shown[:, None, :] + noise)
        image[..., 9:20] = 0.856 * _unit(rng.normal(size=(n_frames, n_sub, 11)))
        recording.image[crop] = _unit(image)
    text = np.zeros((len(said), DIM))
    text[:, 0] = 0.447
    text[:, _SHARED] = 0.26 * said
    text[:, 20:] = 0.856 * _unit(rng.normal(size=(len(said), 12)))
    recording.text = _unit(text) if len(said) else text


def cosines(recording: SyntheticRecording, other: SyntheticRecording, crop: str) -> Floats:
    """Cosine of each utterance of `recording` with each frame of `other`: (n, n_frames)."""
    cosines: Floats = np.einsum("ud,fkd->ufk", recording.text, other.image[crop]).max(axis=2)
    return cosines
