"""Text encoding without the padding: exact, and about nine times cheaper for short utterances.

CLIP pads every text to 77 tokens, but under a causal mask no token sees what follows it, and the
text's vector is read at its end token. So everything after the longest text's end can be cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pipeline.vision.loading import ClipNetwork

_AGREEMENT = 1e-4
_WORTH_A_PASS = 32


class TextTower(Protocol):
    """The attributes that open_clip's CLIP and TextTransformer share."""

    token_embedding: nn.Embedding
    positional_embedding: Tensor
    transformer: nn.Module
    attn_mask: Tensor
    ln_final: nn.Module
    text_projection: Tensor | nn.Linear | None


def encode_cut(model: ClipNetwork, tokens: Tensor) -> Tensor:
    """Features (n, dim) of tokens (n, length), for any length up to the context length.

    Does what open_clip's `encode_text` does for CLIP and CustomTextCLIP with a causal text tower;
    `can_cut` says whether the model has one.
    """
    from open_clip.transformer import text_global_pool
    from torch import nn

    tower = cast("TextTower", getattr(model, "text", model))
    length = tokens.shape[1]
    dtype = next(tower.transformer.parameters()).dtype
    x = tower.token_embedding(tokens).to(dtype) + tower.positional_embedding[:length].to(dtype)
    x = tower.ln_final(tower.transformer(x, attn_mask=tower.attn_mask[:length, :length]))
    pool_type, eos_id = _pooling(model)
    pooled: Tensor = text_global_pool(x, tokens, pool_type, eos_token_id=eos_id)
    projection = tower.text_projection
    if projection is None:
        return pooled
    if isinstance(projection, nn.Linear):
        projected: Tensor = projection(pooled)
        return projected
    return pooled @ projection


def text_lengths(model: ClipNetwork, tokens: Tensor) -> Tensor:
    """Tokens (n,) up to and with the end token that the model's pooling reads, of tokens (n, m)."""
    pool_type, eos_id = _pooling(model)
    ends = tokens.eq(-1 if eos_id is None else eos_id).int() if pool_type == "eos" else tokens
    return ends.argmax(dim=1) + 1


def batches_of_like_length(lengths: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """[start, end) of batches of at most `most` texts whose rising lengths (n,) are given.

    A batch ends where the length rises, once it is large enough to be worth its own pass: all its
    texts are padded to the longest.
    """
    start = 0
    for row in range(1, len(lengths)):
        n = row - start
        if n == most or (n >= _WORTH_A_PASS and lengths[row] > lengths[row - 1]):
            yield start, row
            start = row
    if lengths:
        yield start, len(lengths)


def can_cut(model: ClipNetwork, sample_tokens: Tensor) -> bool:
    """Whether cutting leaves the model's text features as they are, shown on sample tokens."""
    import torch

    tower = getattr(model, "text", model)
    pool_type, _ = _pooling(model)
    if (
        getattr(tower, "attn_mask", None) is None
        or getattr(tower, "cls_emb", None) is not None
        or pool_type not in ("argmax", "eos")
    ):
        return False
    length = int(text_lengths(model, sample_tokens).max())
    with torch.inference_mode():
        whole = model.encode_text(sample_tokens)
        cut = encode_cut(model, sample_tokens[:, :length])
    return bool((whole - cut).abs().max() < _AGREEMENT * whole.abs().max())


def _pooling(model: ClipNetwork) -> tuple[str, int | None]:
    """Where the text's vector is read; open_clip's CLIP and CustomTextCLIP name it differently."""
    tower = getattr(model, "text", None)
    if tower is None:
        return getattr(model, "text_pool_type", ""), getattr(model, "text_eos_id", None)
    return getattr(tower, "pool_type", ""), getattr(tower, "eos_id", None)
