"""Loops that choose utterances: the same as machine code, and as numpy says it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.compiled import compiled
from pipeline.stats import choosing

N = 5_000
WAYS: dict[str, Callable[..., Callable[..., None]]] = {"plain": lambda f: f, "compiled": compiled}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def left(rng: np.random.Generator) -> NDArray[np.bool_]:
    return rng.random(N) < 0.7


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code_type", [np.uint16, np.int32])
def test_wanted_codes_stay(rng, left, way: str, code_type: type):
    codes, is_wanted = rng.integers(0, 5, N).astype(code_type), np.array([1, 0, 0, 1, 0], bool)
    expected = left & is_wanted[codes]
    WAYS[way](choosing.keep_coded)(left, codes, is_wanted)
    assert 0 < expected.sum() < N
    assert np.array_equal(left, expected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("keeps_nan", [True, False])
def test_a_limit_is_reached_by_the_number_it_is(rng, left, way: str, keeps_nan: bool):
    values = rng.choice(np.array([-0.5, -0.3, -0.1, np.nan], np.float32), N)
    expected = left & ((values >= np.float32(-0.3)) | (np.isnan(values) & keeps_nan))
    WAYS[way](choosing.keep_at_least)(left, values, -0.3, keeps_nan)
    assert np.array_equal(left, expected)


@pytest.mark.parametrize("way", WAYS)
def test_unwanted_flags_go(rng, left, way: str):
    flags = rng.integers(0, 16, N).astype(np.uint32)
    expected = left & ((flags & 6) == 0)
    WAYS[way](choosing.keep_unflagged)(left, flags, 6)
    assert np.array_equal(left, expected)


@pytest.mark.parametrize("way", WAYS)
def test_places_are_those_that_are_left(left, way: str):
    places, n_found = np.empty(N, np.int32), np.zeros(1, np.int64)
    WAYS[way](choosing.places_left)(left, places, n_found)
    assert np.array_equal(places[: n_found[0]], np.flatnonzero(left))
