"""Start the dashboard or the rating screen on a study, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pipeline.access.binding import checked_access
from pipeline.access.sign_in_secrets import study_secrets
from pipeline.access.table import Access
from pipeline.errors import SettingsError, StoreError, StudyError
from pipeline.own_folder import OWN_FOLDER
from pipeline.store.locate import current_store_path

STUDY_VARIABLE = "COVIEW_STUDY"
LOOPBACK = "127.0.0.1"
LOOPBACK_NAMES = (LOOPBACK, "localhost")


def dashboard_command(port: int, host: str = LOOPBACK, access: Access | None = None) -> list[str]:
    """The streamlit command that serves the dashboard at an address."""
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
        f"--server.address={host}",
        f"--server.port={port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        # Its welcome asks a computer of Amazon for this one's address.
        "--logger.hideWelcomeMessage=true",
        *_guarded_options(access),
    ]


def _secrets_option(root: Path, access: Access | None) -> list[str]:
    """The study's own secrets for signing in, where it has some; else Streamlit's usual ones."""
    own = study_secrets(root, access)
    return [] if own is None else [f"--secrets.files={own}"]


def _guarded_options(access: Access | None) -> list[str]:
    """What a server with sign-in needs beyond the settings file, which may lie elsewhere."""
    if access is None:
        return []
    names = [*access.hosts, *(host for host in LOOPBACK_NAMES if host not in access.hosts)]
    return [
        "--server.enableCORS=true",
        "--server.enableXsrfProtection=true",
        "--server.maxUploadSize=5",
        "--server.maxMessageSize=50",
        "--server.maxWidgetStateSize=5",
        "--client.showErrorDetails=none",
        *(f"--server.allowedHosts={name}" for name in names),
    ]


def check_dashboard(study_root: Path, host: str = LOOPBACK) -> tuple[Path, Access | None]:
    """The study's folder, and what its access.toml says, None where none is needed.

    Raises StudyError when the folder is no study, and AccessError when others would reach the
    dashboard without signing in, or the study's secrets hold what they may not.
    """
    root = _existing(study_root)
    access = checked_access(root, host)
    study_secrets(root, access)
    return root, access


def serve_dashboard(study_root: Path, port: int, host: str = LOOPBACK) -> int:
    """Run the dashboard until it is stopped; returns its exit code.

    Raises as `check_dashboard`.
    """
    root, access = check_dashboard(study_root, host)
    environment = {**os.environ, STUDY_VARIABLE: str(root)}
    if access is not None:
        # The gate has to see who really speaks, not whom a header names.
        environment["FORWARDED_ALLOW_IPS"] = ""
    return _run(
        [*dashboard_command(port, host, access), *_secrets_option(root, access)], environment
    )


def check_rating(study_root: Path, host: str, port: int) -> Path:
    """Whether raters can be served there; the study's folder.

    Raises StudyError when the folder is no study, StoreError when it has no store, and
    SettingsError when the address cannot be served on.
    """
    root = _existing(study_root)
    if current_store_path(root) is None:
        raise StoreError(
            f"{study_root} has no store yet, so there is nothing to rate.",
            hint=f"Make one with: python -m pipeline run {study_root}",
        )
    _check_free(host, port)
    return root


def serve_rating(root: Path, host: str, port: int) -> int:
    """Serve the rating screen until it is stopped; returns its exit code."""
    command = [sys.executable, "-m", "dashboard.rating", str(root)]
    command += ["--host", host, "--port", str(port)]
    return _run(command, dict(os.environ))


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run a server until it is stopped; its exit code."""
    if os.name == "posix":
        # In the place of this process, so that whoever stops it stops the server: a server that
        # outlives its command would go on showing the study.
        sys.stdout.flush()
        os.chdir(OWN_FOLDER)
        os.execve(sys.executable, command, environment)
    try:
        return subprocess.run(command, cwd=OWN_FOLDER, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise SettingsError(
                f"Nothing can be served on {host}, port {port}: {problem.strerror}.",
                hint="Choose another with --port or --host.",
            ) from problem


def _existing(study_root: Path) -> Path:
    root = study_root.expanduser().resolve()
    if not root.is_dir():
        raise StudyError(
            f"There is no folder {study_root}.",
            hint="Make the demo with: python -m pipeline demo",
        )
    return root
