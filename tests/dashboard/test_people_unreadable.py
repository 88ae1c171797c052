"""A people's store that is damaged or held closes no page; a sentence says what is not shown."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pipeline.people import store as store_module
from pipeline.people.marks import star
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from tests.dashboard.conftest import APP


@pytest.mark.parametrize(
    ("kind", "page", "sentence"),
    [
        ("damaged", "agreement", "people.sqlite is damaged"),
        ("held", "moments", "Another program holds people.sqlite"),
    ],
)
def test_the_dashboard_stays_open_and_says_what_is_wrong(
    kind: str,
    page: str,
    sentence: str,
    studies: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = tmp_path / "study"
    shutil.copytree(studies("everything"), study)
    people = people_store(study)
    star(people, MomentRef("rec01", "u0100000", TimeSpan(0, 900)))
    monkeypatch.setattr(store_module, "_WAIT_TO_READ_S", 0.05)
    monkeypatch.setenv("COVIEW_STUDY", str(study))
    holder = sqlite3.connect(people.path, isolation_level=None)
    if kind == "held":
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
    else:
        holder.close()
        people.path.write_bytes(b"not a database " * 500)
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    app = app.switch_page(f"app_pages/{page}.py").run()
    holder.close()
    assert not app.exception
    told = [one.value for one in (*app.warning, *app.error)]
    assert any(sentence in text for text in told), told
