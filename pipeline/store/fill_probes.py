"""Put the indices of finished probes into the store.

A probe is made from a store, so the store that holds its indices is a later build; what both were
measured from (`store_info.measured`) tells whether they speak of the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipeline.errors import StoreError
from pipeline.probe_tables import CORPUS, PROBE_INDICES, PROBE_VERSION
from pipeline.records import Notice
from pipeline.store.sealed_files import read_summed_text

FOLDER, CURRENT = "probes", "current"
SETTINGS, INDICES = "settings.json", "indices.json"

_OF_INDEX = ("value", "lower", "upper", "n", "n_recordings", "chance", "supports", "note")


def probe_files(derived: Path) -> list[Path]:
    """Every file that the table of indices is made from."""
    return [folder / name for folder in _folders(derived) for name in (SETTINGS, INDICES)]


def insert_probe_indices(
    con: duckdb.DuckDBPyConnection, derived: Path, measured: str
) -> tuple[Notice, ...]:
    """Fill `probe_indices` of a store with this digest of what was measured.

    Models and store_info must be in. A damaged probe is left out with a notice, as is one of a
    scorer that the store does not have; notices are added to those of store_info and returned.
    """
    found = con.execute("SELECT scorer, revision FROM models").fetchall()
    revisions = {str(scorer): str(revision) for scorer, revision in found}
    rows: list[list[object]] = []
    notices = []
    for folder in _folders(derived):
        try:
            rows += _rows(folder, revisions, measured)
        except StoreError as problem:
            notices.append(Notice("probe", f"{problem.message} {problem.hint}"))
    if notices:
        con.execute(
            "UPDATE store_info SET notices = list_concat(coalesce(notices, []), ?)",
            [[notice.message for notice in notices]],
        )
    if rows:
        # In order of scorer, child (all children first) and name.
        rows.sort(key=lambda row: (str(row[0]), str(row[2] or ""), str(row[1])))
        marks = ", ".join("?" for _ in PROBE_INDICES.columns)
        con.executemany(f"INSERT INTO probe_indices VALUES ({marks})", rows)
    return tuple(notices)


def _folders(derived: Path) -> Iterator[Path]:
    """Folders of the last finished probe of each scorer, by scorer."""
    for path in sorted((derived / FOLDER).glob(f"*/{CURRENT}")):
        yield path.parent / (path.read_text(encoding="utf-8").strip() or "none")


def _rows(folder: Path, revisions: dict[str, str], measured: str) -> list[list[object]]:
    try:
        about = json.loads(read_summed_text(folder / SETTINGS))
        indices = json.loads(read_summed_text(folder / INDICES))
        scorer = str(about["scorer"])
        if scorer not in revisions:
            raise StoreError(
                f"A probe is of {scorer}, which the store does not have.",
                hint=f"Delete derived/probes/{folder.parent.name} if it is not needed any more.",
            )
        is_current = (about["revision"], about["inputs"], about["version"]) == (
            revisions[scorer],
            measured,
            PROBE_VERSION,
        )
        settings = about["settings"]
        told = [settings["crop"], about["counts"]["n_sampled"], settings["seed"], is_current]
        return [
            [
                scorer,
                index["name"],
                None if index["scope"] == CORPUS else index["scope"],
                *(index[name] for name in _OF_INDEX),
                *told,
            ]
            for index in indices
        ]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StoreError(
            f"The probe {folder.parent.name}/{folder.name} is damaged and left out of the store.",
            hint="Delete its folder under derived/probes and give the command again: python -m "
            "pipeline probe STUDY",
        ) from problem
