"""Where a study's current store is.

Builds lie side by side under derived/stores; the pointer file `current` holds the name of the one
to open. Switching the pointer is one atomic rename, so a reader never sees half a store.
"""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.pending_withdrawal import refuse_while_pending
from pipeline.store.build_rules import refuse_if_rules_changed

POINTER_NAME = "current"


def stores_folder(study_root: Path) -> Path:
    """Folder of the store builds of a study."""
    return study_root / "derived" / "stores"


def current_store_path(study_root: Path) -> Path | None:
    """Path of the current store, or None when nothing was published yet.

    Raises StoreError when the pointer names a file that is not there, while a withdrawal is
    unfinished, and when metadata/ take away more than it was built without.
    """
    refuse_while_pending(study_root)
    folder = stores_folder(study_root)
    try:
        name = (folder / POINTER_NAME).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    path = folder / name
    if not name or Path(name).name != name or not path.is_file():
        raise StoreError(
            f"The store {name or '(no name)'} of {study_root.name} is missing.",
            hint="Build it again with: python -m pipeline run STUDY --stage publish",
        )
    refuse_if_rules_changed(study_root, path)
    return path


def switch_current_store(study_root: Path, name: str) -> None:
    """Make `name`, a file in the stores folder, the current store."""
    folder = stores_folder(study_root)
    partial = folder / f"{POINTER_NAME}.partial"
    with partial.open("w", encoding="utf-8") as file:
        file.write(name + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / POINTER_NAME)
