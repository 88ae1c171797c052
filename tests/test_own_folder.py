"""Nothing that lies in the folder where a command is typed is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.own_folder import OWN_FOLDER

STARTS = {
    "dashboard": (
        "from pathlib import Path; from pipeline.serving import serve_rating; "
        # No address of this machine, so that it ends.
        "serve_rating(Path('.').resolve(), '203.0.113.1', 9)"
    ),
    "torch": (
        "from pathlib import Path; from pipeline.vision.text_client import TextEncoder; "
        "TextEncoder(Path('.'))._start()"
    ),
}


@pytest.mark.parametrize("module", STARTS)
def test_a_study_with_modules_of_its_own_runs_none_of_them(tmp_path: Path, module: str):
    mark = tmp_path / "it ran"
    (tmp_path / f"{module}.py").write_text(f"open({str(mark)!r}, 'w')\nraise SystemExit(3)\n")
    environment = {**os.environ, "PYTHONPATH": str(OWN_FOLDER)}
    done = subprocess.run(
        [sys.executable, "-c", STARTS[module]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert not mark.exists()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the server is a process of its own")
def test_the_server_takes_the_place_of_its_command(tmp_path: Path):
    """Whoever stops the command stops the server."""
    start = (
        "import os; from pathlib import Path; from pipeline import serving; "
        "print(os.getpid(), flush=True); "
        "serving.dashboard_command = lambda *_: "
        "[serving.sys.executable, '-c', 'import os; print(os.getpid(), os.getcwd())']; "
        f"serving.serve_dashboard(Path({str(tmp_path)!r}), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, timeout=120, check=True
    )
    before, after = done.stdout.splitlines()
    assert after == f"{before} {OWN_FOLDER}"
