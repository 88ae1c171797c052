"""What the listings of earlier withdrawals say about a name, without saying whom they are about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.pending_withdrawal import FOLDER
from pipeline.withdrawal.proof import salted


@dataclass(frozen=True, slots=True)
class _Listing:
    salt: str
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listings:
    """All finished withdrawals of a study.

    `n_unnamed` of them took a child and were written by an older Coview, which did not list the
    child's recordings: whether a recording was one of those cannot be told.
    """

    listings: tuple[_Listing, ...]
    n_unnamed: int

    def withdrawn(self, kind: str, names: Iterable[str]) -> frozenset[str]:
        """Those of `names` (ids of the kind "child" or "recording") that were withdrawn."""
        return frozenset(
            name
            for name in names
            if any(salted(one.salt, kind, name) in one.digests for one in self.listings)
        )


def read_listings(root: Path) -> Listings:
    """The listings below withdrawals/. Raises StoreError for one that cannot be read."""
    found: list[_Listing] = []
    n_unnamed = 0
    for path in sorted((root / FOLDER).glob("*-*.jsonl")):
        try:
            last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
            digests = {str(last["who"]), *(str(one) for one in last.get("recordings", ()))}
            found.append(_Listing(str(last["salt"]), frozenset(digests)))
            n_unnamed += last["withdrawn"] == "child" and "recordings" not in last
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as problem:
            raise StoreError(
                f"The listing {FOLDER}/{path.name} of a withdrawal cannot be read.",
                hint="Put it back from a backup: it says what must not come back.",
            ) from problem
    return Listings(tuple(found), n_unnamed)
