"""Whoever looks at the dashboard, and why somebody may not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pipeline.access.roles import Person, Role
from pipeline.errors import AccessError

LOCAL_NAME = "local"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who was let in. `is_local`: without sign-in, on the dashboard's own machine."""

    person: Person
    is_local: bool = False

    @property
    def name(self) -> str:
        """What links are bound to and the audit names."""
        return self.person.email

    @property
    def role(self) -> Role:
        return self.person.role

    @property
    def children(self) -> frozenset[str] | None:
        """The children that may be seen; None for all."""
        return self.person.children


LOCAL_VIEWER = Viewer(Person(LOCAL_NAME, Role.ADMIN, None), is_local=True)
"""The one person of a dashboard that only its own machine reaches."""


class Refusal(Enum):
    """Why somebody is not let in; the value is what they are told."""

    SIGNED_OUT = "Sign in to see this."
    UNKNOWN = "This account may not see this study. Ask the person who runs the dashboard."
    IDLE = "You were signed out because nothing was asked for a while. Sign in again."
    CLOSED = (
        "Nobody can be let in now: the file that says who may see what cannot be used. Ask the "
        "person who runs the dashboard."
    )
    ELSEWHERE = "This dashboard is served to its own machine only."
    OTHER_ACCOUNT = "This dashboard is for the account of this machine that started it."
    NOT_PROXY = "This dashboard answers its proxy only."
    WRONG_HOST = "This dashboard goes by another name."
    NOT_HERE = "This is not on a page that you have open."
    NOT_ALLOWED = "Your role does not allow this."


class NotLetInError(AccessError):
    """Nobody is let in with what was sent."""

    def __init__(self, refusal: Refusal, who: str = "") -> None:
        """who: whom a sign-in vouches for, where there is one."""
        super().__init__(refusal.value)
        self.refusal = refusal
        self.who = who
