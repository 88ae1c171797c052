"""What is exported is what was chosen: row for row and sum for sum."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import zipfile
from pathlib import Path

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard import export_desk
from dashboard.access.door import Door
from dashboard.access.viewer import LOCAL_VIEWER
from dashboard.export_desk import ExportDesk, export_routes
from dashboard.filters import Filters
from dashboard.queries.exporting import chosen_utterances, score_setting, selection_counts
from dashboard.queries.options import store_options
from dashboard.queries.selection import Measure, resolve_measure
from pipeline.access.refusals import RefusalLog
from pipeline.exchange.table_file import write_table
from pipeline.pending_withdrawal import pending_path
from pipeline.store.build_rules import write_rules_of_build
from tests.dashboard.conftest import VARIANTS, Page
from tests.dashboard.small_store import small_store


def written(store, filters: Filters, path: Path) -> list[dict[str, str]]:
    measure = resolve_measure(filters, store_options(store).models)
    selected = chosen_utterances(filters, measure)
    write_table(store, selected.query.sql, selected.query.params, selected.columns, path, "csv")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_six_utterances_with_their_scores_can_be_checked_by_hand(tmp_path: Path):
    with small_store() as con:
        rows = written(con, Filters(scorer="clip"), tmp_path / "a.csv")
        counts = selection_counts(
            con, Filters(), Measure("clip", "center", "strict", "max", "raw", 0.24)
        )
    assert [row["utterance_id"] for row in rows] == ["u1", "u2", "u3", "u4", "u5", "u6"]
    assert [row["max_cosine"] for row in rows] == ["0.3", "0.2", "", "0.24", "0.1", ""]
    assert [row["is_highly_aligned"] for row in rows][:3] == ["true", "false", ""]
    assert rows[0]["text"] == "ball"
    assert rows[0]["null_mean_cosine"] == "0.2"
    assert rows[0]["max_z_sd"] == "5.0"
    assert rows[0]["activity"] == "meal"
    assert [row["missing_reason"] for row in rows][2] == "no_frame_in_window"
    assert [row["missing_reason"] for row in rows][5] == "not_scored"
    assert (counts.n_children, counts.n_recordings, counts.total_ms) == (2, 3, 100_000)
    assert (counts.n_utterances, counts.n_scored) == (6, 4)


@pytest.mark.parametrize(
    ("filters", "column", "condition"),
    [
        (Filters(), "max_cosine", "TRUE"),
        (
            Filters(children=("C02",), speakers=("FEM", "CHI"), crop="pad", window="1s"),
            "max_cosine",
            "child_id = 'C02' AND speaker IN ('FEM', 'CHI')",
        ),
        (Filters(min_words=3, scale="z"), "max_z_sd", "n_words >= 3"),
        (Filters(statistic="mean", window="2s"), "mean_cosine", "TRUE"),
        (Filters(statistic="mean", scale="z", threshold=1.0), "mean_z_sd", "TRUE"),
    ],
)
def test_rows_and_sum_are_those_of_a_direct_query(store, tmp_path, filters, column, condition):
    rows = written(store, filters, tmp_path / "a.csv")
    wide = {
        "max_cosine": f"{filters.crop}_{filters.window}_max_cosine",
        "max_z_sd": f"{filters.crop}_{filters.window}_z",
        "mean_cosine": f"{filters.crop}_{filters.window}_mean_cosine",
        "mean_z_sd": f"{filters.crop}_{filters.window}_mean_z",
    }[column]
    n, n_scored, total = store.execute(
        f"""SELECT count(*), count({wide}), sum({wide}::DOUBLE) FROM scores_wide
            JOIN utterances USING (recording_id, utterance_id)
            WHERE {
            condition.replace("child_id", "utterances.child_id")
            .replace("speaker", "utterances.speaker")
            .replace("n_words", "utterances.n_words")
        }"""
    ).fetchone()
    scores = [float(row[column]) for row in rows if row[column]]
    assert (len(rows), len(scores)) == (n, n_scored)
    assert sum(scores) == pytest.approx(total, rel=1e-5)
    measure = resolve_measure(filters, store_options(store).models)
    counts = selection_counts(store, filters, measure)
    assert (counts.n_utterances, counts.n_scored) == (n, n_scored)
    assert counts.n_high == sum(score >= measure.threshold for score in scores)


def test_columns_name_their_unit_and_follow_the_measure():
    for measure, has, lacks in (
        (Measure("s", "center", "strict", "max", "raw", 0.2), "max_cosine", "mean_cosine"),
        (Measure("s", "center", "strict", "mean", "z", 2.0), "mean_z_sd", "null_mean_cosine"),
        (Measure("s", "center", "-3+1", "max", "raw", 0.2), "max_cosine", "max_z_sd"),
    ):
        names = [column.name for column in chosen_utterances(Filters(), measure).columns]
        assert has in names
        assert lacks not in names
        assert len(set(names)) == len(names)
        assert score_setting(measure).score_name == has


@pytest.fixture
def desk() -> ExportDesk:
    return ExportDesk()


@pytest.fixture
def client(desk, tmp_path: Path) -> TestClient:
    door, refusals = Door(lambda: tmp_path), RefusalLog(lambda: tmp_path)
    return TestClient(Starlette(routes=export_routes(door, refusals, "", desk)))


def ready(desk: ExportDesk, root: Path, content: bytes = b"zip"):
    path = desk.new_folder(root) / "study-utterances.zip"
    path.write_bytes(content)
    return desk.offer(path, "utterances: all of the study", 3, LOCAL_VIEWER)


def test_an_export_is_streamed_under_its_name_and_written_down(desk, client, tmp_path: Path):
    export = ready(desk, tmp_path, b"x" * 3_000_000)
    answer = client.get(export.address)
    assert answer.status_code == 200
    assert len(answer.content) == 3_000_000
    assert "study-utterances.zip" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "private, no-store"
    rows = (tmp_path / "derived/logs/exports.jsonl").read_text().splitlines()
    assert [json.loads(row)["n_rows"] for row in rows] == [3]
    assert client.head(export.address).status_code == 200
    assert len((tmp_path / "derived/logs/exports.jsonl").read_text().splitlines()) == 1


def test_a_guessed_or_old_link_gives_nothing(desk, client, tmp_path: Path, monkeypatch):
    export = ready(desk, tmp_path)
    for address in ("/exports/guess/study-utterances.zip", "/exports/../derived/x.zip"):
        assert client.get(address).status_code == 404
    assert len(export.token) >= 32
    monkeypatch.setattr(export_desk, "LIFETIME_S", -1.0)
    answer = client.get(export.address)
    assert answer.status_code == 404
    assert answer.text == "This export is no longer here. Make it again."


def test_old_exports_are_deleted_when_the_next_is_made(desk, tmp_path: Path):
    old, new = ready(desk, tmp_path), ready(desk, tmp_path)
    past = time.time() - export_desk.LIFETIME_S - 10
    os.utime(old.path.parent, (past, past))
    ready(desk, tmp_path)
    assert not old.path.exists()
    assert new.path.exists()
    assert new.path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_page_shows_every_kind_of_study(open_page: Page, variant: str):
    app = open_page("export", variant)
    assert not app.exception
    assert not app.error
    assert "The analysis rests on" in app.code[0].value
    assert not app.button(key="export_chosen").disabled


def test_the_page_makes_the_zip_that_its_filters_ask_for(open_page: Page, store):
    app = open_page("export", child=["C01"], speaker=["FEM"])
    assert "Child: C01; Speaker: Female adult" in app.caption[0].value
    app.button(key="export_chosen").click().run()
    assert not app.exception
    ((_, export),) = app.session_state["ready_exports"].values()
    with zipfile.ZipFile(export.path) as bundle:
        names = bundle.namelist()
        content = bundle.read(next(n for n in names if n.endswith(".csv"))).decode()
        sidecar = json.loads(bundle.read(next(n for n in names if n.endswith(".json"))))
        assert "Child: C01; Speaker: Female adult" in bundle.read("methods.txt").decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    (n,) = store.execute(
        "SELECT count(*) FROM utterances WHERE child_id = 'C01' AND speaker = 'FEM'"
    ).fetchone()
    assert len(rows) == export.n_rows == sidecar["n_rows"] == n > 0
    assert sidecar["filters"]["fields"]["children"] == ["C01"]
    assert sidecar["columns"][0]["name"] == "recording_id"


def test_a_whole_table_is_exported_whatever_the_filters_are(open_page: Page):
    app = open_page("export", child=["C01"])
    app.selectbox(key="export_table_name").select("recordings").run()
    app.button(key="export_table").click().run()
    assert not app.exception
    ((_, export),) = app.session_state["ready_exports"].values()
    assert export.n_rows == 8


def test_filters_that_leave_nothing_make_no_export(open_page: Page):
    app = open_page("export", child=["C01"], words="90")
    assert not app.exception
    assert app.button(key="export_chosen").disabled


@pytest.mark.parametrize("variant", VARIANTS)
def test_provenance_shows_every_kind_of_study(open_page: Page, variant: str):
    app = open_page("provenance", variant)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == "Provenance"
    sizes = next(f.value for f in app.dataframe if "What it holds" in f.value.columns)
    assert "utterances" in set(sizes["Table"])


def test_provenance_states_settings_runs_and_sizes(
    open_page: Page, store: duckdb.DuckDBPyConnection
):
    app = open_page("provenance", table="recordings")
    frames = [frame.value for frame in app.dataframe]
    settings = next(f for f in frames if "Setting" in f.columns).set_index("Setting")
    assert settings.loc["align.null_draws", "Value"] == "100"
    assert settings.loc["align.null_draws", "Default"] == ""
    runs = next(f for f in frames if "Run" in f.columns)
    assert list(runs["Run"]) == ["run1"]
    sizes = next(f for f in frames if "What it holds" in f.columns).set_index("Table")["Rows"]
    for table in ("utterances", "scores_wide", "recordings", "failures"):
        (n,) = store.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert sizes[table] == n, table
    columns = next(f for f in frames if "Column" in f.columns)
    assert "permission" in set(columns["Column"])


def test_the_chosen_utterances_are_exported_for_annotators(open_page: Page, store):
    app = open_page("export", child=["C01"], speaker=["FEM"])
    app.button(key="export_recordings").click().run()
    assert not app.exception
    ((_, export),) = app.session_state["ready_exports"].values()
    assert export.what == "eaf: Child: C01; Speaker: Female adult"
    with zipfile.ZipFile(export.path) as bundle:
        names = {name for name in bundle.namelist() if name.endswith(".eaf")}
        texts = "".join(bundle.read(name).decode() for name in names)
        marker = json.loads(bundle.read("coview-export.json"))
    (n, *recordings) = store.execute(
        """SELECT count(*), list(DISTINCT recording_id) FROM utterances
           WHERE child_id = 'C01' AND speaker = 'FEM'"""
    ).fetchone()
    assert names == {f"{name}.eaf" for name in recordings[0]}
    assert texts.count("<ALIGNABLE_ANNOTATION") == export.n_rows == n > 0
    assert 'TIER_ID="max_cosine@FEM"' in texts
    assert marker["filters"] == "Child: C01; Speaker: Female adult"
    assert list(export.path.parent.iterdir()) == [export.path]


def test_an_export_ends_with_a_withdrawal_and_when_its_store_may_not_be_shown(
    desk, client, tmp_path: Path
):
    store = tmp_path / "derived" / "stores" / "store-1.duckdb"
    store.parent.mkdir(parents=True)
    write_rules_of_build(store, "")
    path = desk.new_folder(tmp_path) / "study-utterances.zip"
    path.write_bytes(b"zip")
    export = desk.offer(path, "utterances: all", 3, LOCAL_VIEWER, build=store)
    assert client.get(export.address).status_code == 200
    pending = pending_path(tmp_path)
    pending.parent.mkdir(parents=True, exist_ok=True)
    pending.write_text("{}")
    answer = client.get(export.address)
    assert answer.status_code == 403
    assert "withdrawal" in answer.text
    pending.unlink()
    assert client.get(export.address).status_code == 200
    (tmp_path / "metadata").mkdir()
    redactions = tmp_path / "metadata" / "redactions.csv"
    redactions.write_text("recording_id,action,onset_ms,offset_ms\nrec01,mute,0,900\n")
    answer = client.get(export.address)
    assert answer.status_code == 403
    assert "Make this export again." in answer.text


def test_only_folders_of_exports_are_swept(tmp_path: Path):
    """The place may have become a link to somebody's own folder."""
    exports = tmp_path / "derived" / "exports"
    theirs, ours = exports / "thesis", exports / "0123456789abcdef"
    for folder in (theirs, ours):
        folder.mkdir(parents=True)
    export_desk.sweep_exports(tmp_path, ours.stat().st_mtime + 7_200)
    assert theirs.is_dir()
    assert not ours.exists()
