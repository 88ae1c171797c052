"""Whether some sentences score well whatever the frame: carriers by frames.

Of the sum of squares of the cosines (frames x carriers), eta^2 is the part between the carriers'
means. The modal carrier is the one that is best for most frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.probes.intervals import Ints
from pipeline.probes.material import Floats

_SHUFFLES = 200


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


@dataclass(frozen=True, slots=True)
class TemplateChance:
    """What eta^2 and the modal share are where no carrier is preferred: mean and 97.5th
    percentile."""

    eta2: float
    eta2_top: float
    modal_share: float
    modal_share_top: float


def template_chance(cosines: Floats, words: Ints, *, seed: int = 1) -> TemplateChance:
    """Chance for cosines (n, n_carriers), n >= 1, with nouns words (n,), codes from 0.

    The carriers are shuffled for each noun anew, alike for all its frames: a sentence that one
    noun happens to suit stays one sentence, but no carrier is the same from noun to noun.
    """
    rng = np.random.default_rng([seed, *cosines.shape])
    n_words, n_carriers = int(words.max()) + 1, cosines.shape[1]
    found = np.empty((_SHUFFLES, 2))
    for draw in range(_SHUFFLES):
        order = rng.permuted(np.tile(np.arange(n_carriers), (n_words, 1)), axis=1)
        shuffled = np.take_along_axis(cosines, order[words], axis=1)
        best = np.bincount(shuffled.argmax(axis=1), minlength=n_carriers)
        total = carrier_sums(shuffled).sum(axis=0)
        found[draw] = float(eta2(total[None])[0]), best.max() / len(cosines)
    means, tops = found.mean(axis=0), np.quantile(found, 0.975, axis=0)
    return TemplateChance(float(means[0]), float(tops[0]), float(means[1]), float(tops[1]))
