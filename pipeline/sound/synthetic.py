"""Made-up clips whose truth is known: what is shared by picture and sound, and what is not.

Every clip has shared factors (the dog that is seen and barks), visual-only factors and audio-only
factors, all independent. Pictures show the first two, sounds the first and the last, each with
its own noise. A caption mentions only some of them: a visual or an audio caption few of the shared
ones, because its writer saw or heard only one side; an audio-visual caption nearly all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array
from pipeline.sound.clip_set import ClipSet, Kind, SplitSets, TextBlock

Floats = NDArray[np.float64]

CLIP_MS = 10_000
_ROOM_FACTORS = 4


@dataclass(frozen=True, slots=True)
class Mention:
    """Probability that a caption mentions a shared, a visual-only, an audio-only factor."""

    shared: float
    visual: float
    audio: float


MENTIONS: dict[Kind, Mention] = {
    Kind.VISUAL: Mention(0.25, 0.5, 0.0),
    Kind.AUDIO: Mention(0.25, 0.0, 0.5),
    Kind.AUDIO_VISUAL: Mention(0.8, 0.5, 0.4),
}


@dataclass(frozen=True, slots=True)
class SyntheticShape:
    """Sizes and noise; the defaults have the sizes of AVCaps and of CLIP's and CLAP's features.

    Noise is given as SD beside factors of SD 1: of a picture and a sound about each factor, of a
    text about what it mentions, and of every number of a feature.
    """

    n_train: int = 1661
    n_validation: int = 200
    n_test: int = 200
    visual_dim: int = 768
    audio_dim: int = 768
    text_dim: int = 512
    n_shared: int = 12
    n_visual: int = 20
    n_audio: int = 20
    visual_noise: float = 0.6
    audio_noise: float = 1.0
    text_noise: float = 0.9
    feature_noise: float = 0.5


def synthetic_sets(seed: int, shape: SyntheticShape | None = None) -> SplitSets:
    """Clips for one seed, each from a recording of its own, as in AVCaps."""
    shape = shape or SyntheticShape()
    n = shape.n_train + shape.n_validation + shape.n_test
    rng = np.random.default_rng([seed, 5])
    shared, visual, audio = (
        rng.normal(size=(n, k)) for k in (shape.n_shared, shape.n_visual, shape.n_audio)
    )

    def noisy(values: Floats, sd: float) -> Floats:
        return values + sd * rng.normal(size=values.shape)

    def feature(factors: Floats, dim: int) -> Float32Array:
        k = factors.shape[1]
        rows = factors @ rng.normal(size=(k, dim)) / np.sqrt(dim)
        rows += shape.feature_noise * rows.std() * rng.normal(size=rows.shape)
        return np.asarray(rows, np.float32)

    seen = noisy(shared, shape.visual_noise)
    heard = noisy(shared, shape.audio_noise)
    pictures = feature(np.hstack([seen, noisy(visual, shape.visual_noise)]), shape.visual_dim)
    sounds = feature(np.hstack([heard, noisy(audio, shape.visual_noise)]), shape.audio_dim)
    language = rng.normal(size=(shape.n_shared + shape.n_visual + shape.n_audio, shape.text_dim))
    language /= np.sqrt(shape.text_dim)
    known = {Kind.VISUAL: seen, Kind.AUDIO: heard, Kind.AUDIO_VISUAL: shared}
    everyone = np.arange(n, dtype=np.int64)
    texts = {}
    for kind, mention in MENTIONS.items():
        said = [
            noisy(values, shape.text_noise) * (rng.random(values.shape) < probability)
            for values, probability in (
                (known[kind], mention.shared),
                (visual, mention.visual),
                (audio, mention.audio),
            )
        ]
        rows = np.hstack(said) @ language
        rows += shape.feature_noise * rows.std() * rng.normal(size=rows.shape)
        texts[kind] = TextBlock(rows.astype(np.float32), everyone, np.arange(n + 1, dtype=np.int64))
    clips = ClipSet(
        tuple(f"synthetic-{number}" for number in range(n)),
        everyone,
        everyone,
        np.zeros(n, np.int64),
        np.full(n, CLIP_MS, np.int64),
        pictures,
        sounds,
        texts,
    )
    return in_order(clips, shape.n_train, shape.n_validation)


def room_only_sets(
    seed: int, n_recordings: int = 60, n_clips: int = 16, dim: int = 32
) -> SplitSets:
    """Clips whose picture and sound share nothing but the room (the recording they are from).

    Recordings are whole in each part. A model that is asked for the right clip among all of them
    does well by knowing rooms; among the clips of one recording it can only guess.
    """
    rng = np.random.default_rng([seed, 6])
    n = n_recordings * n_clips
    recording = np.repeat(np.arange(n_recordings), n_clips).astype(np.int64)
    rooms = rng.normal(size=(n_recordings, _ROOM_FACTORS))[recording]

    def feature() -> Float32Array:
        rows = rooms @ rng.normal(size=(_ROOM_FACTORS, dim)) + 0.5 * rng.normal(size=(n, dim))
        return rows.astype(np.float32)

    onset = np.tile(np.arange(n_clips) * CLIP_MS, n_recordings).astype(np.int64)
    everyone = np.arange(n, dtype=np.int64)
    texts = {Kind.UTTERANCE: TextBlock(feature(), everyone, np.arange(n + 1, dtype=np.int64))}
    clips = ClipSet(
        tuple(f"room-{number}" for number in range(n)),
        recording,
        np.zeros(n, np.int64),
        onset,
        onset + CLIP_MS,
        feature(),
        feature(),
        texts,
    )
    n_part = n_recordings // 3 * n_clips
    return in_order(clips, n - 2 * n_part, n_part)


def in_order(clips: ClipSet, n_train: int, n_validation: int) -> SplitSets:
    """The first clips to learn from, the next to stop by, the rest to test on."""
    cuts = np.split(np.arange(len(clips), dtype=np.int64), [n_train, n_train + n_validation])
    return SplitSets(*(clips.of(rows) for rows in cuts))
