"""Sends what nobody should send, as strangers and as people of every role."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from dashboard.access.gate import MAX_SENT_BYTES
from dashboard.clip_tokens import Purpose
from tests.torture import Count
from tests.torture.access.asking import Answer, Header
from tests.torture.access.expected import Who
from tests.torture.access.hostile import (
    ORIGINS,
    Hostile,
    guesses,
    hosts,
    methods,
    oversized,
    passed_off,
    paths,
    ranges,
)
from tests.torture.access.house import ANOTHERS, HEADER, HOST, THEIRS, House, someone
from tests.torture.access.matrix import Table
from tests.torture.access.page_visit import visited
from tests.torture.access.server import Served
from tests.torture.access.sign_ins import SignIns


def hostile_counts(
    served: Served,
    house: House,
    signed_in: SignIns,
    rng: random.Random,
    *,
    n: int,
    has_pages: bool,
) -> Iterator[Count]:
    """A row for each kind of attack: how many were sent, how many got nothing."""
    table = Table(served, house, signed_in)
    admin, viewer = someone(Who.ADMIN), someone(Who.VIEWER, is_limited=True)
    by_admin, by_viewer = signed_in.headers(admin), signed_in.headers(viewer)
    frame = served.asker.ask("/moments", by_admin).body
    attack = _Attack(served, frame, signed_in.how)
    yield attack.count("paths out of a folder, as a stranger", paths(rng, n), [])
    yield attack.count("paths out of a folder, as an admin", paths(rng, n), by_admin)
    link = table.clip(viewer, house.talks[THEIRS]).removeprefix("/clips/").removesuffix(".mp4")
    yield attack.count("guessed and altered ids", guesses(rng, link, n), by_viewer)
    yield attack.count("names of the host", hosts(HOST, served.asker.port), by_admin)
    passed = passed_off(HEADER, admin.email, HOST)
    yield attack.count("the proxy's header passed off", passed, [])
    theirs = table.clip(viewer, house.talks[ANOTHERS])
    yield attack.count("methods and ways round them", methods(theirs), by_viewer)
    yield attack.count("more than may be sent", oversized(MAX_SENT_BYTES), by_admin)
    own = table.clip(viewer, house.talks[THEIRS], Purpose.DESK)
    yield _pieces(served, own, by_viewer)
    if has_pages:
        yield _other_sites(served, by_admin, signed_in.how)


class _Attack:
    """Counts the hostile requests of one server that got what they should not, or nothing."""

    def __init__(self, served: Served, frame: bytes, how: str) -> None:
        self._served = served
        self._frame = frame
        self._how = how

    def count(self, what: str, several: Iterable[Hostile], headers: list[Header]) -> Count:
        tried, wrong = 0, []
        for one in several:
            tried += 1
            answer = self._answer(one, headers)
            is_given = self._got_something(answer)
            if is_given is not one.is_given and not (one.is_given and answer.is_given):
                wrong.append(f"{one.told}: {answer.status}, {answer.body[:60]!r}")
        # A server that fell over refuses everything.
        if self._served.asker.ask("/_stcore/health").status != 200:
            wrong.append(f"{what}: the server does not answer any more")
            tried += 1
        return Count(f"{self._how}: {what}", tried, tried - len(wrong), tuple(wrong))

    def _answer(self, one: Hostile, headers: list[Header]) -> Answer:
        if one.raw:
            return self._served.asker.send_all(one.raw)
        return self._served.asker.ask(
            one.target, [*headers, *one.sent], method=one.method, body=one.body, source=one.source
        )

    def _got_something(self, answer: Answer) -> bool:
        """The empty frame of the pages and answers without content are nothing; an error of the
        server's own is not as it should be, either."""
        if answer.status >= 500 and answer.status != 501:
            return True
        return answer.is_given and answer.body not in (b"", self._frame)


def _pieces(served: Served, clip: str, headers: list[Header]) -> Count:
    whole = served.asker.ask(clip, headers).body
    tried, wrong = 0, []
    for sent in ranges():
        tried += 1
        answer = served.asker.ask(clip, [*headers, *sent])
        is_right = answer.status in (200, 206, 400, 416) or answer.status == 0
        if not is_right or len(answer.body) > 2 * len(whole) + 1_000:
            wrong.append(f"{sent[0][1][:60]}: {answer.status}, {len(answer.body):,} bytes")
    return Count("pieces of a clip", tried, tried - len(wrong), tuple(wrong))


def _other_sites(served: Served, headers: list[Header], how: str) -> Count:
    """Pages of other sites that open the connection with a person's own sign-in."""
    tried, wrong = 1, []
    if not visited(served.asker, headers).is_let_in:
        wrong.append("the server's own page is not let in")
    for origin in ORIGINS:
        tried += 1
        place = origin.replace("{host}", HOST)
        if visited(served.asker, headers, origin=place).is_let_in:
            wrong.append(f"a page of {place} is let in")
    return Count(f"{how}: connections from other sites", tried, tried - len(wrong), tuple(wrong))
