"""CLAP's sound encoder through `transformers`: the demo's, a cached one by name, or a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.errors import ModelError
from pipeline.records import Float32Array
from pipeline.sound.chunks import RATE_HZ
from pipeline.sound.log_mel import log_mel
from pipeline.vision.model_files import DEMO_MODEL

DEFAULT_ENCODER = "laion/clap-htsat-unfused"
DEMO_ENCODER = "demo-clap"
_BATCH = 8


@dataclass(frozen=True, slots=True)
class SoundModelRef:
    """Everything that changes a sound feature; `revision` is a digest of the weights."""

    name: str
    revision: str
    dim: int


class SoundEncoder(Protocol):
    """Gives features of sound: float32 (n, ref.dim), not of unit length, of n stretches of mono
    samples at 48 kHz, none of them empty or longer than 10 s.
    """

    @property
    def ref(self) -> SoundModelRef: ...

    def encode(self, sounds: Sequence[Float32Array]) -> Float32Array: ...


class ClapEncoder:
    """The pooled audio features of a CLAP model (768 numbers in the published ones), before its
    projection. Never downloads.

    Raises ModelError when `transformers` or the model's files are missing or do not fit.
    """

    def __init__(self, name: str, study_root: Path, device: str = "cpu") -> None:
        try:
            from transformers import ClapFeatureExtractor, ClapModel
            from transformers.utils.logging import disable_progress_bar
        except ImportError as problem:
            raise ModelError(
                "Sound features need the package transformers, which is not installed.",
                hint='Install it with: pip install "coview[sound]"',
            ) from problem
        import torch
        from safetensors import SafetensorError

        disable_progress_bar()
        folder = demo_folder() if name == DEMO_ENCODER else study_root / name
        source = str(folder) if folder.is_dir() else name
        try:
            model = ClapModel.from_pretrained(source, local_files_only=True)
            self._extract = ClapFeatureExtractor.from_pretrained(source, local_files_only=True)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as problem:
            raise ModelError(
                f"The sound model {name} is not on this machine or cannot be read.",
                hint="Copy its folder (config.json, preprocessor_config.json, model.safetensors) "
                "into the study and name it with --encoder, or fetch it on a machine with a "
                f"network: hf download {DEFAULT_ENCODER}",
            ) from problem
        if self._extract.sampling_rate != RATE_HZ:
            raise ModelError(
                f"The sound model {name} hears {self._extract.sampling_rate} Hz.",
                hint=f"Choose one trained on {RATE_HZ} Hz, as the published CLAP models are.",
            )
        # Weights may be stored at half precision; all is computed at full.
        self._audio = model.audio_model.float().eval().to(device)
        self._device = torch.device(device)
        revision = _revision(self._audio.state_dict())
        self._ref = SoundModelRef(name, revision, int(model.config.audio_config.hidden_size))

    @property
    def ref(self) -> SoundModelRef:
        return self._ref

    def encode(self, sounds: Sequence[Float32Array]) -> Float32Array:
        """Features (n, dim). Raises ValueError for an empty or longer stretch."""
        import torch

        longest = int(self._extract.nb_max_samples)
        if any(not 0 < len(sound) <= longest for sound in sounds):
            raise ValueError(f"a stretch of sound is empty or longer than {longest} samples")
        rows = [np.zeros((0, self._ref.dim), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(sounds), _BATCH):
                features = log_mel(sounds[start : start + _BATCH], self._extract).to(self._device)
                # The extractor of fused models calls one short sound "longer" at random.
                is_longer = torch.zeros((len(features), 1), dtype=torch.bool, device=self._device)
                pooled = self._audio(input_features=features, is_longer=is_longer).pooler_output
                rows.append(pooled.float().cpu().numpy())
        return np.concatenate(rows)


def usual_encoder(image_model: str) -> str:
    """The encoder of a study that names none: the demo's where the image model is the demo's."""
    return DEMO_ENCODER if image_model == DEMO_MODEL else DEFAULT_ENCODER


def demo_folder() -> Path:
    """The folder of the small sound model that comes with Coview."""
    return Path(__file__).resolve().parent.parent / "demo" / "models" / DEMO_ENCODER


def _revision(weights: object) -> str:
    import torch

    assert isinstance(weights, dict)
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name]
        assert isinstance(tensor, torch.Tensor)
        digest.update(f"{name}:{tuple(tensor.shape)};".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
