"""Exported tables hold the rows and say what they are, where they come from, what is in them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.column import Column
from pipeline.errors import StoreError
from pipeline.exchange.bundle import BundledFile, BundledText, write_bundle
from pipeline.exchange.facts import read_facts
from pipeline.exchange.selection import ScoreSetting, Selection
from pipeline.exchange.table_export import TableExport, export_table
from pipeline.exchange.table_file import (
    LISTS_NOTE,
    exportable_tables,
    plain_columns,
    table_sql,
    write_table,
)
from pipeline.schema import SCHEMA_VERSION, TABLES, UTTERANCES
from tests.dashboard.small_store import small_store


@pytest.fixture(scope="module")
def whole_store() -> Iterator[duckdb.DuckDBPyConnection]:
    with small_store() as con:
        yield con


@pytest.fixture
def store(whole_store) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store, as it was after each test."""
    whole_store.begin()
    yield whole_store
    whole_store.rollback()


def unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name) for name in bundle.namelist()}


def utterances(file_format: str, **changes: object) -> TableExport:
    return TableExport(
        name="study-utterances",
        meaning=UTTERANCES.meaning,
        sql=table_sql(UTTERANCES),
        columns=plain_columns(UTTERANCES),
        file_format=file_format,
        **changes,
    )


def test_a_csv_holds_every_row_and_lists_are_one_cell(store, tmp_path: Path):
    bundle = export_table(store, read_facts(store), utterances("csv"), tmp_path)
    files = unzipped(bundle.path)
    assert set(files) == {"study-utterances.csv", "study-utterances.csv.provenance.json"}
    rows = list(csv.DictReader(io.StringIO(files["study-utterances.csv"].decode())))
    assert bundle.n_rows == len(rows) == 6
    assert [row["text"] for row in rows][:2] == ["ball", "the ball"]
    assert [row["flags"] for row in rows][:2] == ["", "low_confidence"]
    assert list(rows[0]) == list(UTTERANCES.column_names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study-utterances.zip"]


def test_parquet_keeps_types_and_lists(store, tmp_path: Path):
    bundle = export_table(store, read_facts(store), utterances("parquet"), tmp_path)
    table = pq.read_table(io.BytesIO(unzipped(bundle.path)["study-utterances.parquet"]))
    assert table["onset_ms"].to_pylist()[:2] == [1_000, 5_000]
    assert table["flags"].to_pylist()[1] == ["low_confidence"]
    assert str(table.schema.field("onset_ms").type) == "int32"


def test_the_sidecar_says_what_the_table_is(store, tmp_path: Path):
    setting = ScoreSetting("clip", "center", "strict", "max", "raw", 0.24, "model")
    selection = Selection("Child: A", {"children": ["A"], "min_words": 2, "threshold": None})
    export = utterances("csv", selection=selection, setting=setting, methods="What was done.\n")
    bundle = export_table(store, read_facts(store), export, tmp_path)
    files = unzipped(bundle.path)
    sidecar = json.loads(files["study-utterances.csv.provenance.json"])
    assert files["methods.txt"] == b"What was done.\n"
    assert sidecar["file"] == "study-utterances.csv"
    assert sidecar["n_rows"] == 6
    assert sidecar["study"]["name"] == "Small"
    assert sidecar["study"]["store_build"] == "b"
    assert sidecar["study"]["schema_version"] == SCHEMA_VERSION
    assert sidecar["filters"] == {
        "in_words": "Child: A",
        "fields": {"children": ["A"], "min_words": 2, "threshold": None},
    }
    assert sidecar["score"]["threshold"] == 0.24
    assert [model["scorer"] for model in sidecar["models"]] == ["clip", "other"]
    assert sidecar["notes"] == [LISTS_NOTE]
    assert datetime.fromisoformat(sidecar["made_at"]).tzinfo is not None
    columns = {column["name"]: column for column in sidecar["columns"]}
    assert list(columns) == list(UTTERANCES.column_names)
    assert columns["onset_ms"]["unit"] == "ms"
    assert columns["text"]["meaning"].startswith("What was said, as transcribed")


def test_columns_with_a_dimension_carry_their_unit_in_the_name():
    endings = {"ms": "_ms", "days": "_days", "px": "_px", "Hz": "_hz"}
    for table in TABLES:
        for column in table.columns:
            ending = endings.get(column.unit)
            assert ending is None or column.name.endswith(ending), (table.name, column.name)


@pytest.mark.parametrize("table", exportable_tables(), ids=lambda table: table.name)
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_every_table_of_the_store_can_be_written_whole(store, tmp_path, table, file_format):
    path = tmp_path / f"t.{file_format}"
    columns = plain_columns(table)
    n = write_table(store, table_sql(table), {}, columns, path, file_format)
    (expected,) = store.execute(f"SELECT count(*) FROM {table.name}").fetchone()
    assert n == expected
    if file_format == "parquet":
        written = pq.read_table(path)
        assert written.num_rows == expected
        assert tuple(written.column_names) == table.column_names
    else:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == list(table.column_names)
        assert len(rows) == expected + 1


def test_names_stored_as_numbers_are_text_again(store, tmp_path: Path):
    path = tmp_path / "t.parquet"
    table = next(t for t in TABLES if t.name == "scores_wide")
    write_table(store, table_sql(table), {}, plain_columns(table), path, "parquet")
    written = pq.read_table(path, columns=["recording_id", "speaker"])
    assert {str(field.type) for field in written.schema} == {"string"}
    assert set(written["speaker"].to_pylist()) == {"FEM", "MAL", "CHI", "NA"}


def test_awkward_texts_survive_in_csv(store, tmp_path: Path):
    words = 'say "no", now\nor; never — où?'
    store.execute("UPDATE utterances SET text = $words WHERE utterance_id = 'u1'", {"words": words})
    path = tmp_path / "it's here.csv"
    columns = (Column("utterance_id", "VARCHAR", ""), Column("text", "VARCHAR", ""))
    sql = "SELECT utterance_id, text FROM utterances WHERE utterance_id = $id"
    assert write_table(store, sql, {"id": "u1"}, columns, path, "csv") == 1
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"utterance_id": "u1", "text": words}]


def test_a_folder_that_cannot_be_written_is_told(store, tmp_path: Path):
    with pytest.raises(StoreError, match=r"t\.csv could not be written"):
        write_table(
            store, "SELECT 1 AS n", {}, (Column("n", "INTEGER", ""),), tmp_path / "no/t.csv", "csv"
        )


def test_a_bundle_reports_its_bytes_and_leaves_packed_files_as_they_are(tmp_path: Path):
    plain, packed = tmp_path / "a.csv", tmp_path / "b.mp4"
    plain.write_bytes(b"0,1,2\n" * 400_000)
    packed.write_bytes(bytes(range(256)) * 4_096)
    seen: list[tuple[int, int]] = []
    target = tmp_path / "z.zip"
    write_bundle(
        target,
        [BundledFile(plain, "a.csv"), BundledFile(packed, "clips/b.mp4")],
        [BundledText("hello", "note.txt")],
        lambda n_done, n_total: seen.append((n_done, n_total)),
    )
    total = plain.stat().st_size + packed.stat().st_size
    assert seen[-1] == (total, total)
    assert len(seen) >= 3
    files = unzipped(target)
    assert files["a.csv"] == plain.read_bytes()
    assert files["clips/b.mp4"] == packed.read_bytes()
    assert files["note.txt"] == b"hello"
    with zipfile.ZipFile(target) as bundle:
        assert bundle.getinfo("clips/b.mp4").compress_type == zipfile.ZIP_STORED
        assert bundle.getinfo("a.csv").compress_size < plain.stat().st_size / 20
