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
    fill = compiled(fill_passed)
    while True:
        height, width = (round(length / scale) for length in grey.shape)
        if min(height, width) < cascade.side_px + 1:
            break
        small = (
            grey
            if scale == 1.0
            else cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
        )
        sums, squares = cv2.integral2(small, sdepth=cv2.CV_32S, sqdepth=cv2.CV_64F)
        step = 1 if scale > _FINE_FROM else 2
        n_rows = (height - cascade.side_px) // step + 1
        n_columns = (width - cascade.side_px) // step + 1
        passed = np.zeros((n_rows, n_columns), np.uint8)
        fill(
            np.asarray(sums, np.int32).reshape(-1),
            np.asarray(squares, np.float64).reshape(-1),
            width + 1,
            step,
            cascade.side_px,
            cascade.stage_end,
            cascade.stage_threshold,
            cascade.tree_node,
            cascade.tree_leaf,
            cascade.nodes,
            cascade.node_threshold,
            cascade.leaves,
            _offsets(cascade.corners, width + 1),
            cascade.weights,
            passed,
        )
        rows, columns = np.nonzero(passed)
        side = np.full(len(rows), float(cascade.side_px))
        found.append(np.stack([columns * step, rows * step, side], axis=1) * scale)
        scale *= size_step
    return np.concatenate(found) if found else np.zeros((0, 3))


def _offsets(corners: Int32Array, row_length: int) -> UInt64Array:
    """Places of a window's corners in flat sums, (n_features, 3, 4), from its own top left."""
    left, top, right, bottom = (corners[..., i].astype(np.uint64) for i in range(4))
    wide = np.uint64(row_length)
    return np.stack(
        [bottom * wide + right, top * wide + right, bottom * wide + left, top * wide + left], axis=2
    )


def fill_passed(
    sums: Int32Array,
    squares: Float64Array,
    row_length: int,
    step: int,
    side_px: int,
    stage_end: Int32Array,
    stage_threshold: Float32Array,
    tree_node: Int32Array,
    tree_leaf: Int32Array,
    nodes: Int32Array,
    node_threshold: Float32Array,
    leaves: Float32Array,
    offsets: UInt64Array,
    weights: Float32Array,
    passed: UInt8Array,
) -> None:
    """passed (rows, columns): 1 where the window at `step` times its place passes all stages.

    sums, squares: flat sums of the picture and of its squares up to each pixel, in rows of
    `row_length`. The other arrays are the cascade's. Contrast is measured without the window's
    outermost pixels.
    """
    inner = side_px - 2
    area = float(inner * inner)
    least = (area * _MIN_CONTRAST) ** 2
    for row in range(passed.shape[0]):
        was_plain = False
        for column in range(passed.shape[1]):
            # As OpenCV does: next to a window that the first stage refused, one is left out.
            if was_plain:
                was_plain = False
                continue
            # Unsigned places spare the compiler a check for negative ones at each look-up.
            here = np.uint64(row * step * row_length + column * step)
            p = here + np.uint64(row_length + 1)
            q = p + np.uint64(inner)
            r = p + np.uint64(inner * row_length)
            s = r + np.uint64(inner)
            total = float(sums[s] - sums[q] - sums[r] + sums[p])
            square = squares[s] - squares[q] - squares[r] + squares[p]
            spread = area * square - total * total
            if spread <= least:
                was_plain = True
                continue
            norm = 1.0 / np.sqrt(spread)
            tree = 0
            is_face = True
            for stage in range(stage_end.shape[0]):
                score = 0.0
                while tree < stage_end[stage]:
                    node = 0
                    while True:
                        at = tree_node[tree] + node
                        feature = nodes[at, 2]
                        value = 0.0
                        for part in range(3):
                            weight = weights[feature, part]
                            if weight == 0.0:
                                break
                            value += weight * (
                                sums[here + offsets[feature, part, 0]]
                                - sums[here + offsets[feature, part, 1]]
                                - sums[here + offsets[feature, part, 2]]
                                + sums[here + offsets[feature, part, 3]]
                            )
                        node = nodes[at, 0 if value * norm < node_threshold[at] else 1]
                        if node <= 0:
                            break
                    score += leaves[tree_leaf[tree] - node]
                    tree += 1
                if score < stage_threshold[stage]:
                    is_face = False
                    was_plain = stage == 0
                    break
            if is_face:
                passed[row, column] = 1
