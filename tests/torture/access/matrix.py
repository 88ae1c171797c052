"""Asks for each thing as each person, for each child, and compares with the table."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dashboard.clip_tokens import LIFETIME_S, Purpose
from dashboard.navigation import MomentKey
from pipeline.access.audit import read_lines, verify
from tests.torture import Count
from tests.torture.access import expected
from tests.torture.access.asking import Header
from tests.torture.access.expected import Link, May, Row, Who
from tests.torture.access.house import (
    ANOTHERS,
    PEOPLE,
    THEIRS,
    WITHDRAWN,
    WORDS,
    House,
    Someone,
    someone,
)
from tests.torture.access.page_visit import Page, visited
from tests.torture.access.server import CLIPS, LAB_CLIPS, OLD, TABLE, Served
from tests.torture.access.sign_ins import OidcSignIns, SignIns, as_header

TITLES = {
    **{"": "Overview", "children": "Children", "moments": "Moments", "words": "Words"},
    **{"saved": "Saved", "crops-and-windows": "Crops and windows", "models": "Models"},
    **{"predictors": "Predictors", "sound": "Sound", "quality": "Quality"},
    **{"provenance": "Provenance", "export": "Export"},
}
_WHOLE = {"human-agreement": "Human agreement", "drives": "What drives the score"}
_MANAGED = {"rating": "Rate", "opened": "Who opened what"}
_OF_OTHERS = {ANOTHERS: ("rec02", "rec05"), WITHDRAWN: ("rec03", "rec06")}
MAX_REFUSED_LINES = 400


@dataclass(frozen=True, slots=True)
class Table:
    """A server, its study, and how people come in: what asking needs. Pages are opened until the
    clock (monotonic) is at `until_s`."""

    served: Served
    house: House
    signed_in: SignIns
    until_s: float = float("inf")

    def given(self, one: Someone, target: str, more: list[Header] | None = None) -> bool:
        headers = [*self.signed_in.headers(one), *(more or [])]
        return self.served.asker.ask(target, headers).is_given

    def clip(
        self, one: Someone, moment: MomentKey, purpose: Purpose = Purpose.DESK, *, old_s: int = 0
    ) -> str:
        """The address of a clip, made for somebody some seconds ago."""
        token = self.served.signer.sign(
            moment,
            viewer=one.email,
            lead_ms=0,
            lag_ms=0,
            purpose=purpose,
            now_s=time.time() - old_s,
        )
        return f"/clips/{token}.mp4"

    def export(self, one: Someone, kind: str) -> str:
        """A person's own export; for who can have none, the admin's."""
        known = self.served.exports
        return known.get(one.email, known[someone(Who.ADMIN).email])[kind]

    def expects(self, row: Row, one: Someone, child: str = THEIRS) -> bool:
        """What the table says."""
        may = row.may(one.who)
        if child == WITHDRAWN or may is May.NO:
            return False
        if may is May.FRAME:
            return self.signed_in.how == "oidc"
        if may in (May.THEIRS, May.ALL_CHILDREN):
            return not one.is_limited or (may is May.THEIRS and child == THEIRS)
        return True


Asked = tuple[str, bool, bool]
"""What was asked by whom, what the table says, and what happened."""


def matrix_count(
    served: Served, house: House, signed_in: SignIns, *, until_s: float | None
) -> Iterator[Count]:
    """One row for what had to be handed out and one for what had to be refused.

    until_s: when to stop opening pages (monotonic); None for a server without any.
    """
    has_pages = until_s is not None
    table = Table(served, house, signed_in, until_s or 0.0)
    asked = [*_routes(table), *_children(table), *_rating(table)]
    if has_pages:
        asked += [*_pages(table), *_page_files(table)]
    for is_due, words in ((True, "handed out"), (False, "refused")):
        those = [one for one in asked if one[1] is is_due]
        wrong = tuple(f"{what}: {words} was due" for what, _, got in those if got is not is_due)
        what = f"{signed_in.how}: to be {words}, roles x things x children"
        yield Count(what, len(those), len(those) - len(wrong), wrong)


def _routes(table: Table) -> Iterator[Asked]:
    frame = table.served.asker.ask("/", table.signed_in.headers(someone(Who.ADMIN))).body
    found = re.search(rb"static/[\w/.-]+\.js", frame)
    script = f"/{found.group().decode()}" if found else "/static/js/a.js"
    targets: tuple[tuple[Row, tuple[str, ...]], ...] = (
        (expected.FRAME, ("/", "/moments", "/opened")),
        (expected.STATIC, (script,)),
        (expected.RATING, ("/rate/", "/rate/web/rating.css", "/rate/now")),
        (expected.HEALTH, ("/_stcore/health",)),
        (expected.SETTINGS, ("/_stcore/host-config",)),
        (expected.NUMBERS, ("/_stcore/metrics",)),
        (
            expected.AGENTS,
            ("/_stcore/agent/openapi.json", "/_stcore/script-health-check", "/_stcore/x"),
        ),
    )
    for one in PEOPLE:
        for row, addresses in targets:
            for target in addresses:
                what = f"{one.name} asks for {target}"
                yield what, table.expects(row, one), table.given(one, target)
        for row, kind in (
            *((expected.TABLE, TABLE), (expected.CLIPS, CLIPS), (expected.LAB_CLIPS, LAB_CLIPS)),
        ):
            what = f"{one.name} asks for an export ({kind})"
            yield what, table.expects(row, one), table.given(one, table.export(one, kind))


def _children(table: Table) -> Iterator[Asked]:
    house = table.house
    for one in PEOPLE:
        for child in (THEIRS, ANOTHERS, WITHDRAWN):
            for row, moment, purpose in (
                (expected.CLIP, house.talks[child], Purpose.DESK),
                (expected.CLIP, house.lab[child], Purpose.DESK),
                (expected.TALK, house.talks[child], Purpose.PRESENT),
                (expected.LAB, house.lab[child], Purpose.CONFIRMED),
            ):
                what = f"{one.name} asks for a clip of {child} ({row.what})"
                got = table.given(one, table.clip(one, moment, purpose))
                yield what, table.expects(row, one, child), got
            link = table.clip(one, house.lab[child], Purpose.PRESENT)
            yield (
                f"{one.name} presents a clip of {child} for the lab",
                False,
                table.given(one, link),
            )


def _rating(table: Table) -> Iterator[Asked]:
    """A rater comes with a code; pictures are only of what they are asked now."""
    code = table.house.codes[0]
    rater = someone(Who.RATER)
    entered = table.served.asker.ask(f"/rate/k/{code}", table.signed_in.headers(rater))
    cookie = entered.header("set-cookie").partition(";")[0].split("=", 1)
    if len(cookie) != 2:
        yield "rater enters with a code", True, False
        return

    def with_code(one: Someone) -> list[Header]:
        known = dict(table.signed_in.headers(one))
        mine = f"{cookie[0]}={cookie[1]}"
        known["Cookie"] = f"{known['Cookie']}; {mine}" if "Cookie" in known else mine
        return list(known.items())

    ask = table.served.asker.ask
    screen = ask("/rate/now", with_code(rater)).body.decode()
    found = re.search(r'"trial_id":\s*(\d+)', screen)
    number = int(found.group(1)) if found else 0
    for one in PEOPLE:
        due = table.expects(expected.PICTURE, one)
        for place in (1, 4):
            got = ask(f"/rate/picture/{number}/{place}.jpg", with_code(one)).is_given
            yield f"{one.name} with a rater's code asks for picture {place}", due, got
        for guess in (f"{number + 1}/1", f"{number}/5", f"{number}/0", "0/1"):
            got = ask(f"/rate/picture/{guess}.jpg", with_code(one)).is_given
            yield f"{one.name} with a rater's code guesses {guess}", False, got
        got = ask(f"/rate/picture/{number}/1.jpg", table.signed_in.headers(one)).is_given
        yield f"{one.name} without a code asks for a picture", False, got


def _pages(table: Table) -> Iterator[Asked]:
    """What pages send over their connection; nothing of a child that may not be seen."""
    # Those first from whom most has to be kept.
    for one in sorted(PEOPLE, key=lambda one: (not one.is_limited, one.who is Who.ADMIN)):
        headers = table.signed_in.headers(one)
        hidden = [
            text
            for child, ids in _OF_OTHERS.items()
            if not table.expects(expected.CONTENT, one, child)
            for text in (child, WORDS[child], *ids)
        ]
        rows = ((expected.CONTENT, TITLES), (expected.WHOLE, _WHOLE), (expected.MANAGED, _MANAGED))
        for row, pages in rows:
            for page, title in pages.items():
                if time.monotonic() > table.until_s:
                    break
                seen = visited(table.served.asker, headers, page)
                what = f"{one.name} opens {title}"
                yield what, table.expects(row, one), title in seen.titles
                for text in hidden:
                    yield f"{what} and sees {text}", False, text.encode() in seen.content
        let_in = visited(table.served.asker, headers).is_let_in
        yield f"{one.name} connects", table.expects(expected.STREAM, one), let_in
        for child in (THEIRS, ANOTHERS, WITHDRAWN):
            key = table.house.talks[child]
            query = f"rec={key.recording_id}&utt={key.utterance_id}"
            seen = visited(table.served.asker, headers, "moments", query)
            got = WORDS[child].encode() in seen.content
            what = f"{one.name} opens a moment of {child}"
            yield what, table.expects(expected.CONTENT, one, child), got
            due = table.expects(expected.CLIP, one, child)
            yield f"{what} with its clip", due, got and bool(seen.clips)


def _page_files(table: Table) -> Iterator[Asked]:
    """Files of a page and to a page, while an admin's page and one's own are open."""
    admin = someone(Who.ADMIN)
    asker = table.served.asker
    health = asker.ask("/_stcore/health")
    xsrf = health.header("set-cookie").partition(";")[0].partition("=")[2]
    token = [("X-Xsrftoken", xsrf)]
    with Page(asker, table.signed_in.headers(admin)) as theirs:
        foreign = theirs.run("export")
        for one in PEOPLE:
            headers = table.signed_in.headers(one)
            due_file, due_sent = (
                table.expects(row, one) for row in (expected.FILE, expected.UPLOAD)
            )
            others = one.who is Who.ADMIN
            # A page about the same children holds the same file, under the same name.
            if one.is_limited or one.who not in (Who.BLIND, Who.VIEWER):
                got = table.given(one, foreign.files[0])
                yield f"{one.name} asks for a file of an admin's page", others, got
            yield (
                f"{one.name} sends a file to an admin's page",
                others,
                _sent(table, headers, foreign.session_id, token, xsrf),
            )
            if not visited(asker, headers).is_let_in:
                continue
            with Page(asker, headers) as own:
                seen = own.run("export")
                got = bool(seen.files) and table.given(one, seen.files[0])
                yield f"{one.name} asks for a file of their page", due_file, got
                got = _sent(table, headers, seen.session_id, token, xsrf)
                yield f"{one.name} sends a file to their page", due_sent, got
                if seen.files:
                    yield (
                        f"{one.name} sends without the page's token",
                        False,
                        _sent(table, headers, seen.session_id, [], xsrf),
                    )
    for one in PEOPLE:
        # Whoever takes over a session that another person left gets nothing of theirs.
        with Page(asker, table.signed_in.headers(admin)) as left:
            session_id = left.run("moments").session_id
        seen = visited(asker, table.signed_in.headers(one), "moments", session_id=session_id)
        due = table.expects(expected.CONTENT, one, ANOTHERS)
        got = WORDS[ANOTHERS].encode() in seen.content
        yield f"{one.name} takes over an admin's session", due, got


def _sent(
    table: Table, headers: list[Header], session_id: str, token: list[Header], xsrf: str
) -> bool:
    known = dict(headers)
    mine = f"_streamlit_xsrf={xsrf}"
    known["Cookie"] = f"{known['Cookie']}; {mine}" if "Cookie" in known else mine
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\nx\r\n--b--\r\n'
    )
    kind = ("Content-Type", "multipart/form-data; boundary=b")
    target = f"/_stcore/upload_file/{session_id}/f"
    sent = [*known.items(), *token, kind]
    return table.served.asker.ask(target, sent, method="PUT", body=body).is_given


def link_counts(served: Served, house: House, signed_in: SignIns) -> Iterator[Count]:
    """What becomes of links: others', old, altered, after a change of any kind."""
    table = Table(served, house, signed_in)
    asked = list(_links(table))
    wrong = tuple(f"{what}: should be {due}" for what, due, got in asked if due is not got)
    yield Count(f"{signed_in.how}: links", len(asked), len(asked) - len(wrong), wrong)
    if isinstance(signed_in, OidcSignIns):
        page, query = signed_in.WAS_AT
        wrong = () if signed_in.back == f"/{page}?{query}" else (f"led back to {signed_in.back}",)
        yield Count("oidc: a link survives signing in", 1, 1 - len(wrong), wrong)


def _links(table: Table) -> Iterator[Asked]:
    one, other = someone(Who.VIEWER), someone(Who.ADMIN)
    house, how = table.house, table.signed_in.how
    moment = house.talks[THEIRS]

    def both(
        link: Link, clip: str, export: str, headers: list[Header] | None = None
    ) -> Iterator[Asked]:
        due = expected.LINKS[link] is May.YES
        sent = table.signed_in.headers(one) if headers is None else headers
        for target in filter(None, (clip, export)):
            got = table.served.asker.ask(target, sent).is_given
            yield f"{target[:9]} {link.value}", due, got

    clip, export = table.clip(one, moment), table.export(one, TABLE)
    yield from both(Link.OWN, clip, export)
    yield from both(Link.OTHERS, table.clip(other, moment), table.export(other, TABLE))
    old = table.clip(one, moment, old_s=LIFETIME_S + 2)
    yield from both(Link.OLD, old, table.export(one, OLD))
    yield from both(Link.ALTERED, clip.replace("/clips/", "/clips/A"), export[:-15] + "x/file.zip")
    gone = house.talks[WITHDRAWN]
    yield from both(Link.WITHDRAWN, table.clip(one, gone), "")
    if isinstance(table.signed_in, OidcSignIns):
        long_ago = table.signed_in.long_ago(one.email)
        yield from both(Link.AWAY, clip, export, long_ago)
        again = as_header(table.signed_in.signed_in(table.served, one.email))
        yield from both(Link.OWN, clip, export, again)
        table.served.asker.ask("/auth/logout", again)
        yield from both(Link.SIGNED_OUT, clip, export, again)
    house.permit(moment.recording_id, "scores_only")
    yield from both(Link.STRICTER, clip, "")
    house.permit(moment.recording_id, "excerpts")
    house.let_in(how, without=one.email)
    yield from both(Link.REMOVED, clip, export)
    house.let_in(how, {one.email: "viewer-without-media"})
    yield from both(Link.LESS, clip, table.export(one, CLIPS))
    house.let_in(how, {one.email: "rater"})
    yield from both(Link.LESS, clip, export)
    house.let_in(how)
    yield from both(Link.OWN, clip, export)


def record_count(house: House) -> Count:
    """The audit after all of it: whole, without words, and with few lines about refusals."""
    lines = [line.opened for line in read_lines(house.root)]
    n_refused = sum(line.what == "refused" for line in lines)
    said = [path for path in (house.root / "audit").rglob("*") if _names_words(path)]
    checks: dict[str, Callable[[], bool]] = {
        "the chain does not hold": lambda: verify(house.root).holds,
        f"{n_refused} lines about refusals": lambda: 0 < n_refused <= MAX_REFUSED_LINES,
        f"words in {said}": lambda: not said,
        "nothing that was opened": lambda: any(line.what == "clip" for line in lines),
        "nothing that a rater saw": lambda: any(line.what == "picture" for line in lines),
    }
    wrong = tuple(words for words, holds in checks.items() if not holds())
    what = f"audit: whole, wordless, short ({len(lines)} lines, {n_refused} about refusals)"
    return Count(what, len(checks), len(checks) - len(wrong), wrong)


def _names_words(path: Path) -> bool:
    return path.is_file() and any(word.encode() in path.read_bytes() for word in WORDS.values())
