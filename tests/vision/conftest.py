"""A tiny open_clip model with random weights, in the folder layout that real ones have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import ModelSettings
from pipeline.vision.open_clip_model import OpenClipModel

MODEL_CFG = {
    "embed_dim": 32,
    "vision_cfg": {
        "image_size": 32,
        "layers": 2,
        "width": 64,
        "head_width": 32,
        "patch_size": 8,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


def write_model(
    folder: Path, model_cfg: dict[str, object] | None = None, seed: int = 0, **extra: object
) -> Path:
    """Save a random model as open_clip saves its own; `extra` goes into coview_model.json."""
    import torch
    from open_clip.model import CLIP, CustomTextCLIP
    from safetensors.torch import save_file

    cfg = dict(MODEL_CFG if model_cfg is None else model_cfg)
    torch.manual_seed(seed)
    is_custom = bool(cfg.pop("custom_text", False))
    model = (CustomTextCLIP if is_custom else CLIP)(**cfg)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        str(folder / "open_clip_model.safetensors"),
    )
    if is_custom:
        cfg["custom_text"] = True
    content = {"model_cfg": cfg, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    if extra:
        (folder / "coview_model.json").write_text(json.dumps(extra))
    return folder


@pytest.fixture(autouse=True, scope="module")
def _one_torch_thread() -> Iterator[None]:
    """For matrices this small more threads only wait for each other.

    Given back: with another number a vector may differ in its last digit, and other tests compare
    stores that were made in several processes.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(
        tmp_path_factory.mktemp("models") / "tiny-clip",
        default_threshold=0.31,
        threshold_source="made up for tests",
    )


@pytest.fixture(scope="session")
def tiny_model(tiny_folder: Path) -> OpenClipModel:
    return OpenClipModel(ModelSettings(name=str(tiny_folder), weights=""), Path("/"), "cpu")
