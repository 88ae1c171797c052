"""A store holds what the shards hold, is whole or absent, and says what its columns mean."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.errors import StoreError
from pipeline.records import StageFailure
from pipeline.schema import SCORES_VIEW, TABLES
from pipeline.store import publish as publish_module
from pipeline.store import shards
from pipeline.store.align_shards import write_alignment
from pipeline.store.dictionary import DICTIONARY_PATH, data_dictionary
from pipeline.store.fill import RunRecord, ShardSet, fill
from pipeline.store.frame_vectors import (
    SCALE,
    files_beside,
    rows_of_recording,
    vector_files,
    vectors_path,
)
from pipeline.store.layout import ShardFolder, Stage
from pipeline.store.locate import current_store_path, stores_folder
from pipeline.store.publish import inputs_digest, publish, published_inputs, store_digests
from pipeline.store.store_columns import open_columns
from pipeline.study import Study, open_study
from tests import fakes

IDS = ("r1", "r2", "r3")


def run_record(second: int = 0) -> RunRecord:
    moment = datetime(2026, 1, 2, 3, 4, second)
    return RunRecord("run", moment, moment, "0", "{}", "{}", "cpu")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    root = tmp_path / "s"
    (root / "metadata").mkdir(parents=True)
    (root / "metadata" / "children.csv").write_text("child_id,child_dob\nC1,2024-01-01\n")
    rows = "".join(f"C1,{name}.mp4,2025-01-01,media\n" for name in IDS)
    header = "child_id,recording_filename,date_iso,permission\n"
    (root / "metadata" / "recordings.csv").write_text(header + rows)
    (root / "metadata" / "contexts.csv").write_text(
        "recording_id,onset_ms,offset_ms,location,activity\nr1,0,60000,kitchen,meal\n"
    )
    for name in IDS:
        path = root / "recordings" / "raw" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return open_study(root)


@pytest.fixture
def shard_set(study: Study) -> ShardSet:
    folders = {stage: ShardFolder(study.derived, stage, "f") for stage in Stage}
    aligned = fakes.alignment(IDS)
    paths: dict[Stage, list[Path]] = {stage: [] for stage in Stage}
    for recording_id, result in zip(IDS, aligned, strict=True):
        said = fakes.transcript(recording_id)
        for stage in Stage:
            paths[stage].append(folders[stage].shard(recording_id, "d"))
        shards.write_transcript(paths[Stage.SPEECH][-1], said)
        shards.write_frames(paths[Stage.VISION][-1], fakes.frames(recording_id))
        shards.write_texts(paths[Stage.TEXT][-1], fakes.texts(said))
        write_alignment(paths[Stage.ALIGN][-1], result)
    return ShardSet(*(tuple(paths[stage]) for stage in Stage))


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_every_table_has_its_rows(study: Study, shard_set: ShardSet) -> None:
    failure = StageFailure("speech", "r9", "media", "broken", "mend")
    path = publish(study, shard_set, [failure], [], run_record())
    assert path == current_store_path(study.root)
    counts = {t.name: rows(path, f"SELECT count(*) FROM {t.name}")[0][0] for t in TABLES}
    n_frames, n_utterances = 180, 12
    assert counts["recordings"] == 3
    assert counts["children"] == 1
    assert counts["frames"] == n_frames
    assert counts["frame_embeddings"] == n_frames * sum(fakes.SUB_CROPS.values())
    assert counts["utterances"] == counts["utterance_embeddings"] == n_utterances
    assert counts["scores_wide"] == n_utterances
    assert counts["failures"] == counts["contexts"] == counts["runs"] == counts["models"] == 1
    assert rows(path, "SELECT count(*) FROM scores")[0][0] == n_utterances * 4 * 3
    assert rows(path, "SELECT n_recordings, n_utterances, total_ms FROM children") == [
        (3, 12, 180_000)
    ]


def test_embeddings_arrive_number_for_number(study: Study, shard_set: ShardSet) -> None:
    path = publish(study, shard_set, [], [], run_record())
    stored = rows(
        path,
        "SELECT embedding FROM frame_embeddings WHERE recording_id = 'r2' AND time_ms = 7000 "
        "AND crop = 'multi' ORDER BY crop_index",
    )
    expected = fakes.frames("r2").crops[-1].vectors[7]
    np.testing.assert_array_equal(np.array([row[0] for row in stored], np.float32), expected)


def test_the_long_view_agrees_with_the_lag_cosines(study: Study, shard_set: ShardSet) -> None:
    path = publish(study, shard_set, [], [], run_record())
    differences = rows(
        path,
        """
        SELECT max(abs(s.max_cosine - l.best)), count(*)
        FROM scores s JOIN (
            SELECT recording_id, utterance_id, max(pad) AS best, count(*) AS n
            FROM lag_cosines WHERE abs(lag_ms) <= 2000 GROUP BY ALL
        ) l USING (recording_id, utterance_id)
        WHERE s.crop = 'pad' AND s."window" = '2s' AND s.n_frames = l.n
        """,
    )
    assert differences == [(0.0, 12)]


def test_free_windows_are_made_of_the_lag_cosines(study: Study, shard_set: ShardSet) -> None:
    path = publish(study, shard_set, [], [], run_record())
    for before, after in ((3, 1), (10, 10), (1, 0)):
        sides = ("inside", f"before_{before}s", f"after_{after or 1}s")
        parts = [f"pad_{side}" for side in (sides if after else sides[:2])]
        best = ", ".join(f"s.{part}_max" for part in parts)
        total = " + ".join(f"s.{part}_sum" for part in parts)
        counts = " + ".join(f"s.{part.replace('pad', 'n_frames')}" for part in parts)
        (row,) = rows(
            path,
            f"""
            SELECT count(*), max(abs(greatest({best}) - l.best)),
                max(abs(({total}) - l.total)), max(abs(({counts}) - l.n))
            FROM scores_wide s JOIN (
                SELECT recording_id, utterance_id, max(pad) AS best,
                    sum(pad::DOUBLE) AS total, count(*) AS n
                FROM lag_cosines WHERE lag_ms BETWEEN {-1000 * before} AND {1000 * after}
                GROUP BY ALL
            ) l ON l.recording_id = s.recording_id::VARCHAR AND l.utterance_id = s.utterance_id
            """,
        )
        assert row[0] == 12
        assert row[1] == row[3] == 0
        assert row[2] < 1e-5


def test_the_flat_table_says_what_utterances_are_chosen_by(
    study: Study, shard_set: ShardSet
) -> None:
    path = publish(study, shard_set, [], [], run_record())
    assert rows(
        path,
        """
        SELECT count(*) FILTER (WHERE s.utterance_number = u.utterance_number
            AND s.child_id::VARCHAR = u.child_id AND s.onset_ms = u.onset_ms
            AND s.speaker::VARCHAR = u.speaker AND s.n_words = u.n_words)
        FROM scores_wide s JOIN utterances u
            ON u.recording_id = s.recording_id::VARCHAR AND u.utterance_id = s.utterance_id
        """,
    ) == [(12,)]
    assert rows(path, "SELECT list(utterance_number) = range(12)::INTEGER[] FROM scores_wide") == [
        (True,)
    ]
    assert rows(
        path, "SELECT DISTINCT recording_id::VARCHAR FROM scores_wide WHERE location = 'kitchen'"
    ) == [("r1",)]
    assert rows(path, "SELECT recording_id, first_utterance_number FROM recordings") == [
        ("r1", 0),
        ("r2", 4),
        ("r3", 8),
    ]


def test_words_are_kept_in_order_with_a_searchable_token(study: Study, shard_set: ShardSet) -> None:
    path = publish(study, shard_set, [], [], run_record())
    assert rows(
        path,
        "SELECT word, token, onset_ms FROM words WHERE utterance_id = 'r1-u0' ORDER BY word_index",
    ) == [("Look,", "look", 2_000), ("a", "a", None), ("ball!", "ball", 2_600)]
    assert rows(path, "SELECT list(token) FROM words WHERE utterance_id = 'r1-u1'") == [
        (["it's", "number", "1", "", "où"],)
    ]
    assert rows(path, "SELECT n_words FROM utterances WHERE utterance_id = 'r1-u1'") == [(4,)]


def test_every_column_carries_a_comment(study: Study, shard_set: ShardSet) -> None:
    path = publish(study, shard_set, [], [], run_record())
    bare = rows(
        path,
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE NOT internal AND comment IS NULL",
    )
    assert bare == []
    found = rows(path, "SELECT comment FROM duckdb_views() WHERE view_name = 'scores'")
    assert found == [(SCORES_VIEW.meaning,)]


def test_the_data_dictionary_is_current() -> None:
    assert DICTIONARY_PATH.read_text(encoding="utf-8") == data_dictionary(), (
        "run: python -m pipeline.store.dictionary"
    )


def test_equal_inputs_give_equal_stores(study: Study, shard_set: ShardSet) -> None:
    first = publish(study, shard_set, [], [], run_record(1))
    second = publish(study, shard_set, [], [], run_record(2))
    assert first != second
    assert store_digests(first) == store_digests(second)
    assert published_inputs(study.root) == inputs_digest(study, shard_set, [])


def test_a_store_that_needs_more_memory_gets_it(
    study: Study, shard_set: ShardSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = store_digests(publish(study, shard_set, [], [], run_record(1)))
    limits: list[str] = []

    def limit_of(con: duckdb.DuckDBPyConnection) -> str:
        return str(con.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])

    def short_at_first(con: duckdb.DuckDBPyConnection, *others: Any) -> None:
        fill(con, *others)
        limits.append(limit_of(con))
        if len(limits) < 3:
            raise duckdb.OutOfMemoryException("failed to pin a block")

    monkeypatch.setattr(publish_module, "fill", short_at_first)
    assert store_digests(publish(study, shard_set, [], [], run_record(2))) == digests
    with duckdb.connect() as con:
        n_threads = max(con.execute("SELECT current_setting('threads')").fetchall()[0][0], 2)
        for times, found in zip((1, 4, 16), limits, strict=True):
            con.execute(f"SET memory_limit = '{times * n_threads * 100_000_000}B'")
            assert found == limit_of(con)
    left = [path.name for path in stores_folder(study.root).iterdir() if "partial" in path.name]
    assert left == []


def test_without_enough_memory_the_old_store_stays_current(
    study: Study, shard_set: ShardSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(study, shard_set, [], [], run_record(1))

    def short(*others: Any) -> None:
        raise duckdb.OutOfMemoryException("failed to pin a block")

    monkeypatch.setattr(publish_module, "fill", short)
    with pytest.raises(StoreError, match="too little memory"):
        publish(study, shard_set, [], [], run_record(2))
    assert current_store_path(study.root) == first
    assert [path for path in stores_folder(study.root).iterdir() if "partial" in path.name] == []


def test_a_changed_input_changes_the_digest(study: Study, shard_set: ShardSet) -> None:
    before = inputs_digest(study, shard_set, [])
    fewer = ShardSet(
        shard_set.speech[:2], shard_set.vision[:2], shard_set.text[:2], shard_set.align[:2]
    )
    assert inputs_digest(study, fewer, []) != before
    failure = StageFailure("speech", "r1", "media", "m")
    assert inputs_digest(study, shard_set, [failure]) != before


def test_old_builds_are_pruned(study: Study, shard_set: ShardSet) -> None:
    for second in range(4):
        newest = publish(study, shard_set, [], [], run_record(second))
    kept = sorted(stores_folder(study.root).glob("store-*.duckdb"))
    assert len(kept) == study.settings.publish.keep_builds
    assert kept[-1] == newest
    files = [file for build in kept for file in files_beside(build)]
    assert len(files) == len(kept) * (len(fakes.SUB_CROPS) + 1)
    assert all(open_columns(build) is not None for build in kept)
    assert sorted(stores_folder(study.root).glob("*.npy")) == sorted(files)


def test_vectors_in_16_bits_lie_beside_the_store(study: Study, shard_set: ShardSet) -> None:
    orphan = stores_folder(study.root) / "store-gone~m~center.npy"
    orphan.parent.mkdir(parents=True)
    orphan.touch()
    path = publish(study, shard_set, [], [], run_record())
    assert not orphan.exists()
    scorer = fakes.MODEL.scorer
    assert vector_files(path) == sorted(
        vectors_path(path, scorer, c.value) for c in fakes.SUB_CROPS
    )
    found = np.load(vectors_path(path, scorer, "multi"))
    with duckdb.connect(str(path), read_only=True) as con:
        rows_of_r2 = rows_of_recording(con, "r2")
    expected = fakes.frames("r2").crops[-1].vectors
    np.testing.assert_allclose(found[rows_of_r2] / SCALE, expected, atol=2e-5)


@pytest.mark.parametrize("keeps_footer", [False, True])
def test_a_damaged_shard_leaves_the_old_store_current(
    study: Study, shard_set: ShardSet, keeps_footer: bool
) -> None:
    first = publish(study, shard_set, [], [], run_record(1))
    shard = shard_set.align[1]
    whole = shard.read_bytes()
    shard.write_bytes(bytes(1_000) + whole[1_000:] if keeps_footer else whole[:100])
    with pytest.raises(StoreError, match=r"align/r2~d\.parquet is damaged"):
        publish(study, shard_set, [], [], run_record(2))
    assert current_store_path(study.root) == first
    assert not list(stores_folder(study.root).glob("*.partial*"))


def test_a_store_is_made_from_what_there_is(study: Study, shard_set: ShardSet) -> None:
    only_speech = ShardSet(shard_set.speech, (), (), ())
    path = publish(study, only_speech, [], [], run_record())
    assert rows(path, "SELECT count(*) FROM utterances") == [(12,)]
    assert rows(path, "SELECT count(*) FROM scores") == [(0,)]
    assert rows(path, "SELECT count(*) FROM models") == [(0,)]


def test_a_pointer_to_nothing_is_an_error_with_a_fix(study: Study, shard_set: ShardSet) -> None:
    path = publish(study, shard_set, [], [], run_record())
    path.unlink()
    with pytest.raises(StoreError) as caught:
        current_store_path(study.root)
    assert "--stage publish" in caught.value.hint
    shutil.rmtree(stores_folder(study.root))
    assert current_store_path(study.root) is None
