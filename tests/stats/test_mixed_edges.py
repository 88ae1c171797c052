"""Data that cannot carry a model: a sentence, never a traceback or a silent number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import FitError
from pipeline.stats.mixed.fit import fit_mixed
from pipeline.stats.mixed.predict import predict
from pipeline.stats.mixed.result import FAMILIES, MixedFit

Change = Callable[[pd.DataFrame], pd.DataFrame]
RESPONSE = {"gaussian": "y", "binomial": "b"}


def study(n: int = 160) -> pd.DataFrame:
    """8 children, 10 items, a response of either family."""
    rng = np.random.default_rng(5)
    child, item, x = rng.integers(0, 8, n), rng.integers(0, 10, n), rng.normal(size=n)
    y = 0.5 * x + rng.normal(0, 0.7, 8)[child] + rng.normal(0, 0.5, 10)[item]
    y = y + rng.normal(size=n)
    return pd.DataFrame(
        {
            "y": y,
            "b": (y > 0).astype(int),
            "x": x,
            "speaker": rng.choice(["adult", "child"], n),
            "child": np.array(list("abcdefgh"))[child],
            "item": item,
        }
    )


def fit(rows: pd.DataFrame, right: str, family: str) -> MixedFit:
    return fit_mixed(rows, f"{RESPONSE[family]} ~ {right}", family=family)


REFUSED: list[tuple[str, Change, str, str]] = [
    ("one child", lambda d: d.assign(child="a"), "x + (1 | child)", "only one value (a)"),
    (
        "one class",
        lambda d: d.assign(speaker="adult"),
        "speaker + (1 | child)",
        "nothing to compar",
    ),
    ("constant", lambda d: d.assign(x=3.0), "x + (1 | child)", "same value (3) in every row"),
    ("constant slope", lambda d: d.assign(z=1.0), "x + (z | child)", "same value (1)"),
    ("3 rows", lambda d: d.head(3), "x + (1 | child)", "3 row(s) are too few"),
    ("no rows", lambda d: d.head(0), "x + (1 | child)", "no rows"),
    ("all missing", lambda d: d.assign(x=np.nan), "x + (1 | child)", "x is missing in every row"),
    (
        "never whole",
        lambda d: d.assign(x=d["x"].where(d.index < 80), z=d["x"].where(d.index >= 80)),
        "x + z + (1 | child)",
        "None of 160 row(s)",
    ),
    ("infinite", lambda d: d.assign(x=d["x"].replace(d["x"][0], np.inf)), "x + (1|child)", "infin"),
    ("log of 0", lambda d: d.assign(x=d["x"].clip(0)), "log(x) + (1 | child)", "has no value in"),
    ("no random effect", lambda d: d, "x", "no random effect"),
    ("no fixed effect", lambda d: d, "0 + (1 | child)", "no fixed effect"),
    ("no column", lambda d: d, "xx + (1 | child)", "no column xx"),
    ("no group", lambda d: d, "x + (1 | chlid)", "no column chlid"),
    ("two columns", lambda d: pd.concat([d, d[["x"]]], axis=1), "x + (1|child)", "2 columns calle"),
    ("dates", lambda d: d.assign(x=pd.Timestamp("2024-01-01")), "x + (1 | child)", "holds dates"),
    ("constant y", lambda d: d.assign(y=1.0, b=1), "x + (1 | child)", "nothing can explain it"),
    ("text", lambda d: d.assign(y="t", b="t"), "x + (1 | child)", ""),
    ("own rows", lambda d: d.assign(child=d.index), "x + (1 | child)", "of its own"),
    ("twice", lambda d: d, "x + (1 | child) + (x | child)", "in two terms"),
    (
        "same groups",
        lambda d: d.assign(family=d["child"].str.upper()),
        "x + (1 | child) + (1 | family)",
        "divide the rows in the same way",
    ),
    ("fixed and random", lambda d: d, "child + (1 | child)", "already give each level"),
    ("number of text", lambda d: d, "log(speaker) + (1 | child)", "no column of numbers"),
    (
        "nothing left",
        lambda d: d.assign(y=d["child"].map(ord) ** 2.0, b=(d["child"] < "d").astype(int)),
        "x + (1 | child)",
        "",
    ),
]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("change", "right", "part"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
@pytest.mark.filterwarnings("error")
def test_data_that_carry_no_model_are_refused_in_words(
    change: Change, right: str, part: str, family: str
) -> None:
    with pytest.raises(FitError) as refused:
        fit(change(study()), right, family)
    assert part in refused.value.message
    assert refused.value.message.endswith((".", ")"))
    assert refused.value.hint.endswith((".", "?"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("change", "right", "part"),
    [
        (lambda d: d[d["child"] < "d"], "x + (1 | child)", "child has only 3 levels"),
        (lambda d: d.assign(z=2 * d["x"]), "x + z + (1 | child)", "z was left out"),
        (
            lambda d: d.assign(x=d["x"].where(d.index > 9)),
            "x + (1 | child)",
            "10 row(s) were left out because a value is missing; 150 were used",
        ),
        (
            lambda d: d.assign(child=np.where(d.index < 120, "a", d["child"])),
            "x + (1 | child)",
            "alone gives",
        ),
        (
            lambda d: d.assign(age=d["child"].map(ord) % 5),
            "age + (age | child)",
            "age does not vary within any level of child",
        ),
        (lambda d: d, "x + (x * speaker | child)", "Singular fit"),
    ],
)
def test_weak_data_give_a_result_with_a_sentence(
    change: Change, right: str, part: str, family: str
) -> None:
    found = fit(change(study()), right, family)
    assert any(part in message for message in found.messages), found.messages
    assert all(np.isfinite([e.estimate, e.se, e.p]).all() for e in found.fixed)


def test_outcomes_that_a_predictor_decides_are_refused() -> None:
    rows = study()
    decided = rows.assign(b=(rows["x"] > 0.3).astype(int))
    with pytest.raises(FitError, match=r"^x decides the outcome in 1\d\d of 160 row\(s\)"):
        fit_mixed(decided, "b ~ x + (1 | child)", family="binomial")
    partly = rows.assign(b=np.where(rows["speaker"] == "child", 0, rows["b"]))
    with pytest.raises(FitError, match="speakerchild decides the outcome"):
        fit_mixed(partly, "b ~ speaker + x + (1 | child)", family="binomial")
    counts = rows.assign(k=np.where(rows["speaker"] == "child", 0, 2), f=rows["item"] + 1)
    with pytest.raises(FitError, match="speakerchild decides"):
        fit_mixed(counts, "cbind(k, f) ~ speaker + (1 | child)", family="binomial")
    # A strong effect is no separation.
    strong = rows.assign(b=(rows["x"] * 8 + rows["y"] > 0).astype(int))
    assert fit_mixed(strong, "b ~ x + (1 | child)", family="binomial").fixed[1].estimate > 3


def test_a_response_that_exactly_follows_from_predictors_is_refused() -> None:
    rows = study()
    with pytest.raises(FitError, match="reproduces y exactly"):
        fit_mixed(rows.assign(y=2 * rows["x"] + 1), "y ~ x + (1 | child)")


@pytest.mark.parametrize(
    ("change", "formula", "part"),
    [
        (lambda d: d.assign(b=d["b"] * 2), "b ~ x + (1 | child)", "holds 2"),
        (lambda d: d.assign(b=d["item"].astype(str)), "b ~ x + (1 | child)", "10 different val"),
        (lambda d: d.assign(f=0.5), "cbind(b, f) ~ x + (1 | child)", "no counts"),
        (lambda d: d.assign(f=-1), "cbind(b, f) ~ x + (1 | child)", "no counts"),
        (lambda d: d.assign(b=0, f=0), "cbind(b, f) ~ x + (1 | child)", "No row has"),
    ],
)
def test_responses_that_are_no_binomial_ones_are_refused(
    change: Change, formula: str, part: str
) -> None:
    with pytest.raises(FitError) as refused:
        fit_mixed(change(study()), formula, family="binomial")
    assert part in refused.value.message


def test_binomial_responses_may_be_words_truths_or_counts() -> None:
    rows = study()
    plain = fit_mixed(rows, "b ~ x + (1 | child)", family="binomial")
    words = rows.assign(b=np.where(rows["b"] == 1, "yes", "no"))
    named = fit_mixed(words, "b ~ x + (1 | child)", family="binomial")
    assert named.loglik == pytest.approx(plain.loglik, abs=1e-6)
    assert "yes counts as 1" in " ".join(named.messages)
    truths = fit_mixed(rows, "I(y > 0) ~ x + (1 | child)", family="binomial")
    assert truths.loglik == pytest.approx(plain.loglik, abs=1e-6)
    empty = pd.concat([rows.assign(f=1 - rows["b"]), rows.head(4).assign(b=0, f=0)])
    counts = fit_mixed(empty, "cbind(b, f) ~ x + (1 | child)", family="binomial")
    assert counts.loglik == pytest.approx(plain.loglik, abs=1e-6)
    assert counts.n == 160
    assert "4 row(s) without any trial" in " ".join(counts.messages)
    with pytest.raises(FitError, match="binomial models"):
        fit_mixed(empty, "cbind(b, f) ~ x + (1 | child)")
    with pytest.raises(FitError, match="no family 'poisson'"):
        fit_mixed(rows, "y ~ x + (1 | child)", family="poisson")


def test_columns_of_any_kind_give_the_same_fit() -> None:
    rows = study()
    plain = fit_mixed(rows, "y ~ x + speaker + (1 | child) + (1 | item)")
    other = rows.assign(
        speaker=pd.Categorical(rows["speaker"]),
        child=pd.Categorical(rows["child"]),
        item=rows["item"].astype("Int64"),
        x=rows["x"].astype("Float64"),
    ).sample(frac=1, random_state=1)
    again = fit_mixed(other, "y ~ x + speaker + (1 | child) + (1 | item)")
    for one, two in zip(plain.fixed, again.fixed, strict=True):
        assert one.term == two.term
        assert one.estimate == pytest.approx(two.estimate, rel=1e-4)
        assert one.df == pytest.approx(two.df, rel=1e-3)


def test_predictions_have_the_interval_of_their_combination() -> None:
    rows = study()
    found = fit_mixed(rows, "y ~ x * speaker + scale(item) + (1 | child)")
    at = pd.DataFrame({"x": [0.0, 2.0], "speaker": ["adult", "child"], "item": [3, 4], "k": [1, 2]})
    table = predict(found, at)
    assert list(table.columns) == ["x", "speaker", "item", "k", "estimate", "lower", "upper"]
    assert (table["lower"] < table["estimate"]).all()
    b = {effect.term: effect.estimate for effect in found.fixed}
    item = (4 - rows["item"].mean()) / rows["item"].std()
    expected = b["(Intercept)"] + 2 * b["x"] + b["speakerchild"] + 2 * b["x:speakerchild"]
    assert table["estimate"][1] == pytest.approx(expected + item * b["scale(item)"])
    # At all predictors' zero it is the intercept's own interval.
    simple = fit_mixed(rows, "y ~ x + (1 | child)")
    zero = predict(simple, pd.DataFrame({"x": [0.0]})).iloc[0]
    assert zero["lower"] == pytest.approx(simple.fixed[0].lower, rel=1e-9)
    chance = fit_mixed(rows, "b ~ x + (1 | child)", family="binomial")
    shown = predict(chance, pd.DataFrame({"x": [0.0, 50.0]}))
    assert shown["estimate"][0] == pytest.approx(1 / (1 + np.exp(-chance.fixed[0].estimate)))
    assert shown["upper"].max() <= 1


def test_predictions_refuse_what_the_model_does_not_know() -> None:
    found = fit_mixed(study(), "y ~ x + speaker + (1 | child)")
    with pytest.raises(FitError, match="no column speaker"):
        predict(found, pd.DataFrame({"x": [1.0]}))
    with pytest.raises(FitError, match="'dog' is no level of speaker"):
        predict(found, pd.DataFrame({"x": [1.0], "speaker": ["dog"]}))
    with pytest.raises(FitError, match="x is missing"):
        predict(found, pd.DataFrame({"x": [np.nan], "speaker": ["adult"]}))
