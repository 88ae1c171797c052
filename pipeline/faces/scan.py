"""Slide a cascade's window over a picture in many sizes.

After Viola & Jones (2001), Rapid object detection using a boosted cascade of simple features, with
the small trees of Lienhart & Maydt (2002). OpenCV held this until version 4; version 5 does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled
from pipeline.faces.cascade import Cascade, Int32Array
from pipeline.records import Float32Array

Float64Array = NDArray[np.float64]
UInt8Array = NDArray[np.uint8]
UInt64Array = NDArray[np.uint64]
BoolArray = NDArray[np.bool_]

_FINE_FROM = 3.0
"""Pictures made smaller than this are looked at in every pixel, larger ones in every other."""
_MIN_CONTRAST = 10.0
"""Standard deviation in grey levels below which a window is plain, as in OpenCV."""


def windows(
    grey: UInt8Array, cascade: Cascade, *, min_side_px: float, size_step: float
) -> Float64Array:
    """Windows of `grey` (h, w) that pass all stages: (n, 3) left, top and side in pixels.

    A face gives several; see `grouped`.
    """
    import cv2

    found = []
    scale = max(1.0, min_side_px / cascade.side_px)
    while True:
        height, width = (round(length / scale) for length in grey.shape)
        if min(height, width) < cascade.side_px + 1:
            break
        small = (
            grey
            if scale == 1.0
            else cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
        )
        step = 1 if scale > _FINE_FROM else 2
        rows, columns = np.nonzero(_passed(np.asarray(small, np.uint8), cascade, step))
        side = np.full(len(rows), float(cascade.side_px))
        found.append(np.stack([columns * step, rows * step, side], axis=1) * scale)
        scale *= size_step
    return np.concatenate(found) if found else np.zeros((0, 3))


def _passed(grey: UInt8Array, cascade: Cascade, step: int) -> BoolArray:
    """Which windows at `step` times their place (rows, columns) pass all stages."""
    import cv2

    sums, squares = cv2.integral2(grey, sdepth=cv2.CV_32S, sqdepth=cv2.CV_64F)
    spread = _spread(np.asarray(sums, np.float64), np.asarray(squares), cascade.side_px, step)
    row_length = grey.shape[1] + 1
    passed = np.zeros(spread.shape, np.bool_)
    compiled(fill_passed)(
        np.asarray(sums, np.int32).reshape(-1),
        spread,
        row_length,
        step,
        cascade.stage_end,
        cascade.stage_threshold,
        cascade.tree_node,
        cascade.tree_says,
        cascade.node_feature,
        cascade.node_threshold,
        _offsets(cascade.corners, row_length),
        cascade.weights,
        passed,
    )
    return passed


def _spread(sums: Float64Array, squares: Float64Array, side_px: int, step: int) -> Float64Array:
    """What a window's contrast is measured by, (rows, columns); 0 for a plain one.

    Its area squared times the variance of its grey levels, without its outermost pixels.
    """
    inner = side_px - 2
    area = float(inner * inner)
    total, square = (_inner_sums(each, side_px, step) for each in (sums, squares))
    spread = area * square - total * total
    return np.where(spread > (area * _MIN_CONTRAST) ** 2, spread, 0.0)


def _inner_sums(sums: Float64Array, side_px: int, step: int) -> Float64Array:
    high, wide = (length - side_px for length in sums.shape)
    near, far = 1, side_px - 1
    return (
        sums[far : far + high : step, far : far + wide : step]
        - sums[near : near + high : step, far : far + wide : step]
        - sums[far : far + high : step, near : near + wide : step]
        + sums[near : near + high : step, near : near + wide : step]
    )


def _offsets(corners: Int32Array, row_length: int) -> UInt64Array:
    """Places of a window's corners in flat sums, (n_features, 3, 4), from its own top left."""
    left, top, right, bottom = (corners[..., i].astype(np.uint64) for i in range(4))
    wide = np.uint64(row_length)
    return np.stack(
        [bottom * wide + right, top * wide + right, bottom * wide + left, top * wide + left], axis=2
    )


def fill_passed(
    sums: Int32Array,
    spread: Float64Array,
    row_length: int,
    step: int,
    stage_end: Int32Array,
    stage_threshold: Float32Array,
    tree_node: Int32Array,
    tree_says: Float64Array,
    node_feature: Int32Array,
    node_threshold: Float32Array,
    offsets: UInt64Array,
    weights: Float32Array,
    passed: BoolArray,
) -> None:
    """passed (rows, columns): set where the window at `step` times its place passes all stages.

    sums: flat sums of the picture up to each pixel, in rows of `row_length`; spread (rows,
    columns): 0 for a window that is not looked at. The other arrays are the cascade's.

    Each tree is asked about all windows that are left, and all its nodes are: a table says which
    leaf their answers lead to. Without branches this is three times as fast as window by window.
    """
    flat = passed.reshape(-1)
    # Unsigned places spare the compiler a check for negative ones at each look-up.
    place = np.empty(flat.shape[0], np.uint64)
    norm, score = np.empty(flat.shape[0]), np.empty(flat.shape[0])
    number = np.empty(flat.shape[0], np.int32)
    answers = np.empty((2, flat.shape[0]), np.uint8)
    n = 0
    for row in range(passed.shape[0]):
        for column in range(passed.shape[1]):
            if spread[row, column] > 0.0:
                place[n] = row * step * row_length + column * step
                norm[n] = 1.0 / np.sqrt(spread[row, column])
                number[n] = row * passed.shape[1] + column
                n += 1
    tree = 0
    for stage in range(stage_end.shape[0]):
        for i in range(n):
            score[i] = 0.0
        while tree < stage_end[stage]:
            for node in range(tree_node[tree], tree_node[tree + 1]):
                feature, limit = node_feature[node], node_threshold[node]
                w0, w1, w2 = weights[feature, 0], weights[feature, 1], weights[feature, 2]
                a0, a1, a2, a3 = offsets[feature, 0]
                b0, b1, b2, b3 = offsets[feature, 1]
                c0, c1, c2, c3 = offsets[feature, 2]
                bit = node - tree_node[tree]
                for i in range(n):
                    p = place[i]
                    value = w0 * (sums[p + a0] - sums[p + a1] - sums[p + a2] + sums[p + a3])
                    value += w1 * (sums[p + b0] - sums[p + b1] - sums[p + b2] + sums[p + b3])
                    if w2 != 0.0:
                        value += w2 * (sums[p + c0] - sums[p + c1] - sums[p + c2] + sums[p + c3])
                    answers[bit, i] = value * norm[i] >= limit
            says = tree_says[tree]
            if tree_node[tree + 1] - tree_node[tree] == 1:
                for i in range(n):
                    score[i] += says[answers[0, i]]
            else:
                for i in range(n):
                    score[i] += says[answers[0, i] + 2 * answers[1, i]]
            tree += 1
        for i in range(n):
            flat[number[i]] = score[i] >= stage_threshold[stage]
        if stage == 0:
            # As OpenCV does: next to a window that the first stage refused, one is left out.
            for row in range(passed.shape[0]):
                was_refused = False
                for column in range(passed.shape[1]):
                    if was_refused:
                        passed[row, column] = False
                        was_refused = False
                    else:
                        was_refused = not passed[row, column]
        left = 0
        for i in range(n):
            if flat[number[i]]:
                place[left], norm[left], number[left] = place[i], norm[i], number[i]
                left += 1
        n = left
