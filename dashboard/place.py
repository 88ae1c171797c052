"""Which study the dashboard shows."""

from __future__ import annotations

import functools
import os
from pathlib import Path

STUDY_VARIABLE = "COVIEW_STUDY"
DEFAULT_STUDY = "demo-study"


def study_root() -> Path:
    """Folder of the study: the environment variable COVIEW_STUDY, or ./demo-study."""
    return _resolved(os.environ.get(STUDY_VARIABLE) or DEFAULT_STUDY, Path.cwd())


@functools.lru_cache(maxsize=8)
def _resolved(folder: str, here: Path) -> Path:
    return (here / Path(folder).expanduser()).resolve()
