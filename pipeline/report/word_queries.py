"""Lemmas with their mean scores and their norms: what the regression of words rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from pipeline.errors import FitError
from pipeline.predictors.choice import ScoreChoice
from pipeline.stats.lemmas.means import likeness_within, variances_of_means
from pipeline.stats.lemmas.norms import (
    FREQUENCY_HERE,
    NormsRegression,
    regress_on_norms,
    usual_norms,
)
from pipeline.store.norm_units import norm_units

MIN_COUNT = 10
"""Words heard in fewer scored utterances are left out, as on the Words page."""


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Lemmas against norms. `table`: lemma, n (scored utterances), mean, variance (of the mean) and
    a column for each norm, most frequent first; `regression` is None where it cannot be had, and
    `problem` says why. `units`: unit and source by norm."""

    norms: tuple[str, ...]
    table: pd.DataFrame
    regression: NormsRegression | None
    problem: str
    units: dict[str, str]


def words(con: DuckDBPyConnection, choice: ScoreChoice) -> Words | None:
    """Lemmas with a value of each usual norm; None when the store has no norms."""
    values = con.execute(
        "SELECT lemma, norm, avg(value) AS value FROM word_norms GROUP BY lemma, norm"
    ).df()
    if not len(values):
        return None
    norms = usual_norms(sorted(values["norm"].unique()))
    table = _lemmas(con, choice)
    wide = values.pivot(index="lemma", columns="norm", values="value")
    table = table.join(wide, on="lemma", how="left")
    table = table[table["n"] >= MIN_COUNT].dropna(subset=list(norms))
    table = table.sort_values(["n", "lemma"], ascending=[False, True], ignore_index=True)
    table = table[["lemma", "n", "mean", "variance", *norms]]
    try:
        found, problem = regress_on_norms(table, norms), ""
    except FitError as error:
        found, problem = None, str(error)
    return Words(norms, table, found, problem, norm_units(con))


def _lemmas(con: DuckDBPyConnection, choice: ScoreChoice) -> pd.DataFrame:
    """Every lemma of the study: lemma, n, mean, variance, and how often it is heard."""
    params = {**choice.condition.params, "scorer": choice.scorer}
    base = f"""SELECT utterance_number, child_id, recording_id, CAST({choice.score_sql} AS DOUBLE)
                AS score
            FROM scores_wide
            WHERE scorer = $scorer AND ({choice.condition.sql})
                AND {choice.score_sql} IS NOT NULL"""
    recordings = con.execute(
        f"""SELECT CAST(any_value(child_id) AS VARCHAR) AS child_id, count(*) AS n,
                sum(score) AS total, sum(score * score) AS squares
            FROM ({base}) GROUP BY recording_id ORDER BY child_id, min(utterance_number)""",
        params,
    ).df()
    rows = con.execute(
        f"""WITH heard AS (SELECT DISTINCT lemma, utterance_number FROM word_index),
            base AS ({base}),
            parts AS (
                SELECT lemma, recording_id, count(*) AS n, sum(score) AS total,
                    sum(score * score) AS squares
                FROM heard JOIN base USING (utterance_number) GROUP BY lemma, recording_id),
            sums AS (
                SELECT lemma, sum(n) AS n, sum(total) AS total, sum(squares) AS squares,
                    sum(n * n) AS n_same
                FROM parts GROUP BY lemma)
            SELECT lemma, CAST(n AS BIGINT) AS n, total, squares, CAST(n_same AS DOUBLE) AS n_same,
                log10(n_heard) AS "{FREQUENCY_HERE}"
            FROM sums JOIN (SELECT lemma, count(*) AS n_heard FROM heard GROUP BY lemma)
                USING (lemma)
            ORDER BY lemma""",
        params,
    ).df()
    if not len(rows):
        return pd.DataFrame(columns=["lemma", "n", "mean", "variance", FREQUENCY_HERE])
    n = rows["n"].to_numpy(dtype=np.float64)
    mean = rows["total"].to_numpy(dtype=np.float64) / n
    freedom = n.sum() - len(rows)
    within = float(rows["squares"].sum() - n @ mean**2) / freedom if freedom else 0.0
    likeness = likeness_within(
        recordings["n"].to_numpy(dtype=np.float64),
        recordings["total"].to_numpy(dtype=np.float64),
        recordings["squares"].to_numpy(dtype=np.float64),
        pd.factorize(recordings["child_id"])[0].astype(np.int64),
    )
    variance = variances_of_means(
        n,
        rows["n_same"].to_numpy(dtype=np.float64),
        within_variance=max(within, 0.0),
        likeness=likeness,
    )
    return rows.assign(mean=mean, variance=variance)
