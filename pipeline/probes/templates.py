"""Whether some sentences score well whatever the frame: carriers by frames.

Of the sum of squares of the cosines (frames x carriers), eta^2 is the part between the carriers'
means. The modal carrier is the one that is best for most frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.probes.material import Floats

_SIMULATED = 4_000


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """`mean` (n_carriers,): mean cosine of each carrier; `wins`: for how many frames it was best;
    `eta2`, `modal`: place of the modal carrier and `modal_share`. `n` frames."""

    n: int
    mean: Floats
    wins: Floats
    eta2: float
    modal: int
    modal_share: float


def templates(cosines: Floats) -> Templates | None:
    """Templates of cosines (n, n_carriers) without NaN; None without any frame."""
    n, n_carriers = cosines.shape
    if not n:
        return None
    wins = np.bincount(cosines.argmax(axis=1), minlength=n_carriers).astype(np.float64)
    modal = int(wins.argmax())
    sums = carrier_sums(cosines).sum(axis=0)
    return Templates(
        n, cosines.mean(axis=0), wins, float(eta2(sums[None])[0]), modal, float(wins[modal] / n)
    )


def carrier_sums(cosines: Floats) -> Floats:
    """Per frame what `eta2` adds up: (n, n_carriers + 2): cosines, their squares' sum, one.

    Cosines are taken from their common mean, so that little is lost when sums are subtracted.
    """
    centred = cosines - cosines.mean()
    squares = (centred**2).sum(axis=1, keepdims=True)
    return np.concatenate([centred, squares, np.ones((len(cosines), 1))], axis=1)


def eta2(sums: Floats) -> Floats:
    """Eta^2 of carrier (d,) from sums (d, n_carriers + 2) as `carrier_sums` gives them."""
    by_carrier, squares, n = sums[:, :-2], sums[:, -2], sums[:, -1]
    n_carriers = by_carrier.shape[1]
    correction = by_carrier.sum(axis=1) ** 2 / (n * n_carriers)
    total = squares - correction
    between = (by_carrier**2).sum(axis=1) / n - correction
    return np.asarray(np.where(total > 0, between / total, np.nan))


def chance_modal_share(n: int, n_carriers: int) -> float:
    """Modal share to be expected for n frames where every carrier is as likely the best."""
    if n < 1:
        return float("nan")
    rng = np.random.default_rng([n, n_carriers])
    drawn = rng.multinomial(n, np.full(n_carriers, 1 / n_carriers), size=_SIMULATED)
    return float(drawn.max(axis=1).mean() / n)
