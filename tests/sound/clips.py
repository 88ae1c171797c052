"""Small sets of clips for tests of sound."""

from __future__ import annotations

import numpy as np

from pipeline.sound.clip_set import ClipSet, Kind, TextBlock
from pipeline.sound.synthetic import SyntheticShape
from pipeline.sound.training import TrainingSettings

SMALL = SyntheticShape(
    n_train=800,
    n_validation=100,
    n_test=400,
    visual_dim=48,
    audio_dim=48,
    text_dim=48,
    n_visual=12,
    n_audio=12,
)
QUICK = TrainingSettings(n_epochs=8, patience=8, batch_size=200, learning_rate=3e-3)


def clips(
    n: int = 24,
    dim: int = 8,
    *,
    n_recordings: int = 4,
    seed: int = 1,
    texts: list[int] | None = None,
    step_ms: int = 10_000,
) -> ClipSet:
    """n clips of ten seconds, `step_ms` apart in their recording; `texts` numbers equal texts."""
    rng = np.random.default_rng(seed)
    recording = (np.arange(n) * n_recordings // n).astype(np.int64)
    place = np.arange(n) - np.searchsorted(recording, recording)
    group = np.arange(n) if texts is None else np.array(texts)
    features = [rng.normal(size=(n, dim)).astype(np.float32) for _ in range(3)]
    onset = (place * step_ms).astype(np.int64)
    block = TextBlock(features[2], group.astype(np.int64), np.arange(n + 1, dtype=np.int64))
    return ClipSet(
        tuple(f"clip-{number}" for number in range(n)),
        recording,
        recording // 2,
        onset,
        onset + 10_000,
        features[0],
        features[1],
        {Kind.UTTERANCE: block},
    )
