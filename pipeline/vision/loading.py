"""Building an open_clip model from its files, with the network shut off."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import ModelError
from pipeline.vision.model_files import CONFIG_FILE, ModelFiles, Preprocessing
from pipeline.vision.open_clip_import import give_transformers, import_open_clip

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_TRANSFORMERS_TEXT = '"hf_model_name"'
"""The setting of a text tower that is built by transformers."""


class ClipNetwork(Protocol):
    """The part of open_clip's models that is used here."""

    def encode_image(self, image: Tensor) -> Tensor: ...

    def encode_text(self, text: Tensor) -> Tensor: ...

    def parameters(self) -> Iterator[Tensor]: ...

    def to(self, target: str | torch.dtype) -> ClipNetwork: ...

    def eval(self) -> ClipNetwork: ...


class Tokenizer(Protocol):
    """Texts -> token ids int64 (n, context length), cut and padded to that length."""

    context_length: int

    def __call__(self, texts: list[str], context_length: int | None = None) -> Tensor: ...


def load_model(files: ModelFiles) -> tuple[ClipNetwork, Tokenizer]:
    """The model in fp32 on the CPU, ready to encode, and its tokenizer.

    Raises ModelError when the weights do not fit the configuration or cannot be read.
    """
    from safetensors import SafetensorError

    import_open_clip()
    if _TRANSFORMERS_TEXT in files.config:
        give_transformers()
    import open_clip

    is_local = files.folder is not None
    try:
        with _offline():
            model: ClipNetwork = open_clip.create_model(
                files.architecture,
                pretrained=None if is_local else str(files.checkpoint),
                precision="fp32",
                device="cpu",
                require_pretrained=True,
            )
            tokenizer: Tokenizer = open_clip.get_tokenizer(
                files.architecture, **_tokenizer_options(files)
            )
    except ImportError as problem:
        raise ModelError(
            f"The model {files.name} needs a Python package that is not installed: {problem}.",
            hint="Install it with pip, or choose another model.",
        ) from problem
    except (
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
        OSError,
        SafetensorError,
        pickle.UnpicklingError,
    ) as problem:
        raise ModelError(
            f"The weights {files.checkpoint.name} and the configuration of the model {files.name} "
            f"do not fit together or are damaged: {_first_line(problem)}",
            hint=f"Put {CONFIG_FILE} and the weights of the same model into one folder."
            if is_local
            else f"Fetch it again: python -m pipeline models fetch {files.name} {files.weights}",
        ) from problem
    return model.eval(), tokenizer


def _tokenizer_options(files: ModelFiles) -> dict[str, bool]:
    """What is said to the maker of the tokenizer beside its name.

    A tokenizer of transformers may bring code, which the folder's own configuration can ask to
    run. A model is data, whoever it comes from: such code never runs.
    """
    content: object = json.loads(files.config)
    for name in ("model_cfg", "text_cfg"):
        if isinstance(content, dict):
            content = content.get(name, content if name == "model_cfg" else None)
    is_of_transformers = isinstance(content, dict) and bool(content.get("hf_tokenizer_name"))
    return {"trust_remote_code": False} if is_of_transformers else {}


def preprocessing_of(model: ClipNetwork, files: ModelFiles) -> Preprocessing:
    """How images are to be prepared: from the weights' own entry, else the model's folder."""
    if files.preprocessing is not None:
        return files.preprocessing
    stated = getattr(getattr(model, "visual", model), "preprocess_cfg", {})
    mean, std = _three(stated["mean"]), _three(stated["std"])
    return Preprocessing(mean, std, str(stated["interpolation"]), str(stated["resize_mode"]))


def image_size_px(model: ClipNetwork, name: str) -> int:
    """Side of the square the model sees. Raises ModelError when it is not square."""
    size = getattr(getattr(model, "visual", model), "image_size", None)
    sides = (size, size) if isinstance(size, int) else tuple(size or ())
    if len(sides) != 2 or sides[0] != sides[1]:
        raise ModelError(
            f"The model {name} does not see square images (its size is {size}).",
            hint="Choose a model with a square input.",
        )
    return int(sides[0])


def feature_dim(model: ClipNetwork, tokens: Tensor, size_px: int, name: str) -> int:
    """Length of the vectors. Raises ModelError when the two towers disagree."""
    import torch

    parameter = next(model.parameters())
    image = torch.zeros(1, 3, size_px, size_px, dtype=parameter.dtype, device=parameter.device)
    with torch.inference_mode():
        image_dim = int(model.encode_image(image).shape[-1])
        text_dim = int(model.encode_text(tokens[:1].to(parameter.device)).shape[-1])
    if image_dim != text_dim:
        raise ModelError(
            f"The model {name} gives image vectors of {image_dim} and text vectors of {text_dim} "
            "numbers.",
            hint="Both must come from one model; check embed_dim in its configuration.",
        )
    return image_dim


def described(preprocessing: Preprocessing, size_px: int) -> str:
    """Preprocessing in words, for ModelRef."""

    def numbers(values: tuple[float, float, float]) -> str:
        return " ".join(f"{value:.4f}" for value in values)

    return (
        f"{size_px} px, bicubic with antialiasing, mean {numbers(preprocessing.mean)}, "
        f"SD {numbers(preprocessing.std)}"
    )


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the hub's client from the network: some architectures ask it for a tokenizer."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _three(values: object) -> tuple[float, float, float]:
    numbers = json.loads(json.dumps(values))
    if isinstance(numbers, int | float):
        numbers = [numbers] * 3
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def _first_line(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    text = lines[0] if lines else type(problem).__name__
    if len(lines) > 1 and text.endswith(":"):
        text = f"{text} {lines[1]}"
    return text[:300].rstrip(".") + "."
