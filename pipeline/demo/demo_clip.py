"""The demo CLIP model as a folder of files: its shape, its tokens, writing and reading it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.training_texts import all_texts
from pipeline.demo.vocabulary import word_names

if TYPE_CHECKING:
    import torch
    from open_clip import CLIP, SimpleTokenizer

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
CARD_FILE = "README.md"
THRESHOLD_FILE = "coview_model.json"

IMAGE_SIZE_PX = 96
EMBED_DIM = 128
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
CONTEXT_LENGTH = 77
TRAINING_CONTEXT_LENGTH = 40
"""Long enough for three joined sentences; later positions carry no weight of their own."""

_BATCH = 64


class VisionShape(TypedDict):
    """open_clip's ``vision_cfg`` of a small residual network with attention pooling."""

    image_size: int
    layers: list[int]
    width: int


class TextShape(TypedDict):
    """open_clip's ``text_cfg``."""

    context_length: int
    vocab_size: int
    width: int
    heads: int
    layers: int


def vision_shape() -> VisionShape:
    """The image tower: 1.45 million weights; the last feature map has 3 x 3 places."""
    return {"image_size": IMAGE_SIZE_PX, "layers": [1, 2, 2, 1], "width": 16}


def text_shape(context_length: int, vocab_size: int) -> TextShape:
    """The text tower; nearly all of its weights are the token table."""
    return {
        "context_length": context_length,
        "vocab_size": vocab_size,
        "width": 64,
        "heads": 4,
        "layers": 2,
    }


class TokenTable:
    """The tokens that training meets, numbered without gaps.

    open_clip's tokenizer has 49,408 tokens, of which the toy world's sentences use a few hundred.
    Training holds those alone. In the finished model all others have a vector of zeros, so a word
    that training never met adds nothing to a sentence.
    """

    PADDING = 0
    UNKNOWN = 1

    def __init__(self) -> None:
        import torch
        from open_clip import SimpleTokenizer

        tokenizer = SimpleTokenizer(context_length=TRAINING_CONTEXT_LENGTH)
        self._tokenizer: SimpleTokenizer = tokenizer
        used = {tokenizer.sot_token_id, tokenizer.eot_token_id}
        for text in all_texts():
            used.update(tokenizer.encode(text))
        # Id 0 pads; it is also a rare form of "!", which is therefore left without a vector.
        self.used = torch.tensor(sorted(used - {0}))
        self.size = 2 + len(self.used)
        self._compact = torch.full((tokenizer.vocab_size,), self.UNKNOWN)
        self._compact[self.used] = torch.arange(2, self.size)
        self._compact[0] = self.PADDING
        fixed = {tokenizer.sot_token_id, tokenizer.eot_token_id}
        for word in word_names():
            fixed.update(tokenizer.encode(word))
        self._fixed = torch.cat([self._compact[sorted(fixed)], torch.tensor([self.PADDING])])

    def tokens(self, texts: Sequence[str]) -> torch.Tensor:
        """int64 (n_texts, TRAINING_CONTEXT_LENGTH), numbered by this table."""
        return self._compact[self._tokenizer(list(texts))]

    def with_unknown(self, tokens: torch.Tensor, share: float) -> torch.Tensor:
        """`share` of the tokens swapped for the unknown one, sparing the objects' names."""
        import torch

        is_swapped = (torch.rand(tokens.shape) < share) & ~torch.isin(tokens, self._fixed)
        return tokens.masked_fill(is_swapped, self.UNKNOWN)

    def spread(self, compact_vectors: torch.Tensor) -> torch.Tensor:
        """The whole tokenizer's table (49408, width) from this table's (size, width)."""
        import torch

        whole = torch.zeros(self._tokenizer.vocab_size, compact_vectors.shape[1])
        whole[self.used] = compact_vectors[2:].float()
        return whole


def as_input(images: Pixels) -> torch.Tensor:
    """uint8 RGB (n, size, size, 3) to the model's input, float32 (n, 3, size, size)."""
    import torch

    scaled = torch.from_numpy(images).float() / 255
    return ((scaled - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2)


def write_model(model: CLIP, table: TokenTable, folder: Path) -> None:
    """Writes the configuration and the weights (fp16) as open_clip reads them from a folder."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_cfg": {
            "embed_dim": EMBED_DIM,
            "vision_cfg": vision_shape(),
            "text_cfg": text_shape(CONTEXT_LENGTH, 49408),
        },
        "preprocess_cfg": {
            "mean": list(MEAN),
            "std": list(STD),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    state: dict[str, torch.Tensor] = dict(model.state_dict())
    state["token_embedding.weight"] = table.spread(state["token_embedding.weight"])
    positions = torch.zeros(CONTEXT_LENGTH, state["positional_embedding"].shape[1])
    positions[:TRAINING_CONTEXT_LENGTH] = state["positional_embedding"]
    state["positional_embedding"] = positions
    saved = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in state.items()
    }
    save_file(saved, str(folder / WEIGHTS_FILE))
    # safetensors writes files that only their owner may read.
    (folder / WEIGHTS_FILE).chmod(0o644)


class FolderModel:
    """The model of a folder, loaded as any other open_clip model is; needs no network."""

    def __init__(self, folder: Path) -> None:
        import open_clip

        name = f"local-dir:{folder}"
        self._model, _, _ = open_clip.create_model_and_transforms(name)
        self._model.eval()
        self._tokenizer = open_clip.get_tokenizer(name)

    def embed_images(self, images: Pixels) -> Floats:
        """Unit vectors (n, EMBED_DIM) of uint8 RGB pictures (n, size, size, 3)."""
        import torch

        with torch.inference_mode():
            parts = [
                self._model.encode_image(as_input(images[start : start + _BATCH]), normalize=True)
                for start in range(0, len(images), _BATCH)
            ]
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Unit vectors (n, EMBED_DIM) of sentences."""
        import torch

        with torch.inference_mode():
            parts = [
                self._model.encode_text(
                    self._tokenizer(list(texts[start : start + _BATCH])), normalize=True
                )
                for start in range(0, len(texts), _BATCH)
            ]
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)
