"""access.toml: what it may say, and how it refuses what is unclear."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.access.binding import checked_access, is_loopback
from pipeline.access.roles import Role
from pipeline.access.table import Access, SignIn, read_access
from pipeline.errors import AccessError

GOOD = """
[sign_in]
how = "proxy"
header = "X-Forwarded-Email"
proxies = ["10.0.0.5", "::1"]
hosts = ["coview.example.org"]
idle_minutes = 10

[users."Pi@example.org"]
role = "admin"
children = "all"

[users."ra@example.org"]
role = "viewer"
children = ["C01", "C02"]
"""


def read(folder: Path, text: str) -> Access:
    path = folder / "access.toml"
    path.write_text(text, encoding="utf-8")
    return read_access(path)


def test_the_file_says_who_may_see_which_children(tmp_path: Path):
    access = read(tmp_path, GOOD)
    assert (access.sign_in, access.header, access.idle_minutes) == (
        SignIn.PROXY,
        "X-Forwarded-Email",
        10,
    )
    assert access.proxies == {"10.0.0.5", "::1"}
    admin, viewer = access.person("pi@EXAMPLE.org "), access.person("ra@example.org")
    assert admin is not None
    assert viewer is not None
    assert (admin.role, admin.children) == (Role.ADMIN, None)
    assert viewer.children == {"C01", "C02"}
    assert viewer.may_see("C01")
    assert not viewer.may_see("C03")
    assert access.person("stranger@example.org") is None
    assert access.person("") is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('how = "proxy"', 'how = "none"', "sign_in.how is 'none'"),
        ('header = "X-Forwarded-Email"\n', "", "sign_in.header is ''"),
        ('header = "X-Forwarded-Email"', 'header = "a b"', "sign_in.header is 'a b'"),
        ('proxies = ["10.0.0.5", "::1"]', "", "sign_in.proxies names no address"),
        ('"10.0.0.5"', '"proxy.example.org"', "which is no address"),
        ('hosts = ["coview.example.org"]', "", "sign_in.hosts names nothing"),
        ("idle_minutes = 10", "idle_minutes = 0", "sign_in.idle_minutes is 0"),
        ("idle_minutes = 10", "idle_minutes = true", "sign_in.idle_minutes is True"),
        ("idle_minutes = 10", 'providers = ["a b"]', "sign_in.providers names 'a b'"),
        ("idle_minutes = 10", 'providers = ["login.example.org"]', "belongs to how"),
        ("idle_minutes = 10", 'accounts = ["no such account"]', "sign_in.accounts"),
        ("idle_minutes = 10", "accounts = 0", "sign_in.accounts"),
        ("idle_minutes", "idle_minuts", "unknown sign_in.idle_minuts"),
        ('role = "viewer"', 'role = "boss"', "The role of ra@example.org is 'boss'"),
        ('role = "viewer"', "", "The role of ra@example.org is None"),
        ('children = ["C01", "C02"]', "", "ra@example.org has no children"),
        ('children = ["C01", "C02"]', "children = []", "list of children of ra@example.org is em"),
        ('children = ["C01", "C02"]', 'children = "C01"', "children of ra@example.org is 'C01'"),
        ('children = "all"', 'children = ["C01"]', "an admin or a rater with a list"),
        ('role = "viewer"', 'role = "rater"', "ra@example.org is an admin or a rater with a list"),
        ('"ra@example.org"', '"PI@example.org"', "is in access.toml twice"),
        ('"ra@example.org"', '"ra"', "'ra' is no e-mail address"),
        ("[sign_in]", "[signin]", "unknown signin"),
        ("[sign_in]", "[sign_in", "no valid TOML"),
    ],
)
def test_what_is_unclear_lets_nobody_in(tmp_path: Path, old: str, new: str, words: str):
    assert old in GOOD
    with pytest.raises(AccessError) as problem:
        read(tmp_path, GOOD.replace(old, new))
    assert words in problem.value.message
    assert problem.value.hint


def test_a_missing_or_unreadable_file_is_an_error(tmp_path: Path):
    with pytest.raises(AccessError, match=r"There is no access\.toml"):
        read_access(tmp_path / "access.toml")
    (tmp_path / "access.toml").write_bytes(b"\xff\xfe[sign_in]")
    with pytest.raises(AccessError, match="cannot be read"):
        read_access(tmp_path / "access.toml")
    (tmp_path / "access.toml").write_text("x = '" + "y" * 1_000_001 + "'")
    with pytest.raises(AccessError, match="larger than 1 MB"):
        read_access(tmp_path / "access.toml")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "::ffff:127.0.0.1"])
def test_the_machines_own_addresses_need_no_sign_in(tmp_path: Path, host: str):
    assert is_loopback(host)
    assert checked_access(tmp_path, host) is None


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.5", "coview.example.org"])
def test_elsewhere_nothing_is_served_without_sign_in(tmp_path: Path, host: str):
    assert not is_loopback(host)
    with pytest.raises(AccessError, match=r"not served on .* no access\.toml"):
        checked_access(tmp_path, host)
    (tmp_path / "access.toml").write_text("")
    with pytest.raises(AccessError, match=r"no part \[sign_in\]"):
        checked_access(tmp_path, host)
    (tmp_path / "access.toml").write_text(GOOD)
    access = checked_access(tmp_path, host)
    assert access is not None
    assert access.sign_in is SignIn.PROXY
