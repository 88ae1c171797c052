"""Importing open_clip without the package transformers, which few models need.

open_clip imports transformers wherever it is installed, at the cost of seconds at every start. It
uses it only for text towers that are transformers' own; those get it by `give_transformers`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


def import_open_clip() -> None:
    """Import open_clip as if transformers were not installed; nothing if it was imported before.

    Call it before any other import of open_clip or a part of it.
    """
    if "open_clip" in sys.modules or "transformers" in sys.modules:
        return
    # None makes `import transformers` fail as if it were missing; open_clip provides for that.
    sys.modules["transformers"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("open_clip")
    finally:
        del sys.modules["transformers"]


def give_transformers() -> None:
    """Let open_clip build text towers of transformers after all, if the package is installed."""
    adapter: ModuleType = importlib.import_module("open_clip.hf_model")
    if adapter.transformers is None:
        # Classes made before look their names up in the module, which keeps its namespace.
        importlib.reload(adapter)
