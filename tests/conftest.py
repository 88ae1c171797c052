"""Fixtures of the whole suite: one small demo study, built once, and no silent errors."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


_MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def _main_module_is_kept() -> Iterator[None]:
    """Streamlit's page runner leaves the page as `__main__`; worker processes would import it."""
    yield
    sys.modules["__main__"] = _MAIN


@pytest.fixture(autouse=True)
def _no_logged_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A test that logs an ERROR fails, even if everything else looks right."""
    yield
    errors = [
        record.getMessage()
        for phase in ("setup", "call")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.ERROR
    ]
    assert not errors, f"errors were logged: {errors}"


@pytest.fixture(scope="session")
def tiny_demo_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny demo study with its store, built once however many processes run the tests.

    Read only: copy it (`tiny_demo_copy`) to change it.
    """
    from pipeline.demo.study_writer import write_demo_study
    from pipeline.engine.runner import Run, RunOptions
    from pipeline.study import open_study

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    root = shared / "tiny-demo"
    with FileLock(shared / "tiny-demo.lock"):
        if not (root / "derived" / "stores" / "current").exists():
            write_demo_study(root, scale="tiny")
            summary = Run(open_study(root), RunOptions(device="cpu"), lambda event: None).execute()
            assert summary.store is not None
            assert summary.failures == ()
    return root


@pytest.fixture
def tiny_demo_copy(tiny_demo_study: Path, tmp_path: Path) -> Path:
    """A copy of the tiny demo study that a test may change."""
    root = tmp_path / "study"
    shutil.copytree(tiny_demo_study, root)
    return root
