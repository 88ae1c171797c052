"""What people may do. Every rule of `docs/access.md`'s table is one property here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(str, Enum):
    """What a person is to the study."""

    VIEWER_WITHOUT_MEDIA = "viewer-without-media"
    VIEWER = "viewer"
    RATER = "rater"
    ADMIN = "admin"

    @property
    def opens_pages(self) -> bool:
        """May look at numbers, moments and words, and take tables out."""
        return self is not Role.RATER

    @property
    def sees_media(self) -> bool:
        """May play clips and see pictures on the pages, where a recording's permission allows."""
        return self in (Role.VIEWER, Role.ADMIN)

    @property
    def rates(self) -> bool:
        """May use the rating screen, with an invitation."""
        return self in (Role.RATER, Role.ADMIN)

    @property
    def manages(self) -> bool:
        """May make sets and invite raters, choose thresholds, and read who opened what."""
        return self is Role.ADMIN


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may come in. `children` None is all of the study."""

    email: str
    role: Role
    children: frozenset[str] | None

    def may_see(self, child_id: str) -> bool:
        """Whether this child's recordings are among those the person may see."""
        return self.children is None or child_id in self.children
