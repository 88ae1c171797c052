"""Tables that we write run nothing in a spreadsheet, and are read back as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.column import Column
from pipeline.exchange.table_file import write_table
from pipeline.spreadsheet import RUN, CsvWriter, csv_text, guarded, guarded_sql, unguarded
from pipeline.textfile import read_csv

HOSTILE = (
    '=HYPERLINK("http://127.0.0.1/?"&A1,"open")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "'=1+1",
    "''@x",
    "'tis",
    "-5",
    "plain",
    "",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_sql_guards_as_python_does(text: str) -> None:
    found = duckdb.execute(f"SELECT {guarded_sql('t')} FROM (SELECT $1 AS t)", [text]).fetchone()
    assert found == (guarded(text),)


@given(st.text(max_size=12))
def test_any_text_is_guarded_the_same_in_sql(text: str) -> None:
    text = text.replace("\0", "").encode("utf-8", "ignore").decode()
    found = duckdb.execute(f"SELECT {guarded_sql('t')} FROM (SELECT $1 AS t)", [text]).fetchone()
    assert found == (guarded(text),)


def test_an_exported_table_runs_nothing_keeps_its_numbers_and_is_read_back(tmp_path: Path) -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE t (text VARCHAR, score FLOAT, flags VARCHAR[])")
    con.executemany("INSERT INTO t VALUES (?, -0.5, ?)", [[t, [t, "x"]] for t in HOSTILE])
    columns = tuple(
        Column(name, kind, "")
        for name, kind in (("text", "VARCHAR"), ("score", "FLOAT"), ("flags", "VARCHAR[]"))
    )
    path = tmp_path / "t.csv"
    write_table(con, "SELECT * FROM t", {}, columns, path, "csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    assert not [cell for row in rows for cell in (row[0], row[2]) if cell.startswith(RUN)]
    assert {float(row[1]) for row in rows} == {-0.5}
    assert [unguarded(row[0]) for row in rows] == list(HOSTILE)
    # The importers' own way of reading strips cells, as it does everywhere.
    read = [row.text("text") for row in read_csv(path).rows]
    assert read == [text.strip() for text in HOSTILE]
    write_table(con, "SELECT * FROM t", {}, columns, tmp_path / "t.parquet", "parquet")
    typed = duckdb.execute(f"SELECT text FROM '{tmp_path / 't.parquet'}'").fetchall()
    assert [row[0] for row in typed] == list(HOSTILE)


def test_a_return_in_a_cell_begins_no_row() -> None:
    file = io.StringIO(newline="")
    CsvWriter(file).writerows([("a\r=1+1", 1, None), ("b", 2, "x")])
    assert file.getvalue() == '"a\r=1+1","1",""\nb,2,x\n'


def test_a_table_of_the_dashboard_runs_nothing_and_keeps_its_numbers() -> None:
    frame = pd.DataFrame(
        {
            "=Name": pd.Categorical(HOSTILE),
            "n": range(len(HOSTILE)),
            "score": -0.25,
            "shown": "-0.25",
            "at": pd.Timestamp("2026-01-02"),
        }
    )
    text = csv_text(frame)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][0] == "'=Name"
    for row, original in zip(rows[1:], HOSTILE, strict=True):
        assert unguarded(row[0]) == original
        assert original == "-5" or not row[0].startswith(RUN)
        assert row[2:4] == ["-0.25", "-0.25"]
    assert next(iter(frame.columns)) == "=Name"
