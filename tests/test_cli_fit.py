"""The command fit: a table and a formula in, effects out."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.stats.mixed.fit import fit_mixed

DATA = Path(__file__).parent / "reference" / "data"
runner = CliRunner()


def asked(*arguments: str):
    return runner.invoke(app, ["fit", *arguments], env={"COLUMNS": "120"})


def test_the_json_of_a_linear_fit_is_what_the_fit_says() -> None:
    path, formula = DATA / "slopes_crossed.csv", "y ~ x + (x | g) + (1 | h)"
    result = asked(str(path), formula, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    fit = fit_mixed(pd.read_csv(path), formula)
    assert {"fixed", "random", "loglik", "n", "converged", "messages"} <= found.keys()
    assert [row["term"] for row in found["fixed"]] == ["(Intercept)", "x"]
    for row, effect in zip(found["fixed"], fit.fixed, strict=True):
        assert {"term", "estimate", "se", "lower", "upper", "p"} <= row.keys()
        assert row["estimate"] == pytest.approx(effect.estimate)
        assert row["lower"] < row["estimate"] < row["upper"]
        assert row["p"] == pytest.approx(effect.p)
    sds = {(row["group"], row["term"]): row["sd"] for row in found["random"]}
    assert set(sds) == {("g", "(Intercept)"), ("g", "x"), ("h", "(Intercept)"), ("Residual", "")}
    assert sds["Residual", ""] == pytest.approx(fit.residual_sd)
    assert found["loglik"] == pytest.approx(fit.loglik)
    assert (found["n"], found["converged"], found["messages"]) == (700, True, [])


def test_maximum_likelihood_and_binomial_models_can_be_asked_for(tmp_path: Path) -> None:
    ml = asked(str(DATA / "crossed.csv"), "y ~ x + (1|g) + (1|h)", "--ml", "--json")
    assert json.loads(ml.stdout)["method"] == "maximum likelihood (ML)"
    table = tmp_path / "shares.parquet"
    pd.read_csv(DATA / "shares.csv").to_parquet(table)
    formula = "cbind(high, low) ~ speaker + age + (1 | child)"
    out = tmp_path / "effects.csv"
    counts = asked(str(table), formula, "--family", "binomial", "--json", "--out", str(out))
    found = json.loads(counts.stdout, parse_constant=pytest.fail)
    assert [row["term"] for row in found["fixed"]] == ["(Intercept)", "speakerchild", "age"]
    assert found["fixed"][0]["df"] is None
    assert [row["group"] for row in found["random"]] == ["child"]
    written = pd.read_csv(out)
    assert written["estimate"].tolist() == [row["estimate"] for row in found["fixed"]]


def test_the_table_shows_effects_spreads_and_what_to_note() -> None:
    result = asked(str(DATA / "near_singular.csv"), "y ~ x + (1 | g)")
    assert result.exit_code == 0
    for part in ("95 % interval", "Residual", "(ICC)", "R2", "Note: Singular fit", "90 rows, 6 g"):
        assert part in result.stdout
    odds = asked(str(DATA / "choice_slopes.csv"), "y ~ x + (x | g)", "--family", "binomial")
    assert "log-odds" in odds.stdout
    assert "Correlation of (Intercept) and x by g" in odds.stdout


@pytest.mark.parametrize(
    ("table", "formula", "options", "part"),
    [
        ("balanced.csv", "y ~ x", (), "no random effect"),
        ("balanced.csv", "y ~ zz + (1 | g)", (), "no column zz"),
        ("balanced.csv", "y ~ x + (1 | g", (), "cannot be read"),
        ("balanced.csv", "y ~ x + (1 | g)", ("--family", "poisson"), "no family"),
        ("nothing.csv", "y ~ x + (1 | g)", (), "no file"),
    ],
)
def test_wrong_use_ends_with_two_and_one_sentence(
    table: str, formula: str, options: tuple[str, ...], part: str
) -> None:
    result = asked(str(DATA / table), formula, *options)
    assert result.exit_code == 2
    assert part in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe\x81,,", b"y,x,g\n", b'"a\n1,2\n3', b"a,b\n1,2,3\n4,5,6,7\n"]
)
def test_files_that_are_no_tables_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    for name in ("table.csv", "table.parquet"):
        path = tmp_path / name
        path.write_bytes(content)
        result = asked(str(path), "y ~ x + (1 | g)")
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: ")
        assert "Traceback" not in result.output
