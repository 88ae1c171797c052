"""The demo study on disk: files, sound and picture agree with the plan."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.demo.chance import stream
from pipeline.demo.film import WIDTH_PX, blur_px, draw_frame
from pipeline.demo.scenes import Backdrop
from pipeline.demo.study_writer import TRUTH_COLUMNS, write_demo_study
from pipeline.demo.timeline import plan_world
from pipeline.demo.transcripts import HeardSegment, heard_segments, speaker_turns
from pipeline.demo.voices import SAMPLE_RATE_HZ, line_samples, load_speech_bank
from pipeline.demo.world import FRAME_MS, DemoRecording, DemoWorld
from pipeline.errors import StudyError
from pipeline.records import Permission
from pipeline.study import open_study


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return plan_world(scale="tiny")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "study"
    write_demo_study(root, scale="tiny")
    return root


def _video(study: Path, recording: DemoRecording) -> Path:
    return study / "recordings" / "raw" / f"{recording.recording_id}.mp4"


def test_the_study_opens_without_a_failure_or_notice(study: Path, world: DemoWorld) -> None:
    opened = open_study(study)
    assert opened.failures == ()
    assert opened.notices == ()
    assert [r.recording_id for r in opened.recordings] == [r.recording_id for r in world.recordings]
    assert all(r.permission is Permission.EXCERPTS for r in opened.recordings)
    assert all(180 < (r.age_days or 0) < 930 for r in opened.recordings)
    assert opened.settings.model.name == "demo-clip"
    assert {c.recording_id for c in opened.contexts} == {r.recording_id for r in world.recordings}


def test_truth_lists_every_utterance_of_the_plan(study: Path, world: DemoWorld) -> None:
    with (study / "truth.csv").open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        rows = list(reader)
        assert tuple(reader.fieldnames or ()) == TRUTH_COLUMNS
    lines = [line for r in world.recordings for line in r.lines]
    assert [(int(r["onset_ms"]), r["text"], r["case"]) for r in rows] == [
        (line.span.onset_ms, line.text, line.case.value) for line in lines
    ]
    assert {r["case"] for r in rows} == {"center", "edge", "lagged", "absent", "none"}


def test_videos_are_portrait_h264_with_aac_and_exact_times(study: Path, world: DemoWorld) -> None:
    import av
    from av.video.frame import PictureType

    for recording in world.recordings:
        with av.open(str(_video(study, recording))) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            assert video.width * 16 == video.height * 9
            frames = list(container.decode(video=0))
        assert [round(f.time * 1000) for f in frames] == list(
            range(0, recording.duration_ms, FRAME_MS)
        )
        keys = [i for i, frame in enumerate(frames) if frame.key_frame]
        assert max(np.diff([*keys, len(frames)])) <= 15
        assert {int(frame.pict_type) for frame in frames} <= {
            int(PictureType.I),
            int(PictureType.P),
        }


def test_the_film_shows_what_the_plan_says(study: Path, world: DemoWorld) -> None:
    import av

    recording = world.recordings[0]
    backdrops = [Backdrop(v.backdrop_seed, v.room) for v in recording.visits]
    with av.open(str(_video(study, recording))) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 20:
                continue
            wanted = draw_frame(recording, backdrops, number * FRAME_MS).astype(float)
            error = frame.to_ndarray(format="rgb24").astype(float) - wanted
            assert 10 * np.log10(255**2 / np.mean(error**2)) > 28
            assert wanted.shape[1] == WIDTH_PX


def test_each_utterance_is_heard_where_truth_says(study: Path, world: DemoWorld) -> None:
    import av

    recording = world.recordings[1]
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    with av.open(str(_video(study, recording))) as container:
        track = np.concatenate(
            [
                piece.to_ndarray()[0]
                for frame in container.decode(audio=0)
                for piece in resampler.resample(frame)
            ]
        )
    assert abs(len(track) / SAMPLE_RATE_HZ - recording.duration_ms / 1000) < 0.1
    bank = load_speech_bank()
    for line in recording.lines:
        speech = line_samples(bank, line.bank_line)
        onset = line.span.onset_ms * SAMPLE_RATE_HZ // 1000
        shifts = range(-800, 801, 16)
        likeness = [float(track[onset + s : onset + s + len(speech)] @ speech) for s in shifts]
        assert abs(shifts[int(np.argmax(likeness))]) <= 32, line.text
    tenths = track[: len(track) // 1600 * 1600].reshape(-1, 1600)
    assert np.sqrt((tenths**2).mean(axis=1)).min() > 5e-4, "somewhere it is digitally silent"


def test_blur_is_slight_but_for_moments(world: DemoWorld) -> None:
    recording = world.recordings[0]
    blurs = np.array([blur_px(recording, t) for t in range(0, recording.duration_ms, FRAME_MS)])
    assert 0.2 <= np.median(blurs) <= 0.5
    assert np.mean(blurs > 1.0) < 0.1
    assert blurs.max() < 2.0


def test_a_finished_study_is_left_alone_and_a_lost_recording_is_made_again(
    study: Path, world: DemoWorld, tmp_path: Path
) -> None:
    root = tmp_path / "study"
    shutil.copytree(study, root)
    settings = root / "study.toml"
    settings.write_text(settings.read_text() + "\n[align]\nseed = 7\n")
    lost, kept = (_video(root, recording) for recording in world.recordings[:2])
    content = lost.read_bytes()
    lost.unlink()
    (lost.parent / f"{lost.name}.partial").write_bytes(b"cut off")
    kept_at = kept.stat().st_mtime_ns
    seen: list[tuple[int, int]] = []
    write_demo_study(root, scale="tiny", workers=1, on_progress=lambda *n: seen.append(n))
    assert seen == [(3, 4), (4, 4)]
    assert lost.read_bytes() == content
    assert kept.stat().st_mtime_ns == kept_at
    assert "seed = 7" in settings.read_text()
    assert not list(root.rglob("*.partial"))


def test_other_folders_are_never_written_over(study: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StudyError, match="not empty"):
        write_demo_study(tmp_path, scale="tiny")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(StudyError, match="is a file"):
        write_demo_study(tmp_path / "thesis.txt")
    other = tmp_path / "other"
    shutil.copytree(study, other)
    (other / "recordings" / "raw" / "REC9.mp4").write_bytes(b"")
    with pytest.raises(StudyError, match=r"REC9\.mp4"):
        write_demo_study(other, scale="tiny")


def test_speech_files_name_their_recording_and_times_in_seconds(
    study: Path, world: DemoWorld
) -> None:
    for recording in world.recordings:
        name = recording.recording_id
        heard = json.loads((study / f"annotations/whisperx/raw/{name}.json").read_text())
        assert heard["language"] == "en"
        words = [word for segment in heard["segments"] for word in segment["words"]]
        assert words == heard["word_segments"]
        assert all(0 <= w["start"] < w["end"] <= recording.duration_ms / 1000 for w in words
                   if "start" in w)  # fmt: skip
        rttm = (study / f"annotations/vtc/raw/{name}.rttm").read_text().splitlines()
        assert all(re.fullmatch(rf"SPEAKER {name} 1 [\d.]+ [\d.]+ (<NA> ){{2}}\w+ <NA> <NA>", x)
                   for x in rttm)  # fmt: skip
        assert {x.split()[7] for x in rttm} <= {"KCHI", "CHI", "FEM", "MAL", "SPEECH"}


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def _n_errors(spoken: list[str], heard: list[str]) -> int:
    """Word edits from one to the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(spoken, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other)),
            )
    return row[-1]


@pytest.fixture(scope="module")
def heard() -> list[tuple[DemoRecording, tuple[HeardSegment, ...]]]:
    world = plan_world()
    return [
        (r, heard_segments(r, stream(world.seed, f"{r.recording_id}/heard")))
        for r in world.recordings
    ]


def test_transcripts_are_wrong_about_as_often_as_good_recognisers(
    heard: list[tuple[DemoRecording, tuple[HeardSegment, ...]]],
) -> None:
    n_errors = n_words = 0
    for recording, segments in heard:
        spoken = [w for line in recording.lines for w in _tokens(line.text)]
        n_errors += _n_errors(spoken, [w for s in segments for w in _tokens(s.text)])
        n_words += len(spoken)
    assert 0.08 <= n_errors / n_words <= 0.12


def test_transcript_times_are_shifted_but_near(
    heard: list[tuple[DemoRecording, tuple[HeardSegment, ...]]],
) -> None:
    shifts = []
    for recording, segments in heard:
        first_words = [s.words[0].span.onset_ms for s in segments if s.words[0].span is not None]
        onsets = np.array([line.span.onset_ms for line in recording.lines])
        shifts += [int(np.abs(onsets - t).min()) for t in first_words]
        assert all(
            w.span is None or s.span.onset_ms <= w.span.onset_ms < w.span.offset_ms
            for s in segments
            for w in s.words
        )
    assert 30 < np.median(shifts) < 100


def test_speaker_turns_are_mostly_right() -> None:
    label_of = {"FEM": "FEM", "MAL": "MAL", "CHI": "KCHI", "OCH": "CHI"}
    n_right = n_lines = 0
    for recording in plan_world().recordings:
        turns = speaker_turns(recording, stream(1, recording.recording_id))
        for line in recording.lines:
            n_lines += 1
            n_right += any(
                turn.label == label_of[line.speaker.value]
                and turn.span.overlap_ms(line.span) > line.span.duration_ms / 2
                for turn in turns
            )
    assert 0.88 < n_right / n_lines < 0.99


def test_planning_loads_neither_torch_nor_video_code() -> None:
    code = (
        "import sys; import pipeline.demo.study_writer as w; w.plan_world(scale='tiny'); "
        "print([m for m in ('torch', 'av', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
