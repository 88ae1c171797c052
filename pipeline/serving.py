"""Start the dashboard or the rating screen on a study, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pipeline.errors import SettingsError, StudyError

STUDY_VARIABLE = "COVIEW_STUDY"


def dashboard_command(port: int) -> list[str]:
    """The streamlit command that serves the dashboard on 127.0.0.1."""
    spec = find_spec("dashboard")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            "The dashboard is not installed.", hint="Install the project: pip install -e ."
        )
    app = Path(next(iter(spec.submodule_search_locations))) / "app.py"
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(app),
        "--server.address=127.0.0.1",
        f"--server.port={port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
    ]


def serve_dashboard(study_root: Path, port: int) -> int:
    """Run the dashboard until it is stopped; returns its exit code.

    Raises StudyError when the folder is no study.
    """
    root = _existing(study_root)
    environment = {**os.environ, STUDY_VARIABLE: str(root)}
    process = subprocess.Popen(dashboard_command(port), env=environment, cwd=_config_folder())
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait(timeout=10)
        return 0


def serve_rating(study_root: Path, host: str, port: int) -> int:
    """Serve the rating screen until it is stopped; returns its exit code.

    Raises StudyError when the folder is no study.
    """
    root = _existing(study_root)
    command = [sys.executable, "-m", "dashboard.rating", str(root)]
    command += ["--host", host, "--port", str(port)]
    if os.name == "posix":
        # In the place of this process, so that whoever stops it stops the server.
        sys.stdout.flush()
        os.execv(sys.executable, command)
    return subprocess.run(command, check=False).returncode


def _existing(study_root: Path) -> Path:
    root = study_root.expanduser().resolve()
    if not root.is_dir():
        raise StudyError(
            f"There is no folder {study_root}.",
            hint="Make the demo with: python -m pipeline demo",
        )
    return root


def _config_folder() -> Path | None:
    """The project folder when it holds .streamlit/config.toml, which Streamlit seeks in the
    working directory."""
    project = Path(__file__).resolve().parent.parent
    return project if (project / ".streamlit" / "config.toml").is_file() else None
