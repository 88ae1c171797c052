"""One synthetic store for everything that is tried on many utterances."""

from __future__ import annotations

import duckdb
import pytest

from tests.factories import write_synthetic_study


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory):
    """A read-only connection to a store of 4 children, 8 recordings and 240 utterances."""
    path = write_synthetic_study(tmp_path_factory.mktemp("models"), n_utterances=240)
    with duckdb.connect(str(path), read_only=True) as con:
        yield con
