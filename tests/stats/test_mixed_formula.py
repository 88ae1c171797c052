"""Formulas: what is read, how it is coded and named (as R does), and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FitError
from pipeline.stats.mixed.coding import make_coding
from pipeline.stats.mixed.expression import KNOWN_FUNCTIONS
from pipeline.stats.mixed.formula import Formula, parse_formula

ROWS = pd.DataFrame(
    {
        "y": [0.1, 0.4, 0.2, 0.9, 0.5, 0.7],
        "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "speaker": ["child", "adult", "other", "adult", "child", "other"],
        "is_book": [True, False, True, True, False, False],
        "level": [10, 2, 2, 10, 1, 1],
        "my column": [3.0, 1.0, 2.0, 5.0, 4.0, 6.0],
        "child": list("aabbcc"),
        "item": list("pqpqpq"),
    }
)


def names_of(fixed: str) -> tuple[str, ...]:
    parsed = parse_formula(f"y ~ {fixed} + (1 | child)")
    return make_coding(parsed.fixed, ROWS, ROWS).names()


def matrix_of(fixed: str) -> np.ndarray:
    parsed = parse_formula(f"y ~ {fixed} + (1 | child)")
    return make_coding(parsed.fixed, ROWS, ROWS).matrix(ROWS)


@pytest.mark.parametrize(
    ("fixed", "names"),
    [
        ("1", ["(Intercept)"]),
        ("x", ["(Intercept)", "x"]),
        ("0 + x", ["x"]),
        ("x - 1", ["x"]),
        ("-1 + x", ["x"]),
        ("speaker", ["(Intercept)", "speakerchild", "speakerother"]),
        ("0 + speaker", ["speakeradult", "speakerchild", "speakerother"]),
        ("0 + speaker + is_book", ["speakeradult", "speakerchild", "speakerother", "is_bookTRUE"]),
        ("is_book", ["(Intercept)", "is_bookTRUE"]),
        ("factor(level)", ["(Intercept)", "factor(level)2", "factor(level)10"]),
        ("`my column`", ["(Intercept)", "`my column`"]),
        ("log(x)", ["(Intercept)", "log(x)"]),
        ("I(x^2)", ["(Intercept)", "I(x^2)"]),
        ("I( x ^ 2*3 )", ["(Intercept)", "I(x^2 * 3)"]),
        ("I(x > 2)", ["(Intercept)", "I(x > 2)TRUE"]),
        ("scale(`my column`)", ["(Intercept)", "scale(`my column`)"]),
        ("x * is_book", ["(Intercept)", "x", "is_bookTRUE", "x:is_bookTRUE"]),
        ("is_book + x:is_book", ["(Intercept)", "is_bookTRUE", "is_bookFALSE:x", "is_bookTRUE:x"]),
        ("x:is_book", ["(Intercept)", "x:is_bookFALSE", "x:is_bookTRUE"]),
        ("x:level + x + level", ["(Intercept)", "x", "level", "x:level"]),
        ("(x + level)^2", ["(Intercept)", "x", "level", "x:level"]),
        ("x * level - x", ["(Intercept)", "level", "x:level"]),
        ("level/x", ["(Intercept)", "level", "level:x"]),
        ("x^2 + x", ["(Intercept)", "x"]),
        (
            "is_book * speaker",
            [
                "(Intercept)",
                "is_bookTRUE",
                "speakerchild",
                "speakerother",
                "is_bookTRUE:speakerchild",
                "is_bookTRUE:speakerother",
            ],
        ),
    ],
)
def test_terms_are_named_as_r_names_them(fixed: str, names: list[str]) -> None:
    assert list(names_of(fixed)) == names
    assert matrix_of(fixed).shape == (len(ROWS), len(names))


def test_columns_hold_what_their_names_say() -> None:
    x = ROWS["x"].to_numpy()
    assert matrix_of("speaker")[:, 1].tolist() == [1, 0, 0, 0, 1, 0]
    assert matrix_of("I((x - 1)^2/2)")[:, 1] == pytest.approx((x - 1) ** 2 / 2)
    assert matrix_of("I(-x^2)")[:, 1] == pytest.approx(-(x**2))
    assert matrix_of("scale(x)")[:, 1] == pytest.approx((x - x.mean()) / x.std(ddof=1))
    assert matrix_of("log(x):is_book")[:, 2] == pytest.approx(np.log(x) * ROWS["is_book"])
    categories = pd.Categorical(ROWS["speaker"], categories=["other", "child", "adult", "none"])
    parsed = parse_formula("y ~ speaker + (1 | child)")
    rows = ROWS.assign(speaker=categories)
    assert make_coding(parsed.fixed, rows, rows).names()[1:] == ("speakerchild", "speakeradult")


def groups_of(formula: str) -> list[tuple[str, bool, int]]:
    return [
        (spec.group, spec.effects.has_intercept, len(spec.effects.terms))
        for spec in parse_formula(formula).random
    ]


def test_random_effects_are_read_as_lme4_reads_them() -> None:
    assert groups_of("y ~ x + (1 | child)") == [("child", True, 0)]
    assert groups_of("y ~ x + (x | child) + (1|item)") == [("child", True, 1), ("item", True, 0)]
    assert groups_of("y ~ (0 + x | child)") == [("child", False, 1)]
    assert groups_of("y ~ (1 | child/item)") == [("child", True, 0), ("item:child", True, 0)]
    assert groups_of("y ~ (1 | child:item)") == [("child:item", True, 0)]
    assert groups_of("y ~ x + (x*z|c)") == [("c", True, 3)]
    (spec,) = parse_formula("y ~ x + (1 + x || child)").random
    assert not spec.is_correlated


@pytest.mark.parametrize(
    ("formula", "part"),
    [
        ("", "there is none"),
        ("y", "'~' is missing"),
        ("~ x + (1 | child)", "names no response"),
        ("y ~", "a column or a function is missing"),
        ("y ~ x +", "a column or a function is missing"),
        ("y ~ my column", "a sign is missing before 'column'"),
        ("y ~ x + (1 | child", "')' is missing"),
        ("y ~ x + (1 | child + item)", "one pair of parentheses for each group"),
        ("y ~ x + (1 | )", "name of a grouping column"),
        ("y ~ x + (0 | child)", "nothing that varies"),
        ("y ~ x + 1 | child", "without parentheses"),
        ("y ~ x * (1 | child)", "must be added"),
        ("y ~ x - (1 | child)", "must be added"),
        ("y ~ 2 + x", "only the numbers 0 and 1"),
        ("y ~ x:1", "cannot be multiplied"),
        ("y ~ x^y", "must be followed by 1 to 4"),
        ("y ~ . + (1 | child)", "'.'"),
        ("y ~ poly(x, 2)", "cannot use poly()"),
        ("y ~ __import__('os')", "cannot be read at"),
        ("y ~ I(__import__(os))", "cannot use __import__()"),
        ("y ~ x; x", "cannot be read at"),
        ("y ~ " + "(" * 200 + "x" + ")" * 200, "too long"),
        ("y ~ I(" + "-" * 900 + "x)", "too long"),
        ("y ~ " + "*".join(f"v{i}" for i in range(30)), "more than 500 terms"),
        ("y ~ " + "x" * 20_000, "characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(formula: str, part: str) -> None:
    with pytest.raises(FitError) as refused:
        parse_formula(formula)
    assert part in refused.value.message
    assert refused.value.hint


def test_a_formula_lists_the_columns_it_needs() -> None:
    parsed = parse_formula("cbind(k, I(n - k)) ~ log(x):`a b` + (z | child/rec)")
    assert parsed.columns == ("k", "n", "x", "a b", "z", "child", "rec")
    assert parsed.response_text == "cbind(k, I(n - k))"


def test_every_formula_of_the_page_about_formulas_is_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formulas.md").read_text(encoding="utf-8")
    shown = re.findall(r"`+ ?([^`]*?~(?:[^`]|`[^`]+`)*?) ?`+ \|", text)
    asked = re.findall(r'pipeline fit \S+ "([^"]+)"', text)
    formulas = [formula.replace("\\|", "|") for formula in (*shown, *asked)]
    assert len(formulas) >= 16
    for formula in formulas:
        assert parse_formula(formula).random, formula
    for name in KNOWN_FUNCTIONS:
        assert f"{name}" in text or name == "as.factor"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="yxz01 ~+-*/:^|()`.,<>=I'\"_;{}", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parsed = parse_formula(text)
    except FitError:
        return
    assert isinstance(parsed, Formula)
