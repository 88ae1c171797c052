"""What a command writes is closed to other accounts of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes elsewhere")
@pytest.mark.parametrize(("umask", "file_mode"), [(0o022, 0o640), (0o077, 0o600), (0o002, 0o660)])
def test_others_get_nothing_and_the_group_what_it_got(tmp_path: Path, umask: int, file_mode: int):
    videos = tmp_path / "videos"
    (videos / "C01").mkdir(parents=True)
    (videos / "C01" / "day.mp4").write_bytes(b"no film")
    study = tmp_path / "study"
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "init", str(study), "--videos", str(videos)],
        umask=umask,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert study.is_dir(), done.stderr
    written = [path for path in (study, *study.rglob("*")) if not path.is_symlink()]
    assert len(written) > 3
    for path in written:
        mode = path.stat().st_mode & 0o777
        assert mode & 0o007 == 0, path
        if path.is_file():
            assert mode == file_mode, path
