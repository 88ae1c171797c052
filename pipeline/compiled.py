"""Kernels are plain loops; here they become machine code the first time they are needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import ParamSpec, cast

Parameters = ParamSpec("Parameters")

FEW = 2_000
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


@cache
def _compile(kernel: Callable[..., None]) -> object:
    import numba

    try:
        return numba.njit(nogil=True, fastmath=_FAST_MATH, cache=True)(kernel)
    except RuntimeError:  # numba's word for: no folder for the cache can be written
        return numba.njit(nogil=True, fastmath=_FAST_MATH)(kernel)
