"""The tables of docs/access.md are those that `make torture` compares a server with."""

from __future__ import annotations

from tests.torture.access.expected import DOC, LINKS, ROWS, Link, May, Who, written
from tests.torture.access.hostile import oversized, passed_off


def test_the_docs_have_the_table_that_servers_are_compared_with() -> None:
    text = DOC.read_text(encoding="utf-8")
    assert written(text) == text


def test_nobody_who_is_not_in_the_file_gets_anything_of_a_study() -> None:
    given = {
        row.what for row in ROWS for who in (Who.NOBODY, Who.STRANGER) if row.may(who) is May.YES
    }
    assert given == {"Whether the server runs"}
    assert [link for link, may in LINKS.items() if may is May.YES] == [Link.OWN]


def test_the_largest_request_is_larger_than_what_may_be_sent() -> None:
    assert max(len(one.body) for one in oversized(1_000_000)) > 1_000_000
    sources = {one.source for one in passed_off("X-User", "pi@example.org", "host")}
    assert {"127.0.0.1", "127.0.0.2"} <= sources
