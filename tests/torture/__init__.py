"""What may go wrong, done on purpose and counted: `make torture`.

Every module in `tests/torture/parts` is a part:

    TITLE: str                                    what the table calls it
    WEIGHT: float                                 its share of the time beside the others' (or 1)
    def run(plan: Plan) -> Iterator[Count]: ...   tries, and yields a row of the table at a time

A part writes nothing outside `plan.folder`, keeps to `plan.seconds`, and tries the same things
again for the same seed. The tests run each part at its small size (`test_parts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What one part is given.

    `folder` exists and is empty; `study` is a demo study to read or copy, never to write, and None
    where none was named; `seconds` of wall clock are this part's share. A `small` run tries each
    kind of thing at least once and takes one to five seconds. `times`, where it is given, is how
    often a part kills something, however long that takes.
    """

    folder: Path
    study: Path | None
    seconds: float
    small: bool
    seed: int
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A row of the table: how often something was tried, and how often all was as it should be.

    `wrong` says in a sentence or more what was not: all that is needed to do the one again. A row
    with nothing tried says in `what` why not.

    Raises ValueError when the numbers do not fit each other.
    """

    what: str
    tried: int
    right: int
    wrong: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n_wrong = self.tried - self.right
        if n_wrong < 0 or len(self.wrong) > n_wrong or (n_wrong > 0 and not self.wrong):
            raise ValueError(
                f"{self.what}: {self.tried} tried, {self.right} right, {len(self.wrong)} wrong"
            )
