"""The contrastive losses of the systems, on tensors of unit vectors.

L_xy is half the sum of two cross-entropies, of the rows and of the columns of cos / tau (InfoNCE,
van den Oord et al. 2018, in the symmetric form of CLIP, Radford et al. 2021). With N clips whose
similarities are all equal it is ln N.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def info_nce(x: Tensor, y: Tensor, tau: Tensor, is_masked: Tensor | None = None) -> Tensor:
    """L_xy of n pairs, a number: x and y are unit rows (n, dim), `tau` the temperature.

    `is_masked` bool (n, n) takes false negatives out of rows and columns: pairs that belong
    together although they are not the same clip. It must be false on the diagonal.
    """
    import torch
    from torch.nn.functional import cross_entropy

    logits = x @ y.T / tau
    if is_masked is not None:
        logits = logits.masked_fill(is_masked, float("-inf"))
    own = torch.arange(len(x))
    return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def projected(features: Tensor, weight: Tensor) -> Tensor:
    """Unit rows (n, dim) of features (n, d) under a linear head `weight` (dim, d), without bias.

    Without a bias, cosines do not change with the length of a feature vector, and the head of a
    mean is the mean of the heads.
    """
    from torch.nn.functional import normalize

    return normalize(features @ weight.T, dim=1)
