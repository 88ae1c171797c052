"""Withdraw: list what goes, remove it, look again until nothing is left, write the proof.

The study's lock is held and its mark lies from the first deletion to the proof. Everything is found
anew on each pass, so an interrupted withdrawal goes on by doing the same again, and the last
pass, which finds nothing, is the check.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.lock import folder_lock
from pipeline.errors import StoreError
from pipeline.pending_withdrawal import pending_path
from pipeline.store.shards import write_atomically
from pipeline.withdrawal.derived_files import doomed_derived
from pipeline.withdrawal.doomed import Doomed
from pipeline.withdrawal.given_files import doomed_given
from pipeline.withdrawal.people_rows import doomed_people
from pipeline.withdrawal.proof import Proof
from pipeline.withdrawal.scan import mentions_left
from pipeline.withdrawal.target import Target, write_pending

_MAX_PASSES = 5
OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a finished withdrawal removed; `mentions` are files that still name it."""

    n_files: int
    n_rows: int
    proof: Path
    left: tuple[str, ...]
    mentions: tuple[str, ...]


def doomed(root: Path, target: Target) -> Doomed:
    """Everything that goes, in the order in which it goes: store builds first, given files last."""
    return doomed_derived(root, target) + doomed_people(root, target) + doomed_given(root, target)


def withdraw(root: Path, target: Target, on_step: OnStep = lambda sentence: None) -> Withdrawn:
    """Remove everything about `target` from the study at `root`, or go on where that stopped.

    The study has no store afterwards: it must be published again. Raises BusyError while a run
    works on the study, StudyError for a file that must be parted first (before anything is
    removed), StoreError or DiskFullError when a file cannot be removed or written.
    """
    with folder_lock(root / "derived", root.name):
        found = doomed(root, target)
        write_pending(root, target)
        proof = Proof(root, target)
        n_files = n_rows = 0
        left = found.left
        for number in range(_MAX_PASSES):
            if not found:
                break
            on_step("Removing" if not number else "Removing what appeared meanwhile")
            _remove(root, found, proof)
            n_files += len(found.files)
            n_rows += sum(cut.n_gone for cut in found.cuts)
            found = doomed(root, target)
        else:
            raise StoreError(
                "Something keeps writing to the study while it is withdrawn from.",
                hint="Stop the dashboard and every other program on the study, then: "
                "python -m pipeline withdraw STUDY --resume",
            )
        on_step("Looking for what is left")
        mentions = mentions_left(root, target)
        path = proof.finish(
            {
                "n_looked_for": len(target.searched),
                "n_files_still_naming_it": len(mentions),
                "is_media_deleted": target.is_media_deleted,
            }
        )
        pending_path(root).unlink()
    return Withdrawn(n_files, n_rows, path, left, mentions)


def counts(found: Doomed) -> list[tuple[str, int, int, int]]:
    """(what, files, rows, bytes) of a listing, in the order in which things go."""
    n_files: Counter[str] = Counter()
    n_rows: Counter[str] = Counter()
    n_bytes: Counter[str] = Counter()
    order: dict[str, None] = {}
    for file in found.files:
        order[file.why] = None
        n_files[file.why] += 1
        if not file.path.is_symlink():
            n_bytes[file.why] += file.path.stat().st_size
    for cut in found.cuts:
        order[cut.why] = None
        n_rows[cut.why] += cut.n_gone
    return [(why, n_files[why], n_rows[why], n_bytes[why]) for why in order]


def _remove(root: Path, found: Doomed, proof: Proof) -> None:
    try:
        for file in found.files:
            if not file.path.is_symlink() and not file.path.exists():
                continue
            proof.went(file)
            file.path.unlink(missing_ok=True)
            _tidy(file.path.parent, root)
        for cut in found.cuts:
            if cut.is_in_place:
                cut.rewrite(cut.path)
            else:
                write_atomically(cut.path, cut.rewrite)
            proof.cut(cut)
    except OSError as problem:
        raise StoreError(
            f"A file of the study cannot be removed: {problem.strerror}.",
            hint="Check the rights of the study folder and stop programs that use it, then: "
            "python -m pipeline withdraw STUDY --resume",
        ) from problem


def _tidy(folder: Path, root: Path) -> None:
    """Remove folders that became empty, up to the study's own."""
    while (
        folder != root and folder.parent != root and folder.is_dir() and not any(folder.iterdir())
    ):
        shutil.rmtree(folder, ignore_errors=True)
        folder = folder.parent
