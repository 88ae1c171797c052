"""Vectors as whole numbers: how far a cosine is from that of the vectors themselves."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.align.rounded import RoundedTexts, empty_rows, round_images
from pipeline.align.window_scores import score_windows
from pipeline.align.windows import FrameRanges
from tests.align.worlds import unit_rows


def compared(texts: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Cosines of row with row, as the stage computes them."""
    rounded, n = RoundedTexts.of(texts), len(texts)
    found, rounded_images = np.empty(n, np.float32), empty_rows(*images.shape)
    round_images(images, rounded_images)
    each = FrameRanges(np.arange(n)[:, None], np.ones((n, 1), np.int64))
    statistics = np.empty((n, 1, 3), np.float32)
    score_windows(rounded, rounded_images, 1, each, each, found, statistics)
    return found.astype(float)


def exact(texts: np.ndarray, images: np.ndarray) -> np.ndarray:
    return (texts.astype(float) * images.astype(float)).sum(axis=1)


@pytest.mark.parametrize("dim", [32, 512, 1024])
@pytest.mark.parametrize("length", [0.1, 1.0, 1.9])
def test_a_cosine_moves_by_a_hundred_thousandth(dim, length):
    rng = np.random.default_rng(dim)
    images = unit_rows(rng, 4_000, dim)
    texts = unit_rows(rng, 4_000, dim) + 0.5 * images
    texts *= length / np.linalg.norm(texts, axis=1, keepdims=True)
    error = compared(texts, images) - exact(texts, images)
    assert np.abs(error).max() < 7e-5 * max(length, 1.0)
    assert error.std() < 1.5e-5 * max(length, 1.0)
    assert abs(error.mean()) < 1e-6


def test_one_large_component_as_clip_models_have_costs_no_more():
    rng = np.random.default_rng(1)
    images, texts = unit_rows(rng, 2_000, 512), unit_rows(rng, 2_000, 512)
    images[:, 133] = texts[:, 133] = 2.0
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    assert np.abs(compared(texts, images) - exact(texts, images)).max() < 7e-5


def test_no_product_overflows():
    one, even = np.zeros((1, 512), np.float32), np.full((1, 512), 512**-0.5, np.float32)
    one[0, 0] = 1
    for vectors in (one, even, -one):
        # Where all components are equal, all are rounded the same way.
        assert compared(vectors, vectors) == pytest.approx(1.0, abs=5e-4)
        assert compared(2 * vectors, vectors) == pytest.approx(2.0, abs=1e-3)
        assert compared(-vectors, vectors) == pytest.approx(-1.0, abs=5e-4)
    assert compared(0 * one, one) == 0
