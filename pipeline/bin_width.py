"""How wide the bins of a distribution are, and how many."""

from __future__ import annotations

import math

_FEW_SCORES = 2_000


def nice_width(spread: float, n: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten: about 36 bins over 6 SD, 18 for few scores."""
    if not spread > 0:
        return 0.005
    wanted = 6 * spread / (36 if n >= _FEW_SCORES else 18)
    decade = 10.0 ** math.floor(math.log10(wanted))
    return float(min((1, 2, 2.5, 5, 10), key=lambda step: abs(step * decade - wanted)) * decade)


def spread_of(total: float, squares: float, n: float) -> float:
    """SD of n values from their sum and the sum of their squares; 0 without any."""
    return math.sqrt(max(0.0, squares / n - (total / n) ** 2)) if n else 0.0


def bins_between(low: float, high: float, origin: float, width: float) -> tuple[int, int]:
    """The first bin, counted from an origin, that values from low to high need, and how many."""
    if low != low:
        return 0, 1
    first, last = (math.floor((value - origin) / width) for value in (low, high))
    return first, last - first + 1
