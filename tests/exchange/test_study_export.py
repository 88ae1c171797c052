"""A study's store in other programs' formats, through the command that people use."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner, Result

from dashboard.filters import DEFAULT_Z_THRESHOLD
from pipeline.cli import app
from pipeline.errors import DiskFullError, ExitCode
from pipeline.exchange import selection
from pipeline.exchange.export_folder import new_folder
from pipeline.exchange.export_request import FORMATS, ExportRequest, score_setting
from pipeline.exchange.facts import read_facts
from pipeline.exchange.scored_recordings import ScoreChoice
from pipeline.exchange.store_tables import LARGE_TABLES
from pipeline.exchange.study_export import export_study
from pipeline.export_marker import EXPORT_MARKER
from pipeline.schema import TABLES
from pipeline.speech.annotation_files import annotation_files
from pipeline.store.locate import current_store_path
from tests.factories import write_synthetic_study

runner = CliRunner()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("export") / "study"
    write_synthetic_study(root, n_children=2, n_recordings=3, n_utterances=36)
    return root


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Path:
    root = tmp_path / "study"
    shutil.copytree(built, root)
    return root


def export(study: Path, *arguments: str) -> Result:
    return runner.invoke(app, ["export", str(study), "--quiet", *arguments])


def exported(study: Path, export_format: str, *arguments: str) -> Path:
    result = export(study, "--to", export_format, *arguments)
    assert result.exit_code == 0, result.output
    return study / "derived" / f"export-{export_format}"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def store(study: Path) -> duckdb.DuckDBPyConnection:
    path = current_store_path(study)
    assert path is not None
    return duckdb.connect(str(path), read_only=True)


def test_one_file_per_recording_and_a_marker_with_its_provenance(study: Path):
    folder = exported(study, "eaf")
    assert sorted(p.name for p in folder.iterdir()) == [
        EXPORT_MARKER,
        "rec01.eaf",
        "rec02.eaf",
        "rec03.eaf",
    ]
    marker = json.loads((folder / EXPORT_MARKER).read_text(encoding="utf-8"))
    assert marker["export"] == "ELAN files"
    assert marker["study"]["name"] == "Synthetic study"
    assert marker["study"]["store_build"] == "synthetic"
    assert marker["score"] == {"scorer": "synthetic", "crop": "center", "window": "strict"}
    assert set(marker["sha256"]) == {"rec01.eaf", "rec02.eaf", "rec03.eaf"}
    (line,) = (study / "derived/logs/exports.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["what"] == "eaf: all of the study"
    assert json.loads(line)["n_rows"] == 36
    # Recording 3 may not be played: its words and scores are written, its video is not linked.
    assert "MEDIA_DESCRIPTOR" in (folder / "rec02.eaf").read_text(encoding="utf-8")
    hidden = (folder / "rec03.eaf").read_text(encoding="utf-8")
    assert "MEDIA_DESCRIPTOR" not in hidden
    assert "ALIGNABLE_ANNOTATION" in hidden


@pytest.mark.parametrize("export_format", list(FORMATS))
def test_every_format_says_what_it_wrote_and_can_be_made_again(study: Path, export_format: str):
    folder = exported(study, export_format)
    first = {p.name for p in folder.rglob("*")}
    again = export(study, "--to", export_format)
    assert again.exit_code == 0, again.output
    assert str(folder) in again.stdout
    assert {p.name for p in folder.rglob("*")} == first
    assert [p.name for p in folder.parent.iterdir() if p.name.startswith(".")] == []


def test_a_child_a_recording_and_a_score_can_be_chosen(study: Path):
    folder = exported(study, "psychds", "--recording", "rec02", "--crop", "pad", "--window", "-3+1")
    found = rows(folder / "data" / "study-SyntheticStudy_data.csv")
    assert {row["recording_id"] for row in found} == {"rec02"}
    # To a spreadsheet -3+1 would be -2; the apostrophe keeps it what it is.
    assert {(row["crop"], row["window"]) for row in found} == {("pad", "'-3+1")}
    with store(study) as con:
        expected = con.execute(
            """SELECT utterance_id, n_frames_inside + n_frames_before_3s + n_frames_after_1s,
                   greatest(pad_inside_max, pad_before_3s_max, pad_after_1s_max)
               FROM scores_wide WHERE recording_id = 'rec02' ORDER BY utterance_number"""
        ).fetchall()
    assert [(row["utterance_id"], int(row["n_frames"])) for row in found] == [
        (key, n) for key, n, _ in expected
    ]
    for row, (_, _, score) in zip(found, expected, strict=True):
        assert float(row["max_cosine"]) == pytest.approx(score, abs=1e-6)
        assert row["max_z_sd"] == ""
    folder = exported(study, "srt", "--child", "C01")
    assert [p.name for p in sorted(folder.glob("*.srt"))] == ["rec01.srt", "rec03.srt"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--to", "elan"], "There is no format 'elan'"),
        (["--to", "eaf", "--crop", "padd"], "Did you mean pad?"),
        (["--to", "eaf", "--window", "3s"], "There is no window '3s'"),
        (["--to", "eaf", "--child", "C1"], "The store has no child 'C1'. | Did you mean C01?"),
        (["--to", "eaf", "--recording", "x"], "The store has no recording 'x'"),
        (["--to", "eaf", "--scorer", "x"], "Scorers: synthetic."),
        (["--to", "csv", "--table", "utterance"], "Did you mean utterances?"),
        (["--to", "eaf", "--table", "words"], "--table has no meaning for eaf"),
        (["--to", "eaf", "--no-text"], "--no-text has no meaning for eaf"),
        (["--to", "csv", "--scores", "note"], "--scores has no meaning for csv"),
        (["--to", "srt", "--scores", "note"], "SubRip files have no notes"),
        (["--to", "eaf", "--in-study"], "--in-study puts a ChildProject set into the study"),
        (["--to", "csv", "--table", "recordings", "--crop", "pad"], "has a column crop"),
        (["--to", "eaf", "--child", "C02", "--recording", "rec01"], "No recording is of that"),
    ],
)
def test_wrong_use_is_told_and_nothing_is_written(study: Path, arguments: list[str], named: str):
    result = export(study, *arguments)
    assert result.exit_code == ExitCode.WRONG_USE, result.output
    for part in named.split(" | "):
        assert part in result.stderr
    assert not list((study / "derived").glob("export-*"))


@pytest.mark.parametrize("place", [".", "..", "annotations/x", "recordings/raw", "people", "x"])
def test_nothing_is_written_among_the_studys_own_files(study: Path, place: str):
    before = sorted(study.rglob("*"))
    result = export(study, "--to", "srt", "--out", str(study / place))
    assert result.exit_code == ExitCode.WRONG_USE
    assert sorted(study.rglob("*")) == before


def test_a_folder_of_something_else_is_left_alone(study: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine", encoding="utf-8")
    result = export(study, "--to", "srt", "--out", str(other))
    assert result.exit_code == ExitCode.WRONG_USE
    assert "is not empty and is no export of Coview" in result.stderr
    assert (other / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_work_done_in_an_export_is_not_written_over(study: Path, tmp_path: Path):
    folder = tmp_path / "elan"
    assert export(study, "--to", "eaf", "--out", str(folder)).exit_code == 0
    for name in ("rec01.eaf", "rec01.pfsx"):
        (folder / name).write_text("corrected by hand", encoding="utf-8")
    result = export(study, "--to", "eaf", "--out", str(folder))
    assert result.exit_code == ExitCode.WRONG_USE
    assert "changed or added since the last export: rec01.eaf, rec01.pfsx" in result.stderr
    assert (folder / "rec01.eaf").read_text(encoding="utf-8") == "corrected by hand"


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("old", encoding="utf-8")

    def fill_the_disk(folder: Path) -> None:
        (folder / "half").write_text("half", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFullError, match="out could not be written"), new_folder(target) as f:
        fill_the_disk(f)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert [p.name for p in target.iterdir()] == ["old"]
    with new_folder(target) as folder:
        (folder / "new").write_text("new", encoding="utf-8")
    assert [p.name for p in target.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_study_without_a_store_is_told_what_to_do(tmp_path: Path):
    result = export(tmp_path, "--to", "eaf")
    assert result.exit_code == ExitCode.WRONG_USE
    assert "pipeline run" in result.stderr


def test_tables_are_written_whole_with_a_sidecar_each(study: Path):
    folder = exported(study, "parquet")
    names = {table.name for table in TABLES} - set(LARGE_TABLES) | {"scores"}
    assert {p.stem for p in folder.glob("*.parquet")} == names
    with store(study) as con:
        for name in names:
            (n,) = con.execute(f"SELECT count(*) FROM {name}").fetchone()
            assert pq.read_metadata(folder / f"{name}.parquet").num_rows == n, name
    sidecar = json.loads((folder / "utterances.parquet.provenance.json").read_text())
    assert sidecar["n_rows"] == 36
    assert sidecar["columns"][4] == {
        "name": "onset_ms",
        "type": "INTEGER",
        "unit": "ms",
        "meaning": "Start, from the start of the recording",
    }


def test_tables_of_some_recordings_hold_only_their_rows(study: Path):
    arguments = ("--table", "children", "--table", "utterances", "--table", "scores")
    folder = exported(study, "csv", *arguments, "--recording", "rec02", "--window", "1s")
    assert {row["child_id"] for row in rows(folder / "children.csv")} == {"C02"}
    assert {row["recording_id"] for row in rows(folder / "utterances.csv")} == {"rec02"}
    scores = rows(folder / "scores.csv")
    assert {(row["recording_id"], row["window"]) for row in scores} == {("rec02", "1s")}
    assert {row["crop"] for row in scores} == {"center", "pad", "squash", "multi"}
    sidecar = json.loads((folder / "scores.csv.provenance.json").read_text())
    assert sidecar["filters"]["in_words"] == "recording_id: rec02; window: 1s"


def test_psychds_headers_are_the_variables_measured(study: Path):
    folder = exported(study, "psychds")
    described = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert described["@context"] == "https://schema.org/"
    assert described["@type"] == "Dataset"
    assert all(described[key] for key in ("name", "description", "variableMeasured"))
    data_files = sorted((folder / "data").iterdir())
    assert len(data_files) == 1
    for path in data_files:
        assert re.fullmatch(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv", path.name)
        with path.open(newline="", encoding="utf-8") as file:
            header, *cells = csv.reader(file)
        assert header == [variable["name"] for variable in described["variableMeasured"]]
        assert {len(row) for row in cells} == {len(header)}
    assert len(cells) == 36
    assert {v["@type"] for v in described["variableMeasured"]} == {"PropertyValue"}
    assert {p.name for p in folder.iterdir()} == {
        "dataset_description.json",
        "data",
        "README.md",
        "CHANGES.md",
        ".psychds-ignore",
        EXPORT_MARKER,
    }
    assert "The analysis rests on 36 utterances" in (folder / "README.md").read_text()
    with store(study) as con:
        (total,) = con.execute("SELECT sum(center_strict_max_cosine) FROM scores_wide").fetchone()
    column = header.index("max_cosine")
    assert sum(float(row[column]) for row in cells if row[column]) == pytest.approx(total, rel=1e-5)


def test_what_was_said_can_be_left_out(study: Path):
    with store(study) as con:
        texts = {row[0] for row in con.execute("SELECT DISTINCT text FROM utterances").fetchall()}
    for export_format in ("psychds", "childproject"):
        folder = exported(study, export_format, "--no-text")
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_text(encoding="utf-8")
                assert not [t for t in texts if len(t) > 8 and t in content], path.name


CHILDPROJECT_INDEX = {
    "set": r".+",
    "recording_filename": r".+",
    "time_seek": r"-?\d+",
    "range_onset": r"\d+",
    "range_offset": r"\d+",
    "raw_filename": r".+",
    "format": r"NA",
    "package_version": r"NA|\d+\.\d+\.\d+",
    "imported_at": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "error": r"",
    "merged_from": r"",
}
"""What ChildProject 0.4 asks of metadata/annotations.csv (AnnotationManager.INDEX_COLUMNS)."""

CHILDPROJECT_SEGMENTS = {
    "raw_filename": r".+",
    "segment_onset": r"\d+",
    "segment_offset": r"\d+",
    "speaker_type": r"FEM|MAL|CHI|OCH|NA",
    "words": r"\d+(\.\d+)?",
}
"""What it asks of converted segments (AnnotationManager.SEGMENTS_COLUMNS)."""

METANNOTS_FIELDS = {
    "segmentation",
    "segmentation_type",
    "method",
    "sampling_method",
    "annotation_algorithm_name",
    "annotation_algorithm_publication",
    "annotation_algorithm_version",
    "date_annotation",
    "has_speaker_type",
    "has_transcription",
    "has_words",
    "notes",
}


def follow(found: list[dict[str, str]], rules: dict[str, str]) -> None:
    assert found
    for row in found:
        for column, pattern in rules.items():
            assert re.fullmatch(pattern, row[column]), (column, row[column])


def test_the_childproject_copy_follows_the_validators_rules(study: Path):
    folder = exported(study, "childproject")
    index = rows(folder / "metadata" / "annotations.csv")
    follow(index, CHILDPROJECT_INDEX)
    recordings = {
        row["recording_filename"]: row for row in rows(folder / "metadata/recordings.csv")
    }
    children = rows(folder / "metadata" / "children.csv")
    assert {row["child_id"] for row in recordings.values()} == {row["child_id"] for row in children}
    assert {row["child_dob"] for row in children} == {"NA"}
    assert len({row["experiment"] for row in (*children, *recordings.values())}) == 1
    assert [row["recording_filename"] for row in index] == list(recordings)
    n = 0
    for row in index:
        assert 0 <= int(row["range_onset"]) < int(row["range_offset"])
        assert int(row["range_offset"]) <= int(recordings[row["recording_filename"]]["duration"])
        segments = rows(folder / "annotations/alignment/converted" / row["annotation_filename"])
        follow(segments, CHILDPROJECT_SEGMENTS)
        n += len(segments)
    assert n == 36
    text = (folder / "annotations/alignment/metannots.yml").read_text(encoding="utf-8")
    described = yaml.safe_load(text)
    assert set(described) == METANNOTS_FIELDS
    assert described["method"] == "automated"
    assert all(isinstance(value, str) for value in described.values())


def test_the_set_can_be_put_into_the_study_beside_what_is_there(study: Path):
    others = 'set,recording_filename,range_onset,note\nvtc,rec01.mp4,0,"kept, as it is"\n'
    (study / "metadata" / "annotations.csv").write_text(others, encoding="utf-8")
    for _ in range(2):
        result = export(study, "--to", "childproject", "--in-study")
        assert result.exit_code == 0, result.output
    index = rows(study / "metadata" / "annotations.csv")
    assert [row["set"] for row in index] == ["vtc", *["alignment"] * 3]
    assert index[0]["note"] == "kept, as it is"
    follow(index[1:], CHILDPROJECT_INDEX)
    assert {row["recording_filename"] for row in index[1:]} == {
        "rec01.mp4",
        "rec02.mp4",
        "rec03.mp4",
    }
    # Coview does not take its own set for a transcript.
    assert list((study / "annotations/alignment/converted").glob("*.csv"))
    assert annotation_files(study / "annotations") == []
    (study / "annotations/alignment/converted/mine.csv").write_text("mine", encoding="utf-8")
    assert export(study, "--to", "childproject", "--in-study").exit_code == ExitCode.WRONG_USE


def test_child_project_itself_accepts_both(study: Path):
    command = os.environ.get("COVIEW_CHILD_PROJECT") or shutil.which("child-project")
    if command is None:
        pytest.skip("child-project is not installed (it needs its own environment)")
    (study / "metadata/children.csv").write_text(
        "experiment,child_id,child_dob\ns,C01,2023-01-01\ns,C02,2023-01-01\n", encoding="utf-8"
    )
    (study / "metadata/recordings.csv").write_text(
        "experiment,child_id,date_iso,start_time,recording_device_type,recording_filename\n"
        + "".join(
            f"s,C0{child},2024-01-01,10:00,unknown,rec0{n}.mp4\n"
            for n, child in ((1, 1), (2, 2), (3, 1))
        ),
        encoding="utf-8",
    )
    copy = exported(study, "childproject")
    assert export(study, "--to", "childproject", "--in-study").exit_code == 0
    for root in (copy, study):
        done = subprocess.run(
            [command, "validate", str(root), "--ignore-recordings", "--annotations", "alignment"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "validation successfully completed" in done.stderr + done.stdout


def test_the_methods_paragraph_names_no_threshold_that_nobody_set(study: Path):
    with store(study) as con:
        facts = read_facts(con)
    (model,) = facts.models
    unknown = replace(facts, models=(replace(model, default_threshold=None),))
    stored, free = ScoreChoice("synthetic"), ScoreChoice("synthetic", "pad", "-1+0")
    for known_facts, choice, expected in (
        (facts, stored, ("raw", 0.24)),
        (facts, free, ("raw", 0.24)),
        (unknown, stored, ("z", DEFAULT_Z_THRESHOLD)),
    ):
        setting = score_setting(known_facts, choice)
        assert setting is not None
        assert (setting.scale, setting.threshold) == expected
    assert score_setting(unknown, free) is None


def test_what_a_killed_export_left_is_taken_away(study: Path):
    derived = study / "derived"
    for name in (".export-srt.partial", ".export-srt.old"):
        (derived / name).mkdir()
        (derived / name / "rec01.srt").write_text("half", encoding="utf-8")
    for _ in range(2):
        exported(study, "srt")
    assert sorted(p.name for p in derived.iterdir()) == ["export-srt", "logs", "stores"]


def test_progress_counts_recordings_to_the_last(study: Path, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    report = export_study(
        study, ExportRequest("textgrid"), tmp_path / "out", lambda n, total: seen.append((n, total))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (report.n_files, report.n_recordings, report.n_utterances) == (3, 3, 36)


def test_the_z_threshold_is_the_dashboards():
    assert selection.DEFAULT_Z_THRESHOLD == DEFAULT_Z_THRESHOLD
