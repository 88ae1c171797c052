"""A decoder that crashes costs one recording, never the run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.watched import WATCHER_VARIABLE, watch
from tests.torture.hostile.crashing_decoder import python_path
from tests.torture.hostile.recordings import make_recording

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to see")


def study_of(root: Path, *names: str) -> Path:
    """A study of one short recording under several names, each with a transcript."""
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True)
    video = make_recording("mpeg4.avi", raw / f"{names[0]}.avi")
    for name in names[1:]:
        shutil.copy(video, raw / f"{name}.avi")
    metadata, words = root / "metadata", root / "annotations" / "by-hand" / "raw"
    metadata.mkdir()
    words.mkdir(parents=True)
    (metadata / "children.csv").write_text("child_id,child_dob\nc1,2020-01-01\n")
    rows = "".join(f"c1,{name}.avi,2021-01-01\n" for name in names)
    (metadata / "recordings.csv").write_text(f"child_id,recording_filename,date_iso\n{rows}")
    for name in names:
        (words / f"{name}.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nLook, a dog.\n")
    return root


def run_stage(
    stage: str, study: Path, environment: dict[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "run", str(study), "--stage", stage, "-q", *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_decoder_crash_costs_one_recording_and_the_run_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": python_path(tmp_path / "hook")}
    study = study_of(tmp_path / "study", "a_deadly", "b_good")
    ended = run_stage("speech", study, environment)
    assert ended.returncode == 1, ended.stderr
    shards = (study / "derived" / "speech").rglob("*.parquet")
    assert sorted(path.name.split("~")[0] for path in shards) == ["b_good"]
    assert ended.stderr.count("SIGSEGV") == 2
    assert "a_deadly.avi was open. It goes on without it." in ended.stderr
    assert "Failed: a_deadly (speech): a_deadly.avi ends the program that reads it" in ended.stderr
    assert "1 recording(s) failed" in ended.stderr


def test_good_recordings_embedded_beside_a_deadly_one_are_all_made(tmp_path: Path) -> None:
    """They were open when the process died, and still none but the deadly one is given up."""
    environment = {**os.environ, "PYTHONPATH": python_path(tmp_path / "hook")}
    study = study_of(tmp_path / "study", "a_good", "b_good", "c_deadly", "d_good", "e_good")
    (study / "study.toml").write_text('[model]\nname = "demo-clip"\nweights = ""\n')
    ended = run_stage("vision", study, environment)
    assert ended.returncode == 1, ended.stderr
    shards = (study / "derived" / "vision").rglob("*.parquet")
    names = sorted(path.name.split("~")[0] for path in shards)
    assert names == ["a_good", "b_good", "d_good", "e_good"]
    assert "c_deadly.avi was open. It goes on without it." in ended.stderr
    assert ended.stderr.count("goes on without it") == 1
    assert "1 recording(s) failed" in ended.stderr


def test_a_watched_run_can_have_several_workers(tmp_path: Path) -> None:
    study = study_of(tmp_path / "study", "a_good", "b_good")
    ended = run_stage("speech", study, dict(os.environ), "--workers", "2")
    assert ended.returncode == 0, ended.stderr
    assert len(list((study / "derived" / "speech").rglob("*.parquet"))) == 2


def test_a_killed_watcher_takes_the_run_with_it(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": python_path(tmp_path / "hook")}
    study = study_of(tmp_path / "study", "endless")
    command = [sys.executable, "-m", "pipeline", "run", str(study), "--stage", "speech", "-q"]
    watcher = subprocess.Popen(command, env=environment)
    begun = study / "recordings" / "raw" / "begun"
    for _ in range(300):
        if begun.exists():
            break
        time.sleep(0.1)
    lock = next((study / "derived").glob("*.lock"))
    watcher.send_signal(signal.SIGKILL)
    watcher.wait()
    import filelock

    filelock.FileLock(lock).acquire(timeout=5).lock.release()


def _python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


@pytest.mark.parametrize("status", [0, 1, 2, 130])
def test_an_ordinary_end_is_passed_on(status: int) -> None:
    said: list[str] = []
    assert watch(_python(f"raise SystemExit({status})"), said.append) == status
    assert said == []


def test_a_death_with_nothing_open_ends_the_command() -> None:
    said: list[str] = []
    dying = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert watch(_python(dying), said.append) == 128 + signal.SIGKILL
    assert said == []


def test_a_file_is_opened_once_more_after_one_death(tmp_path: Path) -> None:
    said: list[str] = []
    unlucky = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from pipeline.in_hand import in_hand\n"
        "from pipeline.watched import begin_watched\n"
        "assert begin_watched()\n"
        f"died = Path({str(tmp_path / 'died')!r})\n"
        "with in_hand(Path('rec.mp4')):\n"
        "    if not died.exists():\n"
        "        died.touch()\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    assert watch(_python(unlucky), said.append) == 0
    assert said == [
        "The process died (SIGSEGV) while rec.mp4 was open. It goes on and tries it once more."
    ]


def test_after_a_death_files_are_to_be_opened_one_at_a_time() -> None:
    said: list[str] = []
    unlucky = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from pipeline.in_hand import in_hand, must_open_one_at_a_time\n"
        "from pipeline.watched import begin_watched\n"
        "assert not must_open_one_at_a_time()\n"
        "assert begin_watched()\n"
        "with in_hand(Path('good.mp4')), in_hand(Path('bad.mp4')):\n"
        "    if not must_open_one_at_a_time():\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    assert watch(_python(unlucky), said.append) == 0
    assert [line.partition(" was open")[0][-8:] for line in said] == [" bad.mp4", "good.mp4"]


def test_when_every_file_is_deadly_it_is_not_the_files() -> None:
    said: list[str] = []
    dying = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from pipeline.errors import MediaError\n"
        "from pipeline.in_hand import in_hand\n"
        "from pipeline.watched import begin_watched\n"
        "assert begin_watched()\n"
        f"assert {WATCHER_VARIABLE!r} not in os.environ\n"
        "for n in range(100):\n"
        "    try:\n"
        "        with in_hand(Path(f'{n}')):\n"
        "            if n: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    except MediaError:\n"
        "        pass\n"
    )
    assert watch(_python(dying), said.append) == 128 + signal.SIGABRT
    assert len(said) == 2 * 11 + 1
    assert "it is not the files" in said[-1]
