"""Where a study's current store is.

Builds lie side by side under derived/stores; the pointer file `current` holds the name of the one
to open. Switching the pointer is one atomic rename, so a reader never sees half a store.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import StoreError
from pipeline.pending_withdrawal import refuse_while_pending
from pipeline.store.atomic_files import sync_folder, write_atomically, write_text
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
    except ValueError:
        name = ""  # damaged, as a pointer without a name is
    path = folder / name
    if not name.isprintable() or Path(name).name != name or not path.is_file():
        raise StoreError(
            f"The store {name if name.isprintable() and name else '(no name)'} of "
            f"{study_root.name} is missing.",
            hint="Build it again with: python -m pipeline run STUDY --stage publish",
        )
    refuse_if_rules_changed(study_root, path)
    return path


def switch_current_store(study_root: Path, name: str) -> None:
    """Make `name`, a file in the stores folder, the current store.

    Raises DiskFullError and StoreError when it cannot be; the one before stays the current one.
    """
    # A computer that loses its power must not come back with a pointer to what is not there.
    sync_folder(stores_folder(study_root))
    pointer = stores_folder(study_root) / POINTER_NAME
    write_atomically(pointer, lambda partial: write_text(partial, name + "\n"))
    sync_folder(stores_folder(study_root))
