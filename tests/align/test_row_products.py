"""The loop over a row of a text and rows of images, in the instructions of several processors."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from llvmlite import binding

from pipeline.align import row_products
from pipeline.align.row_products import Multiplier, add_products
from pipeline.compiled import compiled

_HERE = binding.get_host_cpu_features().flatten()


def whole_numbers(rng: np.random.Generator, *shape: int, largest: int = 32_767) -> np.ndarray:
    return rng.integers(-largest, largest, shape, endpoint=True).astype(np.int16)


@pytest.mark.parametrize("features", ["+avx512bw,+avx2", "+avx2,+sse2", "+sse2", "-sse2"])
def test_every_processor_finds_the_same_products(features):
    needed = features.split(",")[0]
    if needed.startswith("+") and needed not in _HERE.split(","):
        pytest.skip(f"this processor has no {needed[1:]}")
    add_three = add_products(3, Multiplier.for_features(features))

    @numba.njit
    def three(texts, images, found):
        add_three(texts, images, 1, 2, found, 1)

    rng = np.random.default_rng(1)
    for dim in (1, 7, 8, 31, 32, 40, 64, 99):
        texts, images = whole_numbers(rng, 2, dim, largest=2_000), whole_numbers(rng, 6, dim)
        found = np.full(5, -1, np.int32)
        three(texts, images, found)
        exact = images[2:5].astype(np.int64) @ texts[1]
        assert found.tolist() == [-1, *exact.tolist(), -1]


@pytest.mark.parametrize("n_sub_crops", [1, 3])
def test_a_run_of_any_length_has_the_largest_product_of_each_frame(n_sub_crops):
    rng = np.random.default_rng(2)
    texts, images = whole_numbers(rng, 24, 40, largest=800), whole_numbers(rng, 150, 40)
    n_frames = np.arange(24)
    first = rng.integers(0, 150 // n_sub_crops - n_frames)
    # Some in the order of time, as utterances are, and some not; an empty one behind all images.
    first[4:16].sort()
    first[0] = 150 // n_sub_crops
    cosines = np.empty(n_frames.sum(), np.float32)
    observed = np.full((24, 2, 3), np.nan, np.float32)
    best, total = np.zeros((24, 2), np.int32), np.zeros((24, 2), np.int64)
    windows = np.stack([np.zeros(24, np.int64), n_frames // 2], axis=1)
    inside = np.stack([n_frames, n_frames - n_frames // 2], axis=1)
    compiled(row_products.observe)(
        *(texts, images, n_sub_crops, first, n_frames, np.ones(24)),
        *(windows, inside, cosines, observed, best, total),
    )
    every = images.reshape(-1, n_sub_crops, 40).astype(np.int64)
    products = [
        (every[start : start + n] @ text).max(axis=1)
        for text, start, n in zip(texts.astype(np.int64), first, n_frames, strict=True)
    ]
    assert np.array_equal(cosines, np.concatenate(products).astype(np.float32))
    assert np.isnan(observed[0]).all()
    for row in range(1, 24):
        for window in range(2):
            own = products[row][windows[row, window] :]
            assert best[row, window] == own.max()
            assert total[row, window] == own.sum()
            expected = np.array([own.max(), own.mean(), own.min()])
            assert observed[row, window] == pytest.approx(expected, rel=1e-6)


def test_the_widest_instruction_is_chosen():
    lanes = [Multiplier.for_features(f).lanes for f in ("+avx512bw,+avx2", "+avx2,-avx512bw", "")]
    assert lanes == [32, 16, 8]
    assert Multiplier.for_features("+neon").instruction == ""
