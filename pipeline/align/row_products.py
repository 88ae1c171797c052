"""Products of a text with rows of images: the loop that decides how long scores take.

Texts and images are rows of 16-bit whole numbers (see `rounded`); a product is a whole number of 32
bits, the same in whatever order it is added up. Processors multiply 8, 16 or 32 pairs of such
numbers with one instruction, but a compiler takes the narrowest for plain loops. So the loop over
a row is written in the compiler's own language here, with the widest instruction of the processor
at hand; the loops around it are plain Python.

This module loads the compiler: import it where products are needed, not at the head of a module.
The loop and all that use it stand in one file because the compiler keeps its results until the
file changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.cpu import CPUContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from pipeline.align.kernels import Float64Array, Int16Array, Int32Array
from pipeline.records import Float32Array, Int64Array

AddProducts = Callable[[Int16Array, Int16Array, int, int, Int32Array, int], None]
"""Writes the products of texts[row] with some rows of images from a row on to found[at:]."""

_LEAST = np.int32(-(2**31))
_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_LINE = 64
"""Bytes that come from memory together."""
_TEXTS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Multiplies `lanes` numbers of 16 bits at once and gives `sums` numbers of 32 bits.

    instruction: adds up neighbouring products; "" = one the compiler chooses, sums = lanes.
    """

    instruction: str
    lanes: int
    sums: int

    @classmethod
    def for_features(cls, features: str) -> Multiplier:
        """features: of the processor, as the compiler writes them ("+avx2,-sse4a")."""
        has = set(features.split(","))
        if "+avx512bw" in has:
            return cls("llvm.x86.avx512.pmaddw.d.512", 32, 16)
        if "+avx2" in has:
            return cls("llvm.x86.avx2.pmadd.wd", 16, 8)
        if "+sse2" in has:
            return cls("llvm.x86.sse2.pmadd.wd", 8, 4)
        return cls("", 8, 8)

    def build(self, builder: ir.IRBuilder, left: ir.Value, right: ir.Value) -> ir.Value:
        wide = ir.VectorType(_I32, self.sums)
        if not self.instruction:
            return builder.mul(builder.sext(left, wide), builder.sext(right, wide))
        kind = ir.FunctionType(wide, [left.type, right.type])
        call = cgutils.get_or_insert_function(builder.module, kind, self.instruction)
        return builder.call(call, [left, right])


def add_products(n_rows: int, multiplier: Multiplier | None = None) -> AddProducts:
    """For compiled code: products of a text with n_rows rows of images at once, each number of the
    text being loaded once. multiplier: the widest of the processor if None."""

    def typed(
        context: object,
        texts: types.Array,
        images: types.Array,
        row: types.Integer,
        image_row: types.Integer,
        found: types.Array,
        at: types.Integer,
    ) -> tuple[object, Callable[..., ir.Value]]:
        signature = types.void(texts, images, types.int64, types.int64, found, types.int64)

        def generate(
            target: CPUContext,
            builder: ir.IRBuilder,
            signature: Signature,
            arguments: list[ir.Value],
        ) -> ir.Value:
            text, image, result = (
                target.make_array(signature.args[i])(target, builder, arguments[i])
                for i in (0, 1, 4)
            )
            features = target.codegen().magic_tuple()[2]
            multiply = multiplier or Multiplier.for_features(features)
            dim = builder.extract_value(text.shape, 1)
            rows = [
                builder.gep(image.data, [builder.mul(builder.add(arguments[3], _I64(r)), dim)])
                for r in range(n_rows)
            ]
            text_row = builder.gep(text.data, [builder.mul(arguments[2], dim)])
            for r, total in enumerate(_row_sums(builder, multiply, text_row, rows, dim)):
                place = builder.add(arguments[5], _I64(r))
                builder.store(total, builder.gep(result.data, [place]))
            return target.get_dummy_value()

        return signature, generate

    return cast("AddProducts", intrinsic(typed))


def _row_sums(
    builder: ir.IRBuilder,
    multiply: Multiplier,
    text: ir.Value,
    rows: list[ir.Value],
    dim: ir.Value,
) -> list[ir.Value]:
    """Products of one row of dim numbers with each of `rows`."""
    wide = ir.VectorType(_I16, multiply.lanes)
    sums = ir.VectorType(_I32, multiply.sums)
    many = [cgutils.alloca_once_value(builder, sums([0] * multiply.sums)) for _ in rows]
    rest = [cgutils.alloca_once_value(builder, _I32(0)) for _ in rows]
    n_wide = builder.udiv(dim, _I64(multiply.lanes))

    def load(row: ir.Value, at: ir.Value) -> ir.Value:
        place = builder.bitcast(builder.gep(row, [at]), wide.as_pointer())
        return builder.load(place, align=2)

    with cgutils.for_range(builder, n_wide) as loop:
        at = builder.mul(loop.index, _I64(multiply.lanes))
        numbers = load(text, at)
        for row, total in zip(rows, many, strict=True):
            product = multiply.build(builder, numbers, load(row, at))
            builder.store(builder.add(builder.load(total), product), total)
    done = builder.mul(n_wide, _I64(multiply.lanes))
    with cgutils.for_range(builder, builder.sub(dim, done)) as loop:
        at = builder.add(done, loop.index)
        number = builder.sext(builder.load(builder.gep(text, [at])), _I32)
        for row, total in zip(rows, rest, strict=True):
            other = builder.sext(builder.load(builder.gep(row, [at])), _I32)
            builder.store(builder.add(builder.load(total), builder.mul(number, other)), total)
    name = f"llvm.vector.reduce.add.v{multiply.sums}i32"
    kind = ir.FunctionType(_I32, [sums])
    add_up = cgutils.get_or_insert_function(builder.module, kind, name)
    return [
        builder.add(builder.call(add_up, [builder.load(wide_sum)]), builder.load(rest_sum))
        for wide_sum, rest_sum in zip(many, rest, strict=True)
    ]


def _asked_for(
    context: object, vectors: types.Array, row: types.Integer
) -> tuple[object, Callable[..., ir.Value]]:
    """Has a row of vectors brought from memory while other work goes on. No harm if there is no
    such row."""

    def generate(
        target: CPUContext,
        builder: ir.IRBuilder,
        signature: Signature,
        arguments: list[ir.Value],
    ) -> ir.Value:
        array = target.make_array(signature.args[0])(target, builder, arguments[0])
        n_bytes = builder.extract_value(array.strides, 0)
        data = builder.bitcast(array.data, _I8.as_pointer())
        start = builder.gep(data, [builder.mul(arguments[1], n_bytes)])
        kind = ir.FunctionType(ir.VoidType(), [_I8.as_pointer(), _I32, _I32, _I32])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        n_times = builder.udiv(builder.add(n_bytes, _I64(_LINE - 1)), _I64(_LINE))
        with cgutils.for_range(builder, n_times) as loop:
            place = builder.gep(start, [builder.mul(loop.index, _I64(_LINE))])
            # To be read (0), into the nearest memory (3), of data (1).
            builder.call(ask, [place, _I32(0), _I32(3), _I32(1)])
        return target.get_dummy_value()

    return types.void(vectors, types.int64), generate


_one, _two, _three, _four, _five, _six, _seven, _eight = (
    add_products(n_rows) for n_rows in range(1, 9)
)
_ask_for = cast("Callable[[Int16Array, int], None]", intrinsic(_asked_for))


def _products_near(
    texts: Int16Array, images: Int16Array, row: int, first: int, n: int, found: Int32Array, at: int
) -> None:
    """found[at : at + n]: products of texts[row] with n rows of images from the first on, which
    are in the processor's memory."""
    end = at + n
    while at < end:
        left, image_row = end - at, first + n - (end - at)
        if left >= 8 and left != 9:
            _eight(texts, images, row, image_row, found, at)
            at += 8
        elif left == 7:
            _seven(texts, images, row, image_row, found, at)
            at += 7
        elif left == 6:
            _six(texts, images, row, image_row, found, at)
            at += 6
        elif left == 5 or left == 9:
            _five(texts, images, row, image_row, found, at)
            at += 5
        elif left == 4:
            _four(texts, images, row, image_row, found, at)
            at += 4
        elif left == 3:
            _three(texts, images, row, image_row, found, at)
            at += 3
        elif left == 2:
            _two(texts, images, row, image_row, found, at)
            at += 2
        else:
            _one(texts, images, row, image_row, found, at)
            at += 1


_near: Callable[[Int16Array, Int16Array, int, int, int, Int32Array, int], None] = numba.njit(
    nogil=True, inline="always"
)(_products_near)


def _largest_of_frames(found: Int32Array, n_frames: int, n_sub_crops: int) -> None:
    """found[:n_frames]: of the products of each frame's sub-crops the largest."""
    for frame in range(n_frames):
        largest = found[frame * n_sub_crops]
        for sub_crop in range(frame * n_sub_crops + 1, (frame + 1) * n_sub_crops):
            largest = max(largest, found[sub_crop])
        found[frame] = largest


_largest: Callable[[Int32Array, int, int], None] = numba.njit(nogil=True, inline="always")(
    _largest_of_frames
)


def observe(
    texts: Int16Array,
    images: Int16Array,
    n_sub_crops: int,
    first_frame: Int64Array,
    n_frames: Int64Array,
    unit: Float64Array,
    window_first: Int64Array,
    window_frames: Int64Array,
    cosines: Float32Array,
    observed: Float32Array,
    best: Int32Array,
    total: Int64Array,
) -> None:
    """Cosines of each of n texts with each frame of its run, and of each window maximum, mean and
    minimum (OBSERVED of window_scores).

    texts: (n, dim); images: (frames * n_sub_crops, dim); the run of a text are the n_frames (n,)
    from first_frame (n,) on; products times unit (n,) are cosines. window_first (n, n_windows)
    counts from the start of the run. cosines: of all runs, one behind the other. observed:
    (n, n_windows, 3); best, total (n, n_windows): largest product and sum of the products. Where a
    window is empty they are left as they are.
    """
    n = len(first_frame)
    start = np.zeros(n + 1, np.int64)
    for row in range(n):
        start[row + 1] = start[row] + n_frames[row]
    products = np.empty(start[n], np.int32)
    found = np.empty(n * n_sub_crops, np.int32)
    # Utterances follow one another in time: those from `low` to before `high` are near the frame.
    # Each image comes from far memory once, and is compared with all of them.
    low, high, frame = 0, 0, 0
    while True:
        while low < high and first_frame[low] + n_frames[low] <= frame:
            low += 1
        if low == high:
            if high == n:
                break
            frame = first_frame[high]
            high += 1
            if n_frames[low] == 0:
                low += 1
                continue
        while high < n and first_frame[high - 1] <= first_frame[high] <= frame:
            high += 1
        n_near = high - low
        for sub_crop in range(n_sub_crops):
            image_row = frame * n_sub_crops + sub_crop
            _near(images, texts, image_row, low, n_near, found, sub_crop * n_near)
        for row in range(low, high):
            at = frame - first_frame[row]
            if at < n_frames[row]:
                largest = found[row - low]
                for sub_crop in range(1, n_sub_crops):
                    largest = max(largest, found[sub_crop * n_near + row - low])
                products[start[row] + at] = largest
                cosines[start[row] + at] = largest * unit[row]
        frame += 1
    for row in range(n):
        for window in range(window_first.shape[1]):
            n_inside = window_frames[row, window]
            if n_inside == 0:
                continue
            first = start[row] + window_first[row, window]
            largest = smallest = products[first]
            added = 0
            for place in range(first, first + n_inside):
                largest = max(largest, products[place])
                smallest = min(smallest, products[place])
                added += products[place]
            best[row, window] = largest
            total[row, window] = added
            observed[row, window, 0] = largest * unit[row]
            observed[row, window, 1] = added / n_inside * unit[row]
            observed[row, window, 2] = smallest * unit[row]


def sum_null(
    texts: Int16Array,
    images: Int16Array,
    n_sub_crops: int,
    text_row: Int32Array,
    first_frame: Int32Array,
    n_frames: Int64Array,
    window_first: Int64Array,
    window_frames: Int64Array,
    best: Int32Array,
    total: Int64Array,
    sums: Float64Array,
) -> None:
    """Add up how null windows differ from the observed ones.

    texts, images: as for `observe`. Run j compares text_row[j] with the frames from
    first_frame[j] on, n_frames (n,) of each text. best, total (n, n_windows): of the observed
    windows. window_first (n, n_windows): where the window starts in each run; below 0 = none. sums
    (n, n_windows, 5), added to: null windows with a product at or above the best; difference of
    the best and its square; difference of the total and its square.
    """
    found = np.empty(n_frames.max() * n_sub_crops, np.int32)
    n_runs = len(text_row)
    for run in range(n_runs):
        row = int(text_row[run])
        if run + _TEXTS_AHEAD < n_runs:
            _ask_for(texts, text_row[run + _TEXTS_AHEAD])
        first, n = first_frame[run] * n_sub_crops, n_frames[row] * n_sub_crops
        _near(texts, images, row, first, n, found, 0)
        if n_sub_crops > 1:
            _largest(found, n_frames[row], n_sub_crops)
        low = high = -1
        largest, added = _LEAST, 0
        for window in range(window_first.shape[1]):
            # Each window lies in the next: only the frames around it are new.
            first = window_first[row, window]
            end = first + window_frames[row, window]
            if first < 0 or first == end:
                continue
            if low < 0:
                low = high = first
            for frame in range(first, low):
                largest = max(largest, found[frame])
                added += found[frame]
            for frame in range(high, end):
                largest = max(largest, found[frame])
                added += found[frame]
            low, high = first, end
            above = np.float64(np.int64(largest) - np.int64(best[row, window]))
            more = np.float64(added - total[row, window])
            sums[row, window, 0] += above >= 0.0
            sums[row, window, 1] += above
            sums[row, window, 2] += above * above
            sums[row, window, 3] += more
            sums[row, window, 4] += more * more
