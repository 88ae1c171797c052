"""Sums over the utterances of lemmas, as plain loops that `pipeline.compiled` makes machine code.

The utterances of lemma i are numbers[starts[i]:starts[i + 1]], ascending, int32; starts int64
(n_lemmas + 1,). score and z, float32 (NaN where there is none), recording, int32, and flags, uint8,
are over all utterances of a store; the utterances of a recording stand together. Results are
written to arrays of zeros that the caller brings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
Scores = NDArray[np.float32]
Flags = NDArray[np.uint8]
Sums = NDArray[np.float64]


def count_lemmas(starts: Ints, numbers: Numbers, flags: Flags, counts: Ints) -> None:
    """counts (n_lemmas,): utterances whose flag, 0 or 1, is 1."""
    # No branches, here and below: a processor cannot foresee which utterances count, and guessing
    # wrongly takes longer than adding a zero.
    for lemma in range(len(starts) - 1):
        n = 0
        for i in range(starts[lemma], starts[lemma + 1]):
            n += flags[numbers[i]]
        counts[lemma] = n


def sum_lemmas(starts: Ints, numbers: Numbers, score: Scores, sums: Sums) -> None:
    """sums (n_lemmas, 2): of scores, of their squares."""
    for lemma in range(len(starts) - 1):
        total, squares = 0.0, 0.0
        for i in range(starts[lemma], starts[lemma + 1]):
            value = np.float64(score[numbers[i]])
            value = value if value == value else np.float64(0)
            total += value
            squares += value * value
        sums[lemma, 0], sums[lemma, 1] = total, squares


def count_together(
    starts: Ints, numbers: Numbers, flags: Flags, recording: Numbers, counts: Ints
) -> None:
    """counts (n_lemmas,): over recordings, the squared number of utterances whose flag is 1."""
    for lemma in range(len(starts) - 1):
        same, run, last = 0, 0, -1
        for i in range(starts[lemma], starts[lemma + 1]):
            u = numbers[i]
            # The k-th utterance of a recording adds 2 k - 1: together, their number squared.
            run = run * int(recording[u] == last) + int(flags[u])
            same += int(flags[u]) * (2 * run - 1)
            last = recording[u]
        counts[lemma] = same


def find_runs(
    places: Ints,
    starts: Ints,
    numbers: Numbers,
    score: Scores,
    z: Scores,
    recording: Numbers,
    threshold: float,
    n_runs: Ints,
    runs: Numbers,
    run_sums: Sums,
    counts: Ints,
    z_sums: Sums,
) -> None:
    """The scored utterances of each recording for the lemmas at `places`.

    n_runs (1,): how many pairs of lemma and recording there are. For each, runs (n, 3): place in
    `places`, recording, number of utterances; run_sums (n,): of scores. counts (n_places, 3):
    scored utterances, those with a z, those at or above the threshold; z_sums (n_places,).
    """
    for k in range(len(places)):
        last = -1
        for i in range(starts[places[k]], starts[places[k] + 1]):
            u = numbers[i]
            value = score[u]
            if value == value:
                if recording[u] != last:
                    last = recording[u]
                    runs[n_runs[0], 0] = k
                    runs[n_runs[0], 1] = last
                    n_runs[0] += 1
                runs[n_runs[0] - 1, 2] += 1
                run_sums[n_runs[0] - 1] += value
                counts[k, 0] += 1
                counts[k, 2] += int(value >= np.float32(threshold))
                if z[u] == z[u]:
                    counts[k, 1] += 1
                    z_sums[k] += z[u]


def prepare() -> None:
    """Make all of them machine code: seconds on a computer's first time, then a moment."""
    number, score = np.zeros(0, np.int32), np.zeros(0, np.float32)
    starts, places, flags = np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
    compiled(count_lemmas)(starts, number, flags, places)
    compiled(sum_lemmas)(starts, number, score, np.zeros((0, 2)))
    compiled(count_together)(starts, number, flags, number, places)
    compiled(find_runs)(
        *(places, starts, number, score, score, number, 0.0, np.zeros(1, np.int64)),
        *(np.zeros((0, 3), np.int32), np.zeros(0), np.zeros((0, 3), np.int64), np.zeros(0)),
    )
