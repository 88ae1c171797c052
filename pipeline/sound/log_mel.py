"""The spectrogram CLAP listens to, by torch: what its own extractor computes, four times faster.

The extractor's settings (window, hop, filters, padding) are used; only the arithmetic is another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array

if TYPE_CHECKING:
    from torch import Tensor

_FLOOR = 1e-10


class MelSettings(Protocol):
    """The attributes of transformers' ClapFeatureExtractor that are used."""

    fft_window_size: int
    hop_length: int
    nb_max_samples: int
    truncation: str
    padding: str
    mel_filters: NDArray[np.float64]
    mel_filters_slaney: NDArray[np.float64]


def log_mel(sounds: Sequence[Float32Array], settings: MelSettings) -> Tensor:
    """Input features (n, channels, frames, mel bins) of n sounds, none longer than the model hears.

    Fused models get the same spectrogram four times, as their extractor gives for short sounds.
    """
    import torch

    is_fused = settings.truncation == "fusion"
    filters = torch.from_numpy(settings.mel_filters if is_fused else settings.mel_filters_slaney)
    padded = torch.from_numpy(np.stack([filled(sound, settings) for sound in sounds]))
    spectrum = torch.stft(
        padded,
        settings.fft_window_size,
        settings.hop_length,
        window=torch.hann_window(settings.fft_window_size),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()
    mel = filters.T.float() @ power
    decibel = 10 * torch.log10(mel.clamp(min=_FLOOR))
    features = decibel.transpose(1, 2)[:, None]
    return features.expand(-1, 4, -1, -1) if is_fused else features


def filled(sound: Float32Array, settings: MelSettings) -> Float32Array:
    """A sound brought to the length the model hears: repeated, then zeros, as it was trained."""
    longest = settings.nb_max_samples
    if settings.padding == "repeat":
        return np.resize(sound, longest)
    if settings.padding == "repeatpad":
        sound = np.tile(sound, longest // len(sound))
    return np.pad(sound, (0, longest - len(sound)))
