"""Clips are cut before anybody asks: only what may be shown, once, and not more than fits."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import DiskFullError, SettingsError, StudyError
from pipeline.media import clips as clips_module
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.media.cut_ahead import CutReport, cut_ahead
from pipeline.media.precut import ChoiceOptions, chosen_clips
from pipeline.media.study_clips import StudyClips
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from tests.factories import write_synthetic_study
from tests.media.recordings import record

# rec01 and rec02 may be played (rec01 of C01, rec02 of C02), rec03 of C01 may not.


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """One recording whose bytes all recordings of the study share."""
    return record(tmp_path_factory.mktemp("raw") / "rec.mp4", seconds=6)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory, source: Path) -> Path:
    root = tmp_path_factory.mktemp("untouched") / "study"
    store = write_synthetic_study(root, n_children=2, n_recordings=3, n_utterances=12)
    with duckdb.connect(str(store)) as con:
        con.execute(
            "UPDATE utterances SET onset_ms = 1000 + 300 * (utterance_number % 4), "
            "offset_ms = 1400 + 300 * (utterance_number % 4)"
        )
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True)
    for number in (1, 2, 3):
        (raw / f"rec0{number}.mp4").write_bytes(source.read_bytes() + b"\0" * number)
    return root


@pytest.fixture
def study(tmp_path: Path, untouched: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "study"))


def rows(study: Path, sql: str) -> list[tuple]:
    path = study / "derived/stores/store-synthetic.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def cut(study: Path, options: ChoiceOptions, **settings: int) -> CutReport:
    with chosen_clips(study, options) as chosen:
        return cut_ahead(
            StudyClips(study, **settings),
            chosen.wanted,
            chosen.counts.n_wanted,
            lead_ms=200,
            lag_ms=200,
        )


def test_all_clips_of_recordings_that_may_be_shown_are_cut_and_the_rest_is_counted(study: Path):
    (n,) = rows(study, "SELECT count(*) FROM utterances")[0]
    (n_hidden,) = rows(study, "SELECT count(*) FROM utterances WHERE recording_id = 'rec03'")[0]
    with chosen_clips(study, ChoiceOptions(is_all=True)) as chosen:
        counts, wanted = chosen.counts, list(chosen.wanted)
    assert (counts.n_chosen, counts.n_not_permitted, counts.n_without_video) == (n, n_hidden, 0)
    assert len(wanted) == counts.n_wanted == n - n_hidden > 0 < n_hidden
    assert {clip.recording_id for clip in wanted} == {"rec01", "rec02"}
    report = cut(study, ChoiceOptions(is_all=True))
    assert report.is_whole
    assert (report.n_cut, report.n_there, report.n_failed) == (n - n_hidden, 0, 0)
    assert len(list((study / "derived/clips").glob("*.mp4"))) == n - n_hidden


def test_a_second_call_goes_on_where_the_first_stopped(study: Path):
    first = cut(study, ChoiceOptions(child_id="C01"))
    kept = sorted((study / "derived/clips").glob("*.mp4"))
    kept[0].unlink()
    again = cut(study, ChoiceOptions(child_id="C01"))
    assert (again.n_cut, again.n_there) == (1, first.n_cut - 1)
    assert sorted((study / "derived/clips").glob("*.mp4")) == kept


def test_the_dashboard_finds_the_clips_that_were_cut(study: Path):
    cut(study, ChoiceOptions(is_all=True))
    clips = StudyClips(study)
    before = clips.n_kept()
    sql = "SELECT onset_ms, offset_ms FROM utterances WHERE recording_id = 'rec01'"
    for onset_ms, offset_ms in rows(study, sql):
        span = TimeSpan(onset_ms, offset_ms)
        assert clips.is_kept("rec01.mp4", span, lead_ms=200, lag_ms=200)
        clips.clip("rec01.mp4", span, lead_ms=200, lag_ms=200)
    assert clips.n_kept() == before


def test_the_study_says_how_much_room_clips_may_take(tmp_path: Path):
    assert StudyClips(tmp_path).max_bytes == 2_000_000_000
    (tmp_path / "study.toml").write_text("[clips]\ncache_gb = 0.5\n")
    assert StudyClips(tmp_path).max_bytes == 500_000_000
    (tmp_path / "study.toml").write_text("[clips]\nlines = 12\n")
    with pytest.raises(SettingsError, match="lines is 12"):
        StudyClips(tmp_path)
    (tmp_path / "study.toml").write_text("[clips]\ncache_gb = 0\n")
    with pytest.raises(SettingsError, match="cache_gb is 0"):
        StudyClips(tmp_path)


def test_the_best_come_first_and_only_so_many(study: Path):
    best = rows(
        study,
        "SELECT s.utterance_id FROM scores_wide s WHERE center_strict_max_cosine IS NOT NULL "
        "ORDER BY center_strict_max_cosine DESC, utterance_number LIMIT 5",
    )
    shown = {row[0] for row in rows(study, "SELECT recording_id FROM recordings LIMIT 2")}
    assert shown == {"rec01", "rec02"}
    with chosen_clips(study, ChoiceOptions(top=5)) as chosen:
        wanted = [clip.utterance_id for clip in chosen.wanted]
        assert chosen.counts.n_chosen == 5
    hidden = {
        row[0]
        for row in rows(study, "SELECT utterance_id FROM utterances WHERE recording_id = 'rec03'")
    }
    assert wanted == [row[0] for row in best if row[0] not in hidden]


def test_a_playlist_keeps_its_order_and_counts_what_is_lost(study: Path):
    sql = (
        "SELECT recording_id, utterance_id, onset_ms, offset_ms FROM utterances "
        "WHERE recording_id = 'rec02' ORDER BY utterance_number DESC LIMIT 2"
    )
    refs = [MomentRef(r, u, TimeSpan(a, b)) for r, u, a, b in rows(study, sql)]
    people = people_store(study)
    number = make_playlist(people, "For the talk")
    gone = MomentRef("rec02", "nowhere", TimeSpan(900_000, 901_000))
    add_to_playlist(people, number, [refs[0], gone, refs[1]])
    with chosen_clips(study, ChoiceOptions(playlist="for the TALK")) as chosen:
        assert [clip.utterance_id for clip in chosen.wanted] == [r.utterance_id for r in refs]
        assert chosen.n_lost == 1


def test_a_recording_that_is_gone_is_told_once_and_the_others_are_cut(study: Path):
    (study / "recordings/raw/rec01.mp4").unlink()
    report = cut(study, ChoiceOptions(is_all=True))
    (n_gone,) = rows(study, "SELECT count(*) FROM utterances WHERE recording_id = 'rec01'")[0]
    assert [(f.recording_id, f.n_utterances) for f in report.failures] == [("rec01", n_gone)]
    assert "rec01.mp4 is not where the study says" in report.failures[0].message
    assert report.n_cut > 0
    assert not report.is_whole


def test_it_stops_before_the_cap_would_throw_out_its_own_clips(study: Path):
    whole = cut(study, ChoiceOptions(child_id="C02"))
    assert whole.n_cut >= 3
    for path in (study / "derived/clips").glob("*.mp4"):
        path.unlink()
    cap = round(whole.size_bytes * 0.7)
    report = cut(study, ChoiceOptions(child_id="C02"), max_bytes=cap)
    assert report.n_left == whole.n_cut - report.n_cut > 0
    assert report.n_forgotten == 0
    assert not report.is_whole
    assert len(list((study / "derived/clips").glob("*.mp4"))) == report.n_cut
    assert StudyClips(study).n_kept() == report.n_cut


def test_older_clips_make_room_and_are_counted(study: Path):
    old = cut(study, ChoiceOptions(child_id="C01"))
    new = cut(study, ChoiceOptions(child_id="C02"), max_bytes=round(old.size_bytes * 1.1))
    assert new.n_forgotten == old.n_cut + new.n_cut - StudyClips(study).n_kept() > 0


@pytest.mark.parametrize(
    "options", [{}, {"is_all": True, "top": 3}, {"playlist": "x", "child_id": "C01"}]
)
def test_it_must_be_clear_which_clips_are_meant(options: dict):
    with pytest.raises(SettingsError, match="which clips to cut"):
        ChoiceOptions(**options)


def test_an_unknown_child_or_playlist_is_refused_with_those_that_exist(study: Path):
    with (
        pytest.raises(StudyError, match="C01, C02"),
        chosen_clips(study, ChoiceOptions(child_id="C9")),
    ):
        pass
    with (
        pytest.raises(StudyError, match="none yet"),
        chosen_clips(study, ChoiceOptions(playlist="x")),
    ):
        pass


def test_the_command_tells_what_it_did_and_what_failed(study: Path):
    runner = CliRunner()
    done = runner.invoke(app, ["clips", str(study), "--child", "C02", "--quiet"])
    assert done.exit_code == 0, done.output
    assert "clip(s) cut, 0 were there" in done.output
    (study / "recordings/raw/rec01.mp4").write_bytes(b"no video")
    done = runner.invoke(app, ["clips", str(study), "--all", "--quiet"])
    assert done.exit_code == 1
    assert "may not be shown: the permission of their recording is scores_only" in done.output
    assert "Failed: rec01" in done.output
    assert runner.invoke(app, ["clips", str(study)]).exit_code == 2


def test_a_full_disk_stops_the_work_at_once(tmp_path: Path, source: Path, monkeypatch):
    class FullDisk(clips_module.ClipWriter):
        def finish(self) -> float:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(clips_module, "ClipWriter", FullDisk)
    with pytest.raises(DiskFullError, match="disk is full"):
        cut_clip(source, TimeSpan(500, 900), tmp_path / "c.mp4", ClipSettings())
    assert list(tmp_path.iterdir()) == []
