"""What a withdrawal removes, as a list that a person can read before anything happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DoomedFile:
    """A file that goes whole. `why` is the heading it is listed under."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A file that stays without some rows: `n_gone` of them; `rewrite(path)` writes the rest to
    another place, which then takes the file's, or with `is_in_place` changes the file itself."""

    path: Path
    why: str
    n_gone: int
    rewrite: Callable[[Path], None]
    is_in_place: bool = False


@dataclass(frozen=True, slots=True)
class Doomed:
    """Everything that goes. `left` are sentences about what stays and where."""

    files: tuple[DoomedFile, ...] = ()
    cuts: tuple[Cut, ...] = ()
    left: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.cuts)

    def __add__(self, other: Doomed) -> Doomed:
        return Doomed(
            (*self.files, *other.files), (*self.cuts, *other.cuts), (*self.left, *other.left)
        )
