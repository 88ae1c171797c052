"""What an image tower knows before its vectors are projected into the space shared with texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pipeline.vision.loading import ClipNetwork


def raw_features(model: ClipNetwork, pixels: Tensor) -> Tensor:
    """Features (n, width) of normalised pixels (n, 3, S, S), not of unit length.

    For open_clip's vision transformers the pooled token before `proj` (768 for ViT-B), for timm
    towers what the trunk pools. Towers that project within their pooling (ResNets) have no such
    place; theirs are the projected features.
    """
    from torch import nn

    tower = cast("nn.Module", getattr(model, "visual", None))
    projection = getattr(tower, "proj", None)
    if isinstance(projection, nn.Parameter):
        # The tower leaves the projection out when there is none.
        tower.register_parameter("proj", None)
        try:
            return model.encode_image(pixels)
        finally:
            tower.register_parameter("proj", projection)
    trunk = getattr(tower, "trunk", None)
    if isinstance(trunk, nn.Module):
        pooled: Tensor = trunk(pixels)
        if pooled.ndim == 2:
            return pooled
    return model.encode_image(pixels)
