"""A changed byte in a file of results is noticed; files of older versions are read as before."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.store.sealed_files import (
    check_sum,
    read_sealed_table,
    read_summed_text,
    write_sealed_table,
    write_summed,
    write_summed_text,
)

TABLE = pa.table({"a": [1.0, 2.5, None], "b": ["x", "y", "z"]})


def changed(raw: bytes, step: int) -> list[bytes]:
    """The bytes with one bit flipped, at places all over them, and cut short."""
    flipped = [
        raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :]
        for place in range(0, len(raw), step)
    ]
    return [*flipped, *(raw[:n] for n in (0, 1, len(raw) // 2, len(raw) - 1))]


def test_a_table_comes_back_with_what_it_said_of_itself_unless_a_byte_changed(tmp_path: Path):
    path = tmp_path / "x.parquet"
    write_sealed_table(path, TABLE.replace_schema_metadata({b"coview": b"{}"}))
    found = read_sealed_table(path)
    assert found.equals(TABLE)
    assert found.schema.metadata[b"coview"] == b"{}"
    assert read_sealed_table(path, ("b",)).column_names == ["b"]
    missed = 0
    for raw in changed(path.read_bytes(), 13):
        path.write_bytes(raw)
        try:
            read_sealed_table(path)
        except (ValueError, OSError):
            continue
        missed += 1
    assert missed == 0
    path.unlink()
    with pytest.raises(ValueError, match=r"x\.parquet is not what was written"):
        read_sealed_table(path)


def test_a_text_comes_back_unless_a_byte_changed(tmp_path: Path):
    path = tmp_path / "x.json"
    write_summed_text(path, '{"a": "é"}\n')
    assert read_summed_text(path) == '{"a": "é"}\n'
    for raw in changed(path.read_bytes(), 1):
        path.write_bytes(raw)
        with pytest.raises(ValueError, match=r"x\.json is not what was written"):
            read_summed_text(path)
    write_summed_text(path, "again")
    assert read_summed_text(path) == "again"
    (tmp_path / "x.json.sum").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"."):
        read_summed_text(path)


def test_files_of_a_version_without_digests_are_read(tmp_path: Path):
    pq.write_table(TABLE, tmp_path / "x.parquet")
    (tmp_path / "x.json").write_text("{}")
    assert read_sealed_table(tmp_path / "x.parquet").equals(TABLE)
    assert read_summed_text(tmp_path / "x.json") == "{}"


def test_a_file_written_anew_and_cut_off_is_never_taken_for_damaged(tmp_path: Path):
    path = tmp_path / "x.bin"
    write_summed(path, lambda partial: Path(partial).write_bytes(b"old") and None)

    def cut_off(partial: Path) -> None:
        partial.write_bytes(b"ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_summed(path, cut_off)
    check_sum(path)
    assert path.read_bytes() == b"old"
