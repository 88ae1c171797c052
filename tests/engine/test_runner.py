"""A run finishes what is missing, loses nothing, and leaves one recording's trouble to itself."""

import json
from pathlib import Path

import duckdb
import pytest

from pipeline.engine.events import Event, RecordingFinished, StageStarted
from pipeline.engine.lock import study_lock
from pipeline.engine.progress import study_status
from pipeline.engine.runner import Run, RunOptions, RunSummary
from pipeline.errors import BusyError, ModelError, StoreError, StudyError
from pipeline.store.locate import current_store_path
from pipeline.store.publish import store_digests
from pipeline.study import open_study


def run(root: Path, **options: object) -> tuple[RunSummary, list[Event]]:
    events: list[Event] = []
    chosen = RunOptions(device="cpu", **options)  # type: ignore[arg-type]
    return Run(open_study(root), chosen, events.append).execute(), events


def finished(events: list[Event], stage: str) -> set[str]:
    return {e.recording_id for e in events if isinstance(e, RecordingFinished) and e.stage == stage}


def query(root: Path, sql: str) -> list[tuple[object, ...]]:
    path = current_store_path(root)
    assert path is not None
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def forget(root: Path, stage: str, recording_id: str) -> None:
    for path in (root / "derived" / stage).glob(f"*/{recording_id}~*"):
        path.unlink()


def test_a_whole_run_leaves_scores_with_their_chance_level(tiny_demo_study: Path) -> None:
    n_utterances, n_scored, n_null = query(
        tiny_demo_study,
        """SELECT count(*), count(max_cosine), count(z) FROM scores
        WHERE crop = 'center' AND "window" = 'strict'""",
    )[0]
    assert n_utterances == query(tiny_demo_study, "SELECT count(*) FROM utterances")[0][0]
    assert isinstance(n_scored, int)
    assert n_scored > 10
    assert n_null == n_scored
    reasons = query(
        tiny_demo_study,
        "SELECT count(*) FROM scores_wide WHERE center_strict_max_cosine IS NULL "
        "AND missing_reason IS NULL",
    )
    assert reasons == [(0,)]


def test_running_again_does_nothing(tiny_demo_copy: Path) -> None:
    before = current_store_path(tiny_demo_copy)
    summary, events = run(tiny_demo_copy)
    assert summary.store == before
    assert not summary.is_new_store
    assert not [e for e in events if isinstance(e, RecordingFinished)]
    assert all(e.n_done == e.n_total for e in events if isinstance(e, StageStarted))


def test_a_store_and_a_shard_whose_bytes_changed_are_made_anew(tiny_demo_copy: Path) -> None:
    store = current_store_path(tiny_demo_copy)
    assert store is not None
    before = store_digests(store)
    raw = bytearray(store.read_bytes())
    raw[-9] ^= 1
    store.write_bytes(raw)
    shard = sorted((tiny_demo_copy / "derived" / "vision").glob("*/*.parquet"))[0]
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(StoreError, match=f"vision/{shard.name} was damaged on the disk"):
        run(tiny_demo_copy)
    assert not shard.exists()
    summary, _ = run(tiny_demo_copy)
    assert summary.is_new_store
    assert shard.exists()
    assert store_digests(current_store_path(tiny_demo_copy)) == before  # type: ignore[arg-type]
    assert summary.store == store or not store.exists()


def test_only_what_is_missing_is_done_again(tiny_demo_copy: Path) -> None:
    before = store_digests(current_store_path(tiny_demo_copy))  # type: ignore[arg-type]
    recordings = [r.recording_id for r in open_study(tiny_demo_copy).recordings]
    forget(tiny_demo_copy, "vision", recordings[0])
    _, events = run(tiny_demo_copy)
    assert finished(events, "vision") == {recordings[0]}
    assert finished(events, "speech") == set()
    assert store_digests(current_store_path(tiny_demo_copy)) == before  # type: ignore[arg-type]


def test_a_changed_transcript_touches_one_recording_only(tiny_demo_copy: Path) -> None:
    path = sorted((tiny_demo_copy / "annotations" / "whisperx" / "raw").glob("*.json"))[0]
    content = json.loads(path.read_text(encoding="utf-8"))
    content["segments"] = content["segments"][:2]
    path.write_text(json.dumps(content), encoding="utf-8")
    summary, events = run(tiny_demo_copy)
    assert finished(events, "speech") == {path.stem}
    assert finished(events, "vision") == set()
    assert finished(events, "align") == {path.stem}
    assert summary.is_new_store


def test_a_changed_setting_never_mixes_with_old_shards(tiny_demo_copy: Path) -> None:
    folders = set((tiny_demo_copy / "derived" / "align").iterdir())
    with (tiny_demo_copy / "study.toml").open("a", encoding="utf-8") as file:
        file.write("\n[align]\nseed = 7\n")
    _, events = run(tiny_demo_copy)
    assert finished(events, "vision") == set()
    assert len(finished(events, "align")) == len(open_study(tiny_demo_copy).recordings)
    assert len(set((tiny_demo_copy / "derived" / "align").iterdir()) - folders) == 1
    assert query(tiny_demo_copy, "SELECT null_seed FROM store_info") == [(7,)]


def test_unreadable_recordings_fail_alone_and_are_published(tiny_demo_copy: Path) -> None:
    raw = tiny_demo_copy / "recordings" / "raw"
    names = [r.recording_id for r in open_study(tiny_demo_copy).recordings]
    (raw / f"{names[0]}.mp4").write_bytes(b"")
    (raw / f"{names[1]}.mp4").write_bytes(b"this is no video at all" * 100)
    summary, _ = run(tiny_demo_copy)
    failed = {failure.recording_id for failure in summary.failures}
    assert failed == {names[0], names[1]}
    assert all(f.message and f.hint for f in summary.failures)
    assert any("empty" in f.message for f in summary.failures if f.recording_id == names[0])
    assert {row[0] for row in query(tiny_demo_copy, "SELECT recording_id FROM failures")} == failed
    assert {row[0] for row in query(tiny_demo_copy, "SELECT recording_id FROM recordings")} == set(
        names[2:]
    )


def test_a_mended_recording_is_no_longer_a_failure(tiny_demo_copy: Path) -> None:
    name = open_study(tiny_demo_copy).recordings[0].recording_id
    video = tiny_demo_copy / "recordings" / "raw" / f"{name}.mp4"
    good = video.read_bytes()
    before = store_digests(current_store_path(tiny_demo_copy))  # type: ignore[arg-type]
    video.write_bytes(b"broken")
    assert run(tiny_demo_copy)[0].failures
    assert study_status(open_study(tiny_demo_copy)).failures
    video.write_bytes(good)
    assert run(tiny_demo_copy)[0].failures == ()
    assert store_digests(current_store_path(tiny_demo_copy)) == before  # type: ignore[arg-type]


def test_a_truncated_video_gives_what_decodes(tiny_demo_copy: Path) -> None:
    import av

    name = open_study(tiny_demo_copy).recordings[0].recording_id
    video = tiny_demo_copy / "recordings" / "raw" / f"{name}.mp4"
    # Matroska has no index at its end, so a cut file can still be read from the front.
    longer = video.with_suffix(".mkv")
    with av.open(str(video)) as source, av.open(str(longer), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    content = longer.read_bytes()
    longer.write_bytes(content[: len(content) // 2])
    video.unlink()
    metadata = tiny_demo_copy / "metadata" / "recordings.csv"
    metadata.write_text(metadata.read_text().replace(f"{name}.mp4", f"{name}.mkv"))
    summary, _ = run(tiny_demo_copy)
    assert summary.failures == ()
    n_frames, notices = query(
        tiny_demo_copy,
        f"SELECT n_frames, notices FROM recordings WHERE recording_id = '{name}'",
    )[0]
    assert isinstance(n_frames, int)
    assert 3 <= n_frames < 15
    assert notices


def test_a_missing_model_stops_before_any_work(tiny_demo_copy: Path) -> None:
    toml = tiny_demo_copy / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("demo-clip", "ViT-B-32-quickgelu"))
    toml.write_text(toml.read_text().replace('weights = ""', 'weights = "openai"'))
    with pytest.raises(ModelError) as caught:
        run(tiny_demo_copy)
    assert "models fetch" in caught.value.hint


def test_two_runs_at_once_are_refused(tiny_demo_copy: Path) -> None:
    study = open_study(tiny_demo_copy)
    with study_lock(study), pytest.raises(BusyError, match="Another run"):
        run(tiny_demo_copy)


def test_a_store_of_an_older_schema_is_built_anew(tiny_demo_copy: Path) -> None:
    path = current_store_path(tiny_demo_copy)
    assert path is not None
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE store_info SET schema_version = 0")
    summary, events = run(tiny_demo_copy)
    assert summary.is_new_store
    assert not [e for e in events if isinstance(e, RecordingFinished)]


def test_speech_alone_needs_no_image_text_model(tiny_demo_copy: Path) -> None:
    before = study_status(open_study(tiny_demo_copy))
    settings = tiny_demo_copy / "study.toml"
    content = settings.read_text()
    assert 'name = "demo-clip"' in content
    settings.write_text(content.replace('name = "demo-clip"', 'name = "not-on-this-machine"'))
    recording_id = next(iter(open_study(tiny_demo_copy).recordings)).recording_id
    forget(tiny_demo_copy, "speech", recording_id)
    summary, events = run(tiny_demo_copy, stage="speech")
    assert summary.failures == ()
    assert finished(events, "speech") == {recording_id}
    # What is known of the other stages stays.
    settings.write_text(content)
    after = study_status(open_study(tiny_demo_copy))
    assert after.stages == before.stages
    settings.write_text(content.replace('name = "demo-clip"', 'name = "not-on-this-machine"'))
    with pytest.raises(ModelError):
        run(tiny_demo_copy)


def test_publishing_alone_does_not_throw_scores_away(tiny_demo_copy: Path) -> None:
    before = current_store_path(tiny_demo_copy)
    settings = tiny_demo_copy / "study.toml"
    settings.write_text(settings.read_text() + "\n[align]\nseed = 7\n", encoding="utf-8")
    with pytest.raises(StudyError, match="would lose its scores") as caught:
        run(tiny_demo_copy, stage="publish")
    assert "python -m pipeline run" in caught.value.hint
    assert current_store_path(tiny_demo_copy) == before
