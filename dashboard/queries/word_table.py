"""The table of lemmas under the filters, one page at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import at_least
from dashboard.queries.selection import Measure
from dashboard.queries.word_index import Ints, WordIndex
from dashboard.queries.word_scores import (
    PLAIN_ROWS,
    ChosenScores,
    Doubles,
    LemmaScores,
    WordSource,
    chosen_scores,
    count_heard,
    sum_heard,
)
from dashboard.word_list import PAGE_WORDS, WordList
from pipeline.compiled import compiled_for
from pipeline.errors import FitError
from pipeline.parts_of_speech import PARTS_OF_SPEECH
from pipeline.stats.lemmas.means import ShrunkenMeans, shrunken_means
from pipeline.stats.lemmas.sums import find_runs
from pipeline.stats.linearised import linearised_intervals

_COLUMNS = ("word", "part", "forms", "n", "n_children", "mean", "low", "high", "z", "share")


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """What a list of words is made from; lemmas: all lemmas' scores, for shrunken means."""

    source: WordSource
    lemmas: LemmaScores | None = None


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Towards what means were shrunk: the mean over n_lemmas lemmas (with its 95 % interval) and
    the SD between their true means. NaN and a problem in words when they could not be."""

    overall: float
    low: float
    high: float
    sd: float
    n_lemmas: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WordPage:
    """One page of the table.

    rows: word, part (of speech, "" if unknown), forms, n (scored utterances), n_children, mean,
    low, high (95 %), z (mean), share (of n at or above the threshold), a column for each norm,
    and with shrunken means: shrunken, shrunken_low, shrunken_high (95 %) and own_weight. n_listed
    lemmas over all pages; n_hidden more are heard in fewer than the minimum of scored utterances.
    """

    rows: pd.DataFrame
    n_listed: int
    n_hidden: int
    shrinkage: Shrinkage | None = None


def word_page(
    con: DuckDBPyConnection, words: Words, filters: Filters, measure: Measure, listing: WordList
) -> WordPage:
    """One page of the lemmas that the filters and the list leave; ties go by the alphabet.

    Shrunken means are those of all lemmas with enough utterances, whatever is searched for.
    """
    index = words.source.index
    scores = chosen_scores(words.source.arrays, filters, measure)
    n = count_heard(index, scores.known())
    is_enough = n >= listing.min_count
    is_found = (n > 0) & _is_searched(index, listing)
    kept = np.flatnonzero(is_found & is_enough)
    shrunken, shrinkage = None, None
    if words.lemmas is not None:
        shrunken, shrinkage = _shrunken(words.lemmas, np.flatnonzero(is_enough & (n > 0)))
    keys = _sort_keys(index, scores, measure, listing, n)
    if shrunken is not None and listing.sort == "mean":
        keys = shrunken["shrunken"]
    keys = keys[kept] if listing.is_ascending else -keys[kept]
    order = kept[np.argsort(np.where(np.isnan(keys), np.inf, keys), kind="stable")]
    start = listing.page * PAGE_WORDS
    rows = word_rows(words.source, order[start : start + PAGE_WORDS], scores, measure.threshold)
    if shrunken is not None:
        for name, values in shrunken.items():
            rows[name] = values[order[start : start + PAGE_WORDS]]
    return WordPage(rows, len(kept), int(is_found.sum()) - len(kept), shrinkage)


def word_rows(
    source: WordSource, places: Ints, scores: ChosenScores, threshold: float
) -> pd.DataFrame:
    """The rows of some lemmas, worked out together: the columns of `WordPage` but the shrunken."""
    index, arrays = source.index, source.arrays
    n_rows = int(np.diff(index.starts)[places].sum())
    most = min(n_rows, len(places) * len(arrays.recordings.child))
    n_runs, runs = np.zeros(1, np.int64), np.zeros((most, 3), np.int32)
    run_sums, z_sums = np.zeros(most), np.zeros(len(places))
    counts = np.zeros((len(places), 3), np.int64)
    # Without any chance level the scores stand in for z, and what they give is not used.
    z_scores = scores.score if scores.z is None else scores.z
    compiled_for(find_runs, n_rows // PLAIN_ROWS)(
        *(places, index.starts, index.numbers, scores.score, z_scores, arrays.recording),
        *(threshold, n_runs, runs, run_sums, counts, z_sums),
    )
    found = runs[: n_runs[0]].astype(np.int64)
    means = linearised_intervals(
        run_sums[: n_runs[0]],
        found[:, 2].astype(np.float64),
        arrays.recordings.child[found[:, 1]].astype(np.int64),
        found[:, 0],
        len(places),
    )
    z = np.full(len(places), np.nan)
    if scores.z is not None:
        with np.errstate(invalid="ignore"):
            z = z_sums / counts[:, 1]
    with np.errstate(invalid="ignore"):
        share = counts[:, 2] / counts[:, 0]
    columns = {
        "word": [index.lemmas[place] for place in places],
        "part": [part_name(index, int(place)) for place in places],
        "forms": [", ".join(index.forms[place]) for place in places],
        "n": counts[:, 0],
        "n_children": means.n_strata,
        "mean": means.estimates,
        "low": means.low,
        "high": means.high,
        "z": z,
        "share": share,
        **{norm: by_lemma[places] for norm, by_lemma in index.norms.items()},
    }
    return pd.DataFrame(columns, columns=[*_COLUMNS, *index.norms])


def part_name(index: WordIndex, place: int) -> str:
    """Part of speech of a lemma, "" where unknown."""
    code = int(index.parts[place])
    return PARTS_OF_SPEECH[code] if code >= 0 else ""


def _shrunken(lemmas: LemmaScores, pool: Ints) -> tuple[dict[str, Doubles] | None, Shrinkage]:
    """Columns of shrunken means by lemma, NaN outside the pool, and what they shrink to."""
    nan = float("nan")
    try:
        found: ShrunkenMeans = shrunken_means(lemmas.mean[pool], lemmas.variance[pool])
    except FitError as problem:
        return None, Shrinkage(nan, nan, nan, nan, len(pool), str(problem))
    columns = {
        "shrunken": found.estimates,
        "shrunken_low": found.low,
        "shrunken_high": found.high,
        "own_weight": found.own_weight,
    }
    whole = {}
    for name, values in columns.items():
        whole[name] = np.full(len(lemmas.n), np.nan)
        whole[name][pool] = values
    overall = found.overall
    return whole, Shrinkage(overall.estimate, overall.low, overall.high, found.sd, len(pool))


def _sort_keys(
    index: WordIndex, scores: ChosenScores, measure: Measure, listing: WordList, n: Ints
) -> Doubles:
    """What the list is sorted by, for every lemma; NaN goes last."""
    if listing.norm:
        return index.norms.get(listing.norm, np.full(len(index), np.nan))
    if listing.sort == "n":
        return n.astype(np.float64)
    if listing.sort == "word":
        return np.arange(len(index), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        if listing.sort == "mean":
            return sum_heard(index, scores.score)[:, 0] / n
        if listing.sort == "share":
            is_high = at_least(scores.score, measure.threshold)
            return np.asarray(count_heard(index, is_high) / n, np.float64)
        if scores.z is None:
            return np.full(len(index), np.nan)
        z = np.where(scores.known(), scores.z, np.float32(np.nan))
        return sum_heard(index, z)[:, 0] / count_heard(index, z == z)


def _is_searched(index: WordIndex, listing: WordList) -> NDArray[np.bool_]:
    """Lemmas of the chosen part of speech of which the lemma or a form contains the text."""
    wanted = listing.search.strip().lower().replace("’", "'")
    is_part = np.ones(len(index), np.bool_)
    if listing.part_of_speech:
        code = PARTS_OF_SPEECH.index(listing.part_of_speech)
        is_part = np.asarray(index.parts == code, np.bool_)
    if not wanted:
        return is_part
    return is_part & np.array(
        [
            wanted in lemma or any(wanted in form for form in forms)
            for lemma, forms in zip(index.lemmas, index.forms, strict=True)
        ],
        np.bool_,
    )
