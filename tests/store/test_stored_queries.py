"""A store that somebody else made is data: no query that lies in it runs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.errors import StoreError
from pipeline.schema import VIEWS
from pipeline.store.narrowed import narrowed_store
from pipeline.store.opening import open_current_store
from pipeline.store.stored_queries import reads_own_tables, refuse_foreign_queries
from tests.factories import write_synthetic_study

READ = "SELECT content FROM read_text('{}')"
VIEWS_THAT_READ = (
    "CREATE VIEW v AS SELECT * FROM read_text('x')",
    "CREATE VIEW v AS SELECT * FROM 'x.csv'",
    'CREATE VIEW v AS SELECT * FROM "x.csv"',
    "CREATE VIEW v AS SELECT * FROM lags, 'x.csv'",
    "CREATE VIEW v AS SELECT * FROM lags l, read_csv('x')",
    "CREATE VIEW v AS SELECT * FROM lags CROSS JOIN 'x.csv'",
    "CREATE VIEW v AS SELECT (SELECT content FROM read_text('x')) FROM lags",
    "CREATE VIEW v AS FROM 'x.csv'",
    "CREATE VIEW v AS TABLE 'x.csv'",
    "CREATE VIEW v AS WITH a AS (FROM 'x') SELECT * FROM lags",
    "CREATE VIEW v AS SELECT * FROM query('FROM lags')",
    "CREATE VIEW v AS SELECT x.read_blob('y') FROM lags",
    "CREATE VIEW v AS SELECT \"getenv\"('HOME') FROM lags",
    "CREATE VIEW v AS SELECT * FROM other.main.lags",
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_synthetic_study(tmp_path, n_children=2, n_recordings=2, n_utterances=10)


def test_coviews_own_store_is_read(store: Path):
    with duckdb.connect(str(store), read_only=True) as con:
        refuse_foreign_queries(con, store.name)
        found = con.execute("SELECT sql FROM duckdb_views() WHERE NOT internal").fetchall()
    assert len(found) == len(VIEWS)
    assert all(reads_own_tables(sql) for (sql,) in found)


@pytest.mark.parametrize("sql", VIEWS_THAT_READ)
def test_a_view_that_could_read_anything_else_is_told_apart(sql: str):
    assert not reads_own_tables(sql)


@pytest.mark.parametrize("how", ["table", "view", "macro", "other view"])
def test_a_store_with_other_queries_is_opened_nowhere(store: Path, tmp_path: Path, how: str):
    secret = tmp_path / "secret.txt"
    secret.write_text("private words")
    read = READ.format(secret)
    with duckdb.connect(str(store)) as con:
        if how == "table":
            con.execute("DROP VIEW scores")
            con.execute(f"ALTER TABLE runs RENAME TO old; CREATE VIEW runs AS {read}")
        elif how == "view":
            con.execute(f"CREATE OR REPLACE VIEW scores AS {read}")
        elif how == "macro":
            con.execute(f"CREATE MACRO own() AS TABLE {read}")
        else:
            con.execute(f"CREATE VIEW more AS {read}")
    with (
        pytest.raises(StoreError, match="a query that is not Coview's"),
        open_current_store(tmp_path),
    ):
        pass
    with pytest.raises(StoreError, match="a query that is not Coview's"):
        narrowed_store(store, tmp_path, ["C01"])
    left = store.parent.joinpath("narrowed").glob("*.duckdb*")
    assert not list(left)
