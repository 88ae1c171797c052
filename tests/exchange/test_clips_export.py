"""Moments leave as clips only where the family allowed it, and the table says so."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import av
import duckdb
import pytest

from pipeline.column import Column
from pipeline.exchange.clips_export import Margins, Taken, export_clips
from pipeline.exchange.facts import read_facts
from pipeline.exchange.table_export import TableExport
from pipeline.media.study_clips import StudyClips
from tests.factories import write_synthetic_study
from tests.media.recordings import record

ROWS = TableExport(
    name="list",
    meaning="Moments.",
    sql="SELECT recording_id, utterance_id, onset_ms FROM utterances",
    columns=(
        Column("recording_id", "VARCHAR", "Recording"),
        Column("utterance_id", "VARCHAR", "Utterance"),
        Column("onset_ms", "INTEGER", "Start", "ms"),
    ),
    file_format="csv",
)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> Path:
    """rec01 and rec02 may be shown, rec03 may not; the video of rec02 is damaged."""
    root = tmp_path_factory.mktemp("untouched") / "study"
    store = write_synthetic_study(root, n_children=2, n_recordings=3, n_utterances=12)
    with duckdb.connect(str(store)) as con:
        con.execute("UPDATE utterances SET onset_ms = 1500, offset_ms = 2100")
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True)
    for name in ("rec01", "rec03"):
        record(raw / f"{name}.mp4", seconds=4)
    (raw / "rec02.mp4").write_bytes(b"no video")
    permit(root, "excerpts")
    return root


@pytest.fixture
def study(untouched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "study"))


def one_of_each(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    rows = con.execute(
        "SELECT recording_id, min(utterance_id) FROM utterances GROUP BY 1 ORDER BY 1 DESC"
    ).fetchall()
    return [(recording, utterance) for recording, utterance in rows]


def permit(study: Path, permission: str) -> None:
    """Say in the store and in the metadata what the families of rec01 and rec02 allow."""
    with duckdb.connect(str(study / "derived/stores/store-synthetic.duckdb")) as con:
        con.execute(
            "UPDATE recordings SET permission = ? WHERE permission <> 'scores_only'", [permission]
        )
    in_metadata(study, permission)


def in_metadata(study: Path, permission: str) -> None:
    table = study / "metadata" / "recordings.csv"
    text = table.read_text()
    for known in ("media", "excerpts"):
        text = text.replace(f",{known}", f",{permission}")
    assert f",{permission}" in text
    table.write_text(text)


def exported(
    study: Path, folder: Path, build: str = "synthetic", taken: Taken = Taken.EXCERPTS
) -> tuple[dict[str, bytes], int]:
    stores = study / "derived" / "stores"
    folder.mkdir()
    with (
        duckdb.connect(str(stores / "store-synthetic.duckdb"), read_only=True) as con,
        duckdb.connect(str(stores / f"store-{build}.duckdb"), read_only=True) as current,
    ):
        keys = one_of_each(con)
        made = export_clips(
            *(con, current, read_facts(con), keys, ROWS, StudyClips(study)),
            *(Margins(300, 200), folder),
            taken=taken,
        )
    with zipfile.ZipFile(made.bundle.path) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name) for name in bundle.namelist()}, made.n_clips


def test_the_zip_holds_the_clips_that_may_be_shown_and_a_row_for_each_moment(study, tmp_path):
    files, n_clips = exported(study, tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO(files["list.csv"].decode())))
    assert [row["recording_id"] for row in rows] == ["rec03", "rec02", "rec01"]
    assert [row["place"] for row in rows] == ["1", "2", "3"]
    assert [row["clip_file"] for row in rows] == ["", "", "clips/003_rec01_1500ms.mp4"]
    assert "may not be shown" in rows[0]["clip_note"]
    assert "rec02.mp4 cannot be read" in rows[1]["clip_note"]
    assert rows[2]["clip_note"] == ""
    assert n_clips == 1
    assert [name for name in files if name.endswith(".mp4")] == ["clips/003_rec01_1500ms.mp4"]
    with av.open(io.BytesIO(files["clips/003_rec01_1500ms.mp4"])) as clip:
        assert abs(clip.duration / 1000 - 1_100) <= 50
    sidecar = json.loads(files["list.csv.provenance.json"])
    assert any("300 ms before" in note for note in sidecar["notes"])
    assert not any("Faces" in note for note in sidecar["notes"])
    assert [column["name"] for column in sidecar["columns"]][:3] == [
        "place",
        "clip_file",
        "clip_note",
    ]


def test_every_clip_that_left_is_written_down_without_its_words(study, tmp_path):
    exported(study, tmp_path / "out")
    lines = (study / "derived/logs/clips.jsonl").read_text().splitlines()
    assert [json.loads(line)["recording_id"] for line in lines] == ["rec01"]
    assert set(json.loads(lines[0])) == {"time", "recording_id", "utterance_id"}


def test_a_permission_withdrawn_in_a_newer_build_counts(study, tmp_path):
    stores = study / "derived" / "stores"
    newer = stores / "store-newer.duckdb"
    newer.write_bytes((stores / "store-synthetic.duckdb").read_bytes())
    with duckdb.connect(str(newer)) as con:
        con.execute("UPDATE recordings SET permission = 'scores_only'")
    files, n_clips = exported(study, tmp_path / "out", build="newer")
    assert n_clips == 0
    assert not [name for name in files if name.endswith(".mp4")]


def test_clips_with_hidden_faces_say_that_some_are_missed(study, tmp_path):
    (study / "study.toml").write_text('[privacy]\nblur_faces = ["viewing"]\n')
    files, _ = exported(study, tmp_path / "out")
    notes = json.loads(files["list.csv.provenance.json"])["notes"]
    assert any("Some are missed" in note for note in notes)


def test_clips_of_recordings_that_are_not_for_talks_leave_on_an_admins_word_only(study, tmp_path):
    permit(study, "media")
    files, n_clips = exported(study, tmp_path / "plain")
    rows = list(csv.DictReader(io.StringIO(files["list.csv"].decode())))
    assert n_clips == 0
    assert not [name for name in files if name.endswith(".mp4")]
    assert (
        rows[2]["clip_note"]
        == "the family allowed no excerpts: the recording's permission is media"
    )
    assert "may not be shown" in rows[0]["clip_note"]
    files, n_clips = exported(study, tmp_path / "confirmed", taken=Taken.CONFIRMED)
    assert n_clips == 1
    assert [name for name in files if name.endswith(".mp4")] == ["clips/003_rec01_1500ms.mp4"]
    notes = json.loads(files["list.csv.provenance.json"])["notes"]
    assert any("allowed no excerpts" in note for note in notes)


def test_a_permission_that_was_made_stricter_in_the_metadata_counts_at_once(study, tmp_path):
    in_metadata(study, "media")
    _, n_clips = exported(study, tmp_path / "out")
    assert n_clips == 0
