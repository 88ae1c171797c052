"""Write the data sets that R and Coview are both fitted to: `python -m tests.reference.make_data`.

The files are committed, so this is needed only to add one. `fit.R` writes what lme4 and lmerTest
make of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "data"


def balanced(rng: np.random.Generator) -> pd.DataFrame:
    """18 groups, 10 days each, correlated random intercepts and slopes."""
    group = np.repeat(np.arange(18), 10)
    day = np.tile(np.arange(10.0), 18)
    effects = rng.multivariate_normal([0, 0], [[25.0**2, 10], [10, 6.0**2]], 18)
    y = 250 + 10 * day + effects[group, 0] + effects[group, 1] * day + rng.normal(0, 25, 180)
    return pd.DataFrame({"y": y.round(4), "x": day, "g": group})


def unbalanced(rng: np.random.Generator) -> pd.DataFrame:
    """9 children with 3 to 60 rows each, a continuous and a two-valued predictor."""
    sizes = rng.integers(3, 60, 9)
    group = np.repeat(np.arange(9), sizes)
    n = len(group)
    x = rng.normal(size=n) + 0.5 * rng.normal(size=9)[group]
    w = rng.integers(0, 2, n)
    y = 0.2 + 0.05 * x - 0.03 * w + rng.normal(0, 0.08, 9)[group] + rng.normal(0, 0.1, n)
    return pd.DataFrame({"y": y.round(6), "x": x.round(5), "w": w, "g": group})


def crossed(rng: np.random.Generator) -> pd.DataFrame:
    """19 children and 40 items, most pairs met once or twice, some never."""
    n = 900
    child, item = rng.integers(0, 19, n), rng.integers(0, 40, n)
    x = rng.normal(size=40)[item]
    y = 0.22 + 0.01 * x + rng.normal(0, 0.01, 19)[child] + rng.normal(0, 0.015, 40)[item]
    y = y + rng.normal(0, 0.03, n)
    return pd.DataFrame({"y": y.round(6), "x": x.round(5), "g": child, "h": item})


def nested(rng: np.random.Generator) -> pd.DataFrame:
    """8 children with 6 recordings each and 5 to 14 rows in each."""
    sizes = rng.integers(5, 15, 48)
    recording = np.repeat(np.arange(48), sizes)
    child = recording // 6
    age = rng.uniform(6, 36, 48)[recording]
    y = 1 + 0.04 * age + rng.normal(0, 0.5, 8)[child] + rng.normal(0, 0.3, 48)[recording]
    y = y + rng.normal(0, 0.8, len(recording))
    return pd.DataFrame({"y": y.round(5), "x": age.round(4), "g": child, "h": recording})


def near_singular(rng: np.random.Generator) -> pd.DataFrame:
    """6 groups that do not differ: their variance is estimated as zero or nearly so."""
    group = np.repeat(np.arange(6), 15)
    x = rng.normal(size=90)
    noise = rng.normal(0, 1, 90)
    # Take the groups' means out, so that they differ less than chance would let them.
    noise -= np.bincount(group, noise)[group] / 15
    return pd.DataFrame({"y": (1 + 0.5 * x + noise).round(5), "x": x.round(5), "g": group})


def slopes_crossed(rng: np.random.Generator) -> pd.DataFrame:
    """12 children with intercepts and slopes, crossed with 25 items."""
    n = 700
    child, item = rng.integers(0, 12, n), rng.integers(0, 25, n)
    x = rng.normal(size=n)
    slope = rng.normal(0, 0.4, 12)
    y = 2 + 0.6 * x + rng.normal(0, 0.7, 12)[child] + slope[child] * x
    y = y + rng.normal(0, 0.5, 25)[item] + rng.normal(0, 1, n)
    return pd.DataFrame({"y": y.round(5), "x": x.round(5), "g": child, "h": item})


def speakers(rng: np.random.Generator) -> pd.DataFrame:
    """14 children heard from three kinds of speakers: text, an interaction, transformed columns."""
    n = 620
    child = rng.integers(0, 14, n)
    kinds = np.array(["child", "adult", "other"])
    kind = rng.choice(3, n, p=[0.3, 0.6, 0.1])
    age = rng.uniform(6, 30, 14)[child] + rng.uniform(0, 6, n)
    words = rng.integers(1, 30, n)
    is_book = rng.random(n) < 0.25
    y = 0.2 + 0.02 * (kind == 1) + 0.001 * age + 0.004 * np.log(words) + 0.01 * is_book
    y = y + rng.normal(0, 0.02, 14)[child] + rng.normal(0, 0.015, (14, 3))[child, kind]
    y = y + rng.normal(0, 0.04, n)
    names = np.array([f"S{i:02d}" for i in range(14)])
    return pd.DataFrame(
        {
            "score": y.round(6),
            "speaker": kinds[kind],
            "age months": age.round(3),
            "words": words,
            "is_book": is_book,
            "child": names[child],
        }
    )


def within(rng: np.random.Generator) -> pd.DataFrame:
    """10 children whose recordings are numbered anew for each: nested only by name."""
    sizes = rng.integers(4, 12, 70)
    place = np.repeat(np.arange(70), sizes)
    child, recording = place // 7, place % 7
    x = rng.normal(size=len(place))
    y = 3 + 0.5 * x + rng.normal(0, 0.6, 10)[child] + rng.normal(0, 0.5, 70)[place]
    y = y + rng.normal(0, 1, len(place))
    return pd.DataFrame({"y": y.round(5), "x": x.round(5), "g": child, "h": recording})


def choices(rng: np.random.Generator) -> pd.DataFrame:
    """24 people choose among pictures for 30 items: right or wrong, crossed."""
    n = 1500
    person, item, x = rng.integers(0, 24, n), rng.integers(0, 30, n), rng.normal(size=n)
    log_odds = -0.3 + 0.8 * x + rng.normal(0, 0.7, 24)[person] + rng.normal(0, 0.9, 30)[item]
    correct = rng.binomial(1, 1 / (1 + np.exp(-log_odds)))
    return pd.DataFrame({"y": correct, "x": x.round(5), "g": person, "h": item})


def shares(rng: np.random.Generator) -> pd.DataFrame:
    """12 children, 20 recordings each: highly aligned utterances out of all, by speaker."""
    n = 240
    child = np.repeat(np.arange(12), 20)
    speaker = rng.choice(["adult", "child"], n)
    age, trials = rng.uniform(6, 30, n), rng.integers(5, 120, n)
    log_odds = -2 + 0.02 * (age - 18) - 0.4 * (speaker == "child") + rng.normal(0, 0.4, 12)[child]
    high = rng.binomial(trials, 1 / (1 + np.exp(-log_odds)))
    return pd.DataFrame(
        {
            "high": high,
            "low": trials - high,
            "speaker": speaker,
            "age": age.round(4),
            "child": child,
            "recording": np.arange(n),
        }
    )


def choice_slopes(rng: np.random.Generator) -> pd.DataFrame:
    """20 people with intercepts and slopes of their own, right or wrong."""
    n = 1200
    person, x = rng.integers(0, 20, n), rng.normal(size=n)
    effects = rng.multivariate_normal([0, 0], [[0.6, 0.2], [0.2, 0.4]], 20)
    log_odds = 0.2 + 0.5 * x + effects[person, 0] + effects[person, 1] * x
    correct = rng.binomial(1, 1 / (1 + np.exp(-log_odds)))
    return pd.DataFrame({"y": correct, "x": x.round(5), "g": person})


def four_choices(rng: np.random.Generator) -> pd.DataFrame:
    """36 raters choose one of four, 40 trials each out of 120 items; chance is .25."""
    rater = np.repeat(np.arange(36), 40)
    item = np.tile(np.arange(40) * 3, 36) + rater % 3
    score, spread = rng.uniform(0.14, 0.34, 120), rng.uniform(0.025, 0.035, 120)
    level, slope = rng.normal(0, 0.6, 36), rng.normal(0, 16, 36)
    distance = score[item] - 0.24
    log_odds = (40 + slope[rater]) * distance + level[rater] + rng.normal(0, 0.7, 120)[item]
    correct = rng.binomial(1, 0.25 + 0.71 / (1 + np.exp(-log_odds)))
    return pd.DataFrame(
        {
            "is_correct": correct,
            "score": score[item].round(5),
            "z": ((score - 0.2) / spread)[item].round(4),
            "rater": rater,
            "item": item,
        }
    )


MAKERS = (
    balanced,
    unbalanced,
    crossed,
    nested,
    near_singular,
    slopes_crossed,
    speakers,
    within,
    choices,
    shares,
    choice_slopes,
    four_choices,
)


def main() -> None:
    """Write one CSV for each data set."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed, make in enumerate(MAKERS, start=1):
        make(np.random.default_rng(seed)).to_csv(FOLDER / f"{make.__name__}.csv", index=False)


if __name__ == "__main__":
    main()
