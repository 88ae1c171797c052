"""CSV files are read as labs have them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import CoviewError, StudyError
from pipeline.textfile import read_csv, read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_usual_encoding_and_line_end_gives_the_same_rows(
    tmp_path: Path, encoding: str, line_end: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(line_end.join(["id,text", "a,café", 'b,"x, y"', ""]).encode(encoding))
    table = read_csv(path)
    assert [row.text("text") for row in table.rows] == ["café", "x, y"]
    assert [row.line for row in table.rows] == [2, 3]
    assert table.is_latin1 == (encoding == "latin-1")


def test_semicolons_and_tabs_are_found(tmp_path: Path) -> None:
    for delimiter in (";", "\t"):
        path = tmp_path / "table.csv"
        path.write_text(f"id{delimiter}n\na{delimiter}1\n", encoding="utf-8")
        assert read_csv(path).rows[0].text("n") == "1"


def test_na_cells_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,c,d\nNA,nan,None, x \n", encoding="utf-8")
    row = read_csv(path).rows[0]
    assert [row.text(name) for name in "abcd"] == ["", "", "", "x"]
    assert row.text("absent") == ""


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (b"a,a\n1,2\n", "twice"),
        (b"a,b\n1,2,3\n", "line 2"),
        (b"a\0b\n", "not a text file"),
    ],
)
def test_a_broken_table_is_refused_by_name(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(StudyError) as caught:
        read_csv(path)
    assert "broken.csv" in caught.value.message
    assert named in caught.value.message
    assert caught.value.hint


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.csv cannot be read"):
        read_text(tmp_path / "none.csv")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    try:
        table = read_csv(path)
    except CoviewError as problem:
        assert "any.csv" in problem.message
    else:
        assert all(row.line >= 2 for row in table.rows)
