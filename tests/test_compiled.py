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
    first = np.random.default_rng(1).integers(0, 900, (30, 7)).astype(np.int32)
    orders = []
    for kernel in (kernels.order_by_tile, compiled(kernels.order_by_tile)):
        text_row, first_frame = np.empty(210, np.int32), np.empty(210, np.int32)
        kernel(first, 6, np.zeros(16, np.int64), text_row, first_frame)
        orders.append((text_row.tolist(), first_frame.tolist()))
    assert orders[0] == orders[1]
    assert (np.diff(np.array(orders[0][1]) >> 6) >= 0).all()


def test_a_kernel_that_cannot_be_cached_is_compiled_for_this_process():
    names = {}
    exec("def double(values):\n    for i in range(len(values)):\n        values[i] *= 2", names)
    values = np.arange(3.0)
    compiled(names["double"])(values)
    assert values.tolist() == [0, 2, 4]


def test_a_kernel_is_compiled_once():
    assert compiled(kernels.order_by_tile) is compiled(kernels.order_by_tile)


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
