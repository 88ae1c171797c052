"""A decoder that crashes costs `sound` one recording, never the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.sound_files import newest_scores
from tests.torture.hostile.crashing_decoder import python_path

pytest.importorskip("transformers", reason="the extra [sound] is not installed")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to see")
def test_a_recording_that_crashes_the_decoder_is_left_out_of_the_scores_of_sound(
    tiny_demo_copy: Path, tmp_path: Path
):
    hook = tmp_path / "hook"
    environment = {**os.environ, "PYTHONPATH": python_path(hook)}
    deadly, *good = sorted(path.stem for path in tiny_demo_copy.glob("recordings/raw/*.mp4"))
    text = (hook / "sitecustomize.py").read_text()
    (hook / "sitecustomize.py").write_text(text.replace('"deadly"', repr(deadly)))
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", "sound", "score", str(tiny_demo_copy), "--quiet"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.count("SIGSEGV") == 2
    assert f"{deadly}.mp4 was open. It goes on without it." in ended.stderr
    assert f"Failed: {deadly} (sound): {deadly}.mp4 ends the program" in ended.stderr
    features = (tiny_demo_copy / "derived" / "sound" / "features").rglob("*.parquet")
    assert sorted(path.name.partition("~")[0] for path in features) == good
    assert newest_scores(tiny_demo_copy / "derived") is not None
