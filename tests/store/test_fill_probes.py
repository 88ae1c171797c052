"""Indices of probes in the store: those of this store, of an older one, and damaged ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.probe_tables import PROBE_VERSION
from pipeline.store.fill_probes import insert_probe_indices, probe_files
from tests.dashboard.small_store import small_store

_INDEX = {
    "name": "ORI",
    "scope": "corpus",
    "value": 0.9,
    "lower": 0.8,
    "upper": 0.95,
    "n": 40,
    "n_recordings": 6,
    "chance": None,
    "supports": True,
    "note": "share of the surplus",
}


def _probe(derived: Path, scorer: str, **changes: object) -> Path:
    folder = derived / "probes" / scorer / "abc"
    folder.mkdir(parents=True)
    about = {
        "scorer": scorer,
        "revision": "r",
        "inputs": "measured",
        "version": PROBE_VERSION,
        "settings": {"crop": "center", "seed": 1},
        "counts": {"n_sampled": 50},
        **changes,
    }
    indices = [{**_INDEX, "scope": "A", "supports": None, "lower": None, "upper": None}, _INDEX]
    (folder / "settings.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "indices.json").write_text(json.dumps(indices), encoding="utf-8")
    (folder.parent / "current").write_text("abc\n", encoding="utf-8")
    return folder


def test_indices_of_all_children_and_of_each_stand_in_the_store(tmp_path: Path) -> None:
    _probe(tmp_path, "clip")
    con = small_store()
    assert insert_probe_indices(con, tmp_path, "measured") == ()
    found = con.execute(
        "SELECT scorer, name, child_id, value, lower, n, chance, supports, crop, n_sampled, seed, "
        "is_current FROM probe_indices"
    ).fetchall()
    same = ("center", 50, 1, True)
    assert found == [
        ("clip", "ORI", None, 0.9, 0.8, 40, None, True, *same),
        ("clip", "ORI", "A", 0.9, None, 40, None, None, *same),
    ]


@pytest.mark.parametrize("change", [{"inputs": "older"}, {"revision": "x"}, {"version": 0}])
def test_a_probe_of_something_else_is_marked(tmp_path: Path, change: dict[str, object]) -> None:
    _probe(tmp_path, "clip", **change)
    con = small_store()
    assert insert_probe_indices(con, tmp_path, "measured") == ()
    assert con.execute("SELECT DISTINCT is_current FROM probe_indices").fetchall() == [(False,)]


def test_what_cannot_be_used_is_said_and_stops_nothing(tmp_path: Path) -> None:
    _probe(tmp_path, "clip")
    _probe(tmp_path, "gone")
    (_probe(tmp_path, "other") / "indices.json").write_text("[{]", encoding="utf-8")
    con = small_store()
    notices = insert_probe_indices(con, tmp_path, "measured")
    assert [notice.message.split(".")[0] for notice in notices] == [
        "A probe is of gone, which the store does not have",
        "The probe other/abc is damaged and left out of the store",
    ]
    assert con.execute("SELECT DISTINCT scorer FROM probe_indices").fetchall() == [("clip",)]
    (told,) = con.execute("SELECT notices FROM store_info").fetchall()
    assert told[0] == [notice.message for notice in notices]
    assert len(probe_files(tmp_path)) == 6


def test_a_study_without_a_probe_has_an_empty_table(tmp_path: Path) -> None:
    con = small_store()
    assert insert_probe_indices(con, tmp_path, "measured") == ()
    assert con.execute("SELECT count(*) FROM probe_indices").fetchone() == (0,)
