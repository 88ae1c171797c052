"""Kernels are plain loops; here they become machine code the first time they are needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from threading import Thread
from typing import ParamSpec, cast

import numpy as np
from numpy.typing import NDArray

Parameters = ParamSpec("Parameters")

FEW, MANY = 2_000, 200_000
# Sums may be reordered, which lets them use vector instructions; NaN keeps its meaning.
_FAST_MATH = {"reassoc", "contract", "nsz"}


def compiled(kernel: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """The kernel as machine code that runs without holding Python's lock.

    Compiling takes a second or two once per computer: the result is kept beside the source, in
    the user's cache folder, or, where neither can be written, for this process only.
    """
    return cast("Callable[Parameters, None]", _compile(kernel))


def compiled_for(kernel: Callable[Parameters, None], n: int) -> Callable[Parameters, None]:
    """`compiled` for a loop over n items; of few items the plain loop takes less than loading the
    compiler does."""
    return kernel if n <= FEW else compiled(kernel)


def adding_up(kernel: Callable[Parameters, None], n: int) -> Callable[Parameters, None]:
    """`compiled_for`, for a loop that looks at `number`, its first argument, item by item and adds
    to arrays called `counts` and `sums`: large ones are cut in two for two threads."""
    if n <= MANY:
        return compiled_for(kernel, n)
    fast: Callable[..., None] = compiled(kernel)
    adds = [name in ("counts", "sums") for name in signature(kernel).parameters]

    def both(*arguments: Parameters.args, **named: Parameters.kwargs) -> None:
        number = cast("NDArray[np.int32]", arguments[0])
        # The second half adds to arrays of its own: two threads must not add to one number.
        others = cast("tuple[NDArray[np.float64], ...]", arguments[1:])
        pairs = [
            (mine, np.zeros_like(mine) if is_sum else mine)
            for mine, is_sum in zip(others, adds[1:], strict=True)
        ]
        half = len(number) // 2
        thread = Thread(target=fast, args=(number[half:], *(theirs for _, theirs in pairs)))
        thread.start()
        fast(number[:half], *others)
        thread.join()
        for mine, theirs in pairs:
            if mine is not theirs:
                mine += theirs

    return both


@cache
def _compile(kernel: Callable[..., None]) -> object:
    import numba

    try:
        return numba.njit(nogil=True, fastmath=_FAST_MATH, cache=True)(kernel)
    except RuntimeError:  # numba's word for: no folder for the cache can be written
        return numba.njit(nogil=True, fastmath=_FAST_MATH)(kernel)
