"""The number format of the forward pass: as fast as the machine allows, as exact as needed."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

from pipeline.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from pipeline.vision.loading import ClipNetwork

MIN_COSINE = 0.9999
"""Least mean cosine between a vector and its fp32 counterpart for a faster format to be chosen."""

_SMALL_MODEL_PARAMETERS = 20_000_000
_N_SAMPLE_IMAGES = 4


def cast_model(
    model: ClipNetwork, sample_tokens: Tensor, size_px: int, wanted: str, device: str
) -> tuple[ClipNetwork, str]:
    """(the model on the device, its precision) for the setting fp32, bf16, fp16 or auto.

    model: fp32 on the CPU; sample_tokens: int64 (n, context length). "auto" takes fp16 on a GPU
    and bf16 on a CPU that computes with it, if the vectors of generated images and sentences keep
    a cosine of `MIN_COSINE` to their fp32 values; else fp32. Small models stay in fp32: they are
    fast in any format, and so give the same scores on every machine.

    Raises ModelError for a format that gives no finite vectors here.
    """
    model = model.to(device)
    candidate = _fast_precision(device) if wanted == "auto" else wanted
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    if wanted == "auto" and n_parameters < _SMALL_MODEL_PARAMETERS:
        candidate = "fp32"
    if candidate == "fp32":
        return model, "fp32"
    cast = copy.deepcopy(model).to(_dtype(candidate))
    agreement = precision_agreement(model, cast, sample_tokens, size_px)
    if wanted == "auto":
        return (cast, candidate) if agreement >= MIN_COSINE else (model, "fp32")
    if math.isnan(agreement):
        raise ModelError(
            f"The model gives no usable vectors in {wanted} on this machine.",
            hint='Set model.precision to "auto" or "fp32".',
        )
    return cast, wanted


def precision_agreement(
    exact: ClipNetwork, cast: ClipNetwork, sample_tokens: Tensor, size_px: int
) -> float:
    """The lower of the mean cosines of image and text vectors of two copies; NaN if not finite."""
    import torch

    device, dtype = next(exact.parameters()).device, next(cast.parameters()).dtype
    images, tokens = sample_images(size_px).to(device), sample_tokens.to(device)
    with torch.inference_mode():
        exact_vectors = _encoded(exact, images, tokens)
        cast_vectors = _encoded(cast, images.to(dtype), tokens)
    agreements = [
        float(torch.cosine_similarity(a, b).mean())
        for a, b in zip(exact_vectors, cast_vectors, strict=True)
    ]
    return float("nan") if any(math.isnan(a) for a in agreements) else min(agreements)


def _encoded(model: ClipNetwork, images: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    return model.encode_image(images).float(), model.encode_text(tokens).float()


def sample_images(size_px: int) -> Tensor:
    """Smooth random pictures float32 (n, 3, size_px, size_px) of about unit variance, seeded."""
    import torch

    generator = torch.Generator().manual_seed(1)
    coarse = torch.randn(_N_SAMPLE_IMAGES, 3, 8, 8, generator=generator)
    return torch.nn.functional.interpolate(coarse, size_px, mode="bicubic", antialias=True)


def _fast_precision(device: str) -> str:
    import torch

    if device.startswith("cuda"):
        return "fp16"
    return "bf16" if _cpu_computes_bf16(torch) else "fp32"


def _cpu_computes_bf16(torch: object) -> bool:
    """Whether the CPU multiplies bfloat16 itself; where it must convert, fp32 is faster."""
    cpu = getattr(torch, "cpu", None)
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        is_supported = getattr(cpu, name, None)
        if callable(is_supported) and is_supported():
            return True
    return False


def _dtype(precision: str) -> torch.dtype:
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
