"""Sums over the utterances of lemmas are those of the plain rows, compiled or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.compiled import compiled
from pipeline.stats.lemmas.sums import (
    count_lemmas,
    count_together,
    find_runs,
    prepare,
    sum_lemmas,
)


@pytest.fixture(scope="module")
def heard() -> pd.DataFrame:
    """One row per lemma and utterance; lemma 2 is never scored."""
    rng = np.random.default_rng(4)
    rows = pd.DataFrame({"lemma": rng.integers(0, 5, 300), "number": rng.integers(0, 80, 300)})
    rows = rows.drop_duplicates().sort_values(["lemma", "number"], ignore_index=True)
    return rows[(rows["lemma"] != 2) | (rows["number"] == 7)].reset_index(drop=True)


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    score, z = rng.normal(0.2, 0.1, 80), rng.normal(size=80)
    score[rng.random(80) < 0.2] = np.nan
    score[7] = np.nan
    z[rng.random(80) < 0.3] = np.nan
    table = {"score": score, "z": z, "recording": np.sort(rng.integers(0, 9, 80))}
    return pd.DataFrame(table).astype({"score": "f4", "z": "f4", "recording": "i4"})


def columns(heard: pd.DataFrame, scores: pd.DataFrame):
    starts = np.searchsorted(heard["lemma"], np.arange(6)).astype(np.int64)
    numbers = heard["number"].to_numpy(np.int32)
    return starts, numbers, *(scores[name].to_numpy() for name in ("score", "z", "recording"))


@pytest.mark.parametrize("make", [lambda kernel: kernel, compiled], ids=["plain", "compiled"])
def test_sums_of_lemmas(heard, scores, make):
    starts, numbers, score, _, recording = columns(heard, scores)
    known = (score == score).view(np.uint8)
    counts, same, sums = np.zeros(5, np.int64), np.zeros(5, np.int64), np.zeros((5, 2))
    make(count_lemmas)(starts, numbers, known, counts)
    make(sum_lemmas)(starts, numbers, score, sums)
    make(count_together)(starts, numbers, known, recording, same)
    rows = heard.join(scores, on="number").dropna(subset="score")
    for lemma in range(5):
        mine = rows[rows["lemma"] == lemma]
        values = mine["score"].to_numpy(np.float64)
        assert counts[lemma] == len(mine)
        assert same[lemma] == (mine.groupby("recording").size() ** 2).sum()
        np.testing.assert_allclose(sums[lemma], [values.sum(), (values**2).sum()])


@pytest.mark.parametrize("make", [lambda kernel: kernel, compiled], ids=["plain", "compiled"])
def test_runs_of_some_lemmas(heard, scores, make):
    starts, numbers, score, z, recording = columns(heard, scores)
    places = np.array([3, 2, 0], np.int64)
    n_runs, runs, run_sums = np.zeros(1, np.int64), np.zeros((99, 3), np.int32), np.zeros(99)
    counts, z_sums = np.zeros((3, 3), np.int64), np.zeros(3)
    make(find_runs)(
        places, starts, numbers, score, z, recording, 0.2, n_runs, runs, run_sums, counts, z_sums
    )
    rows = heard.join(scores, on="number").dropna(subset="score")
    expected = []
    for k, lemma in enumerate(places):
        mine = rows[rows["lemma"] == lemma]
        n_high = (mine["score"].astype("f8") >= 0.2).sum()
        assert counts[k].tolist() == [len(mine), mine["z"].notna().sum(), n_high]
        assert z_sums[k] == pytest.approx(mine["z"].sum(), rel=1e-5)
        for place, part in mine.groupby("recording"):
            expected.append((k, place, len(part), part["score"].sum()))
    found = np.column_stack([runs[: n_runs[0]], run_sums[: n_runs[0]]])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_all_loops_can_be_made_ready():
    prepare()
