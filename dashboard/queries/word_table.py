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
    ChosenScores,
    Doubles,
    LemmaScores,
    WordSource,
    chosen_scores,
)
from dashboard.word_list import PAGE_WORDS, WordList
from pipeline.errors import FitError
from pipeline.parts_of_speech import PARTS_OF_SPEECH
from pipeline.stats.lemmas.means import ShrunkenMeans, shrunken_means
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
    n = index.counts(scores.known())
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
    """The rows of some lemmas, each with a scored utterance, worked out together: the columns of
    `WordPage` but the shrunken."""
    index, arrays = source.index, source.arrays
    numbers = [index.utterances(int(place)) for place in places]
    utterances = np.concatenate(numbers) if numbers else np.zeros(0, np.int64)
    values = np.take(scores.score, utterances, mode="clip")
    known = np.flatnonzero(values == values)  # False for NaN alone.
    lengths = np.cumsum([0, *(len(part) for part in numbers)])
    starts = np.searchsorted(known, lengths)
    utterances, values = np.take(utterances, known), np.take(values, known)
    recording = np.take(arrays.recording, utterances)
    first, n = starts[:-1], np.diff(starts)
    # Utterances ascend, so those of one lemma and recording stand together.
    is_new = np.ones(len(values), np.bool_)
    is_new[1:] = recording[1:] != recording[:-1]
    is_new[first] = True
    edges = np.flatnonzero(is_new)
    means = linearised_intervals(
        _sums(values, edges),
        np.diff(edges, append=len(values)).astype(np.float64),
        arrays.recordings.child[recording[edges]].astype(np.int64),
        np.repeat(np.arange(len(places)), np.diff(np.searchsorted(edges, starts))),
        len(places),
    )
    z = np.full(len(places), np.nan)
    if scores.z is not None:
        z_values = np.take(scores.z, utterances)
        has_z = z_values == z_values
        with np.errstate(invalid="ignore"):
            z = _sums(np.where(has_z, z_values, np.float32(0)), first) / _sums(has_z, first)
    share = _sums(at_least(values, threshold), first) / n
    columns = {
        "word": [index.lemmas[place] for place in places],
        "part": [part_name(index, int(place)) for place in places],
        "forms": [", ".join(index.forms[place]) for place in places],
        "n": n,
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


def _sums(values: NDArray[np.float32] | NDArray[np.bool_], edges: Ints) -> Doubles:
    """Sums of values[edges[i]:edges[i + 1]]; flags are counted."""
    if not len(edges):
        return np.zeros(0)
    if values.dtype == np.bool_:
        return np.add.reduceat(values.view(np.uint8), edges, dtype=np.int64).astype(np.float64)
    return np.asarray(np.add.reduceat(values, edges, dtype=np.float64))


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
    with np.errstate(invalid="ignore", divide="ignore"):
        if listing.sort == "mean":
            return index.sums(np.nan_to_num(scores.score, nan=0.0)) / n.astype(np.float64)
        if listing.sort == "share":
            return index.counts(at_least(scores.score, measure.threshold)) / n
        if scores.z is None:
            return np.full(len(index), np.nan)
        z = np.where(scores.known(), scores.z, np.float32(np.nan))
        has_z = index.counts(z == z)
        return index.sums(np.nan_to_num(z, nan=0.0)) / has_z.astype(np.float64)


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
