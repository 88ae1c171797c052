"""Kernels become machine code late, once, and wherever Coview is installed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from pipeline.align import kernels
from pipeline.compiled import MANY, adding_up, compiled
from pipeline.stats import counting


def test_importing_the_stage_does_not_load_numba():
    code = "import sys, pipeline.align.stage; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_machine_code_gives_what_the_plain_loop_gives():
    rng = np.random.default_rng(1)
    texts = rng.integers(-11_000, 11_000, (3, 40)).astype(np.int16)
    images = rng.integers(-4_000, 4_000, (15, 40)).astype(np.int16)
    rows, first = np.array([0, 2, 1], np.int32), np.array([0, 1, 4], np.int32)
    n_frames = np.array([2, 1, 3])
    plain, fast = np.zeros(6, np.int32), np.zeros(6, np.int32)
    kernels.products(texts, images, 3, rows, first, n_frames, plain)
    compiled(kernels.products)(texts, images, 3, rows, first, n_frames, fast)
    assert np.array_equal(fast, plain)
    wide = images.astype(np.int64).reshape(5, 3, 40)
    assert plain[2:5].tolist() == (wide[1:4] @ texts[2]).max(axis=1).tolist()


def test_a_kernel_that_cannot_be_cached_is_compiled_for_this_process():
    names = {}
    exec("def double(values):\n    for i in range(len(values)):\n        values[i] *= 2", names)
    values = np.arange(3.0)
    compiled(names["double"])(values)
    assert values.tolist() == [0, 2, 4]


def test_a_kernel_is_compiled_once():
    assert compiled(kernels.products) is compiled(kernels.products)


def test_counts_on_two_threads_are_those_on_one():
    rng = np.random.default_rng(3)
    n = MANY + 1
    number = np.sort(rng.choice(2 * n, n, replace=False)).astype(np.int32)
    recording = (np.arange(2 * n) // 1_000).astype(np.int32)
    score = rng.normal(0.2, 0.05, 2 * n).astype(np.float32)
    score[rng.random(2 * n) < 0.1] = np.nan
    kernel = counting.count_pairs
    found = []
    for one in (compiled(kernel), adding_up(kernel, n)):
        counts = np.zeros((recording[-1] + 1, 4), np.int64)
        sums = np.zeros((recording[-1] + 1, 2))
        one(number, recording, score, score[::-1].copy(), (0.24, 0.2), counts, sums)
        found.append((counts, sums))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12)
    assert adding_up(kernel, 10) is kernel
