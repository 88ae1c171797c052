"""The store holds what `sound score` and `sound train` left, and counts what does not fit."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.schema import STORE_INFO, UTTERANCES
from pipeline.schema_sql import create_table_sql
from pipeline.sound.captions import kept_name
from pipeline.sound.recall_files import kept_rows
from pipeline.sound_tables import SOUND_RECALL, SOUND_SCORES, SOUND_SYSTEMS
from pipeline.store.fill_sound import files_of_sound, insert_sound
from pipeline.store.sound_files import newest_scores
from pipeline.study import Study, open_study
from tests.sound.planted import EYES, SETTINGS, Said, write_sound

SAID = tuple(
    Said(f"r{r}", f"C{r // 2}", f"r{r}u{u:02}", 11_000 * u, f"words {r} {u}")
    for r in range(6)
    for u in range(14)
)


def _study(root: Path) -> Study:
    """A folder with metadata: what was found about sound lies in it already, or does not."""
    (root / "metadata").mkdir()
    (root / "metadata" / "children.csv").write_text("child_id,child_dob\nC0,2024-01-01\n")
    (root / "metadata" / "recordings.csv").write_text(
        "child_id,recording_filename,date_iso\nC0,r0.mp4,2025-01-01\n"
    )
    return open_study(root)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("heard")
    write_sound(root / "derived", SAID)
    return _study(root)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for table in (UTTERANCES, STORE_INFO, SOUND_SCORES, SOUND_SYSTEMS, SOUND_RECALL):
        con.execute(create_table_sql(table))
    con.execute("INSERT INTO store_info BY NAME SELECT ['before'] AS notices")
    con.executemany(
        "INSERT INTO utterances BY NAME SELECT ? AS utterance_number, ? AS recording_id, "
        "? AS utterance_id",
        [(number, one.recording_id, one.utterance_id) for number, one in enumerate(SAID)],
    )
    return con


def _column(con: duckdb.DuckDBPyConnection, sql: str) -> list[object]:
    return [row[0] for row in con.execute(sql).fetchall()]


def test_every_utterance_has_the_scores_that_were_written(con, study):
    assert insert_sound(con, study) == ()
    written = pq.read_table(newest_scores(study.derived).path).to_pandas()
    stored = con.execute("SELECT * FROM sound_scores").df()
    assert stored["utterance_number"].tolist() == list(range(len(SAID)))
    written = written.set_index("utterance_id").loc[stored["utterance_id"]]
    for name in ("see_say_z", "hear_say_others_null_mean", "see_hear_cosine", "level_db"):
        np.testing.assert_array_equal(stored[name].astype(float), written[name].astype(float))
    is_known = written["quadrant"].notna().to_numpy()
    assert stored.loc[is_known, "quadrant"].tolist() == [
        str(words).replace(" ", "_") for words in written["quadrant"][is_known]
    ]
    assert set(_column(con, "SELECT DISTINCT missing_reason FROM sound_scores")) == {
        "too_little_sound",
        "no_frame",
        None,
    }


def test_the_system_says_what_made_the_scores(con, study):
    insert_sound(con, study)
    row = con.execute("SELECT * FROM sound_systems").df().iloc[0]
    assert row["system"] == "slava-av3"
    assert row["encoder"] == SETTINGS.sound_model.name
    assert row["encoder_revision"] == SETTINGS.sound_model.revision
    assert row["image_model"] == EYES.scorer
    assert not row["hears_speech"]
    assert row["text"] == "utterances instead of captions"
    assert (row["n_folds"], row["n_utterances"], row["n_matched"]) == (5, len(SAID), len(SAID))


def test_changed_utterances_are_left_out_and_counted_both_ways(con, study):
    con.execute("UPDATE utterances SET utterance_id = 'new' WHERE utterance_number IN (3, 4)")
    con.execute("DELETE FROM utterances WHERE utterance_number = 9")
    notices = insert_sound(con, study)
    assert [(notice.code, notice.count) for notice in notices] == [
        ("sound_scores_unmatched", 3),
        ("sound_not_scored", 2),
    ]
    found = _column(con, "SELECT utterance_number FROM sound_scores")
    assert found == [n for n in range(len(SAID)) if n not in (3, 4, 9)]
    (kept,) = _column(con, "SELECT notices FROM store_info")
    assert kept[0] == "before"
    assert "3 score(s) of sound are of utterances that are not in the store" in kept[1]


def test_recall_is_that_of_the_command_and_published_values_need_avcaps(con, study, tmp_path):
    insert_sound(con, study)
    rows = {(row.scope, row.gallery, row.query): row for row in kept_rows(study.derived)}
    stored = con.execute("SELECT * FROM sound_recall").df()
    assert len(stored) == len(rows) > 0
    for found in stored.itertuples():
        row = rows[found.scope, found.gallery, found.query]
        assert (found.recall_at_10, found.chance, found.n) == (row.recall_at_10, row.chance, row.n)
        assert found.text == "utterances instead of captions"
    assert stored["corpus"].isna().all()
    assert kept_name(Path("test_captions.json")) == "avcaps-test_captions"
    assert kept_name(tmp_path / "mine.csv") == "mine"


def test_a_store_is_made_anew_when_any_file_of_sound_changes(study):
    found = files_of_sound(study)
    assert [path.name for path in found] == ["recall.json", "scores.json", "scores.parquet"]
    assert all(path.is_file() for path in found)


def test_a_study_without_sound_has_empty_tables_and_no_notice(con, tmp_path):
    silent = _study(tmp_path)
    assert insert_sound(con, silent) == ()
    assert files_of_sound(silent) == []
    for table in ("sound_scores", "sound_systems", "sound_recall"):
        assert _column(con, f"SELECT count(*) FROM {table}") == [0]


def test_damaged_files_become_notices_and_stop_nothing(con, study, tmp_path):
    for path in files_of_sound(study):
        to = tmp_path / "derived" / path.relative_to(study.derived)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes()[:40])
    notices = insert_sound(con, _study(tmp_path))
    assert [notice.code for notice in notices] == ["sound_scores_left_out", "sound_recall_left_out"]
    assert all("damaged" in notice.message for notice in notices)
    assert _column(con, "SELECT count(*) FROM sound_scores") == [0]
