"""A study that is written once for a module, copied for each test, and browsers that rate in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from benchmarks.rating_study import RatingStudy, write_rating_study
from dashboard.rating.__main__ import rating_app

Browser = Callable[[], TestClient]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> RatingStudy:
    root = tmp_path_factory.mktemp("written") / "study"
    return write_rating_study(
        root,
        consent="<b>Read</b> this.\n\nThen agree.",
        closing="Code C7. https://example.org/done",
    )


@pytest.fixture
def study(written: RatingStudy, tmp_path: Path) -> RatingStudy:
    shutil.copytree(written.root, tmp_path / "study")
    return RatingStudy(tmp_path / "study", written.set_id)


@pytest.fixture
def browser(study: RatingStudy) -> Browser:
    app = rating_app(study.root)
    return lambda: TestClient(app, base_url="http://rate.test")
