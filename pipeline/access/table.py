"""The file access.toml of a study: how people sign in, who they are, and what they may see."""

from __future__ import annotations

import difflib
import ipaddress
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pipeline.access.roles import Person, Role
from pipeline.errors import AccessError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "access.toml"
_DEFAULT_IDLE_MINUTES = 30
_MAX_IDLE_MINUTES = 24 * 60
_MAX_BYTES = 1_000_000
_EMAIL = re.compile(r"[^\s@\"']{1,64}@[^\s@\"']{1,190}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,63}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252})")
_SEE = "docs/access.md shows the whole file."


class SignIn(str, Enum):
    """How the dashboard knows who asks."""

    OIDC = "oidc"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class Access:
    """What access.toml says.

    `header`, `proxies` and `accounts` (numbers of the accounts of this machine that may pass for a
    proxy; None for all) are for SignIn.PROXY alone, `providers` (computers that may be asked who
    signs in, beside the one that secrets.toml names) for SignIn.OIDC.
    """

    sign_in: SignIn
    people: Mapping[str, Person]
    hosts: tuple[str, ...] = ()
    idle_minutes: int = _DEFAULT_IDLE_MINUTES
    header: str = ""
    proxies: frozenset[str] = field(default_factory=frozenset)
    providers: tuple[str, ...] = ()
    accounts: frozenset[int] | None = None

    def person(self, email: str) -> Person | None:
        """Who has this address, whatever its capitals; None for a stranger."""
        return self.people.get(_key(email.strip()))


def access_path(study_root: Path) -> Path:
    return study_root / FILE_NAME


def read_access(path: Path) -> Access:
    """What the file says.

    Raises AccessError for a file that is missing, unreadable, or says anything unclear: then
    nobody may come in.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise AccessError(f"{path.name} is larger than 1 MB.", hint=_SEE)
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise AccessError(f"There is no {path.name} in the study.", hint=_SEE) from problem
    except (OSError, UnicodeDecodeError) as problem:
        raise AccessError(f"{path.name} cannot be read.", hint=_SEE) from problem
    except tomllib.TOMLDecodeError as problem:
        raise AccessError(f"{path.name} is no valid TOML: {problem}.", hint=_SEE) from problem
    _known_keys(content, ("sign_in", "users"), "")
    sign_in, users = content.get("sign_in"), content.get("users")
    if not isinstance(sign_in, dict):
        raise AccessError(f"{path.name} has no part [sign_in].", hint=_SEE)
    if not isinstance(users, dict) or not users:
        raise AccessError(f'{path.name} names nobody: it has no [users."NAME@PLACE"].', hint=_SEE)
    people: dict[str, Person] = {}
    for email, values in users.items():
        person = _person(email, values)
        if person.email in people:
            raise AccessError(f"{email} is in {path.name} twice.", hint="Keep one of them.")
        people[person.email] = person
    return _with_sign_in(sign_in, people)


def _with_sign_in(values: dict[str, object], people: dict[str, Person]) -> Access:
    known = ("how", "hosts", "idle_minutes", "header", "proxies", "providers", "accounts")
    _known_keys(values, known, "sign_in.")
    try:
        how = SignIn(str(values.get("how", "")))
    except ValueError:
        raise AccessError(
            f"sign_in.how is {values.get('how')!r}.", hint='Choose "oidc" or "proxy".'
        ) from None
    idle = values.get("idle_minutes", _DEFAULT_IDLE_MINUTES)
    if isinstance(idle, bool) or not isinstance(idle, int) or not 1 <= idle <= _MAX_IDLE_MINUTES:
        raise AccessError(
            f"sign_in.idle_minutes is {idle!r}.", hint=f"Choose 1 to {_MAX_IDLE_MINUTES}."
        )
    hosts = _texts(values.get("hosts", []), "sign_in.hosts")
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise AccessError(
                f"sign_in.hosts names {host!r}.",
                hint="Name the dashboard as browsers call it, such as coview.example.org.",
            )
    if not hosts:
        raise AccessError(
            "sign_in.hosts names nothing.",
            hint='Name the dashboard as browsers call it: hosts = ["coview.example.org"].',
        )
    header = values.get("header", "")
    proxies = _texts(values.get("proxies", []), "sign_in.proxies")
    providers = _texts(values.get("providers", []), "sign_in.providers")
    for provider in providers:
        if not _HOST.fullmatch(provider):
            raise AccessError(
                f"sign_in.providers names {provider!r}.",
                hint="Name computers only, such as login.example.org.",
            )
    if how is SignIn.OIDC:
        if header or proxies or "accounts" in values:
            raise AccessError(
                'sign_in.header, sign_in.proxies and sign_in.accounts belong to how = "proxy".',
                hint="Take them out, or sign in through the proxy.",
            )
        return Access(how, people, hosts, idle, providers=providers)
    if providers:
        raise AccessError('sign_in.providers belongs to how = "oidc".', hint="Take it out.")
    if not isinstance(header, str) or not _HEADER.fullmatch(header):
        raise AccessError(
            f"sign_in.header is {header!r}.",
            hint='Name the header in which the proxy says who asks: header = "X-Forwarded-Email".',
        )
    if not proxies:
        raise AccessError(
            "sign_in.proxies names no address.",
            hint='Name the machines whose header is believed: proxies = ["127.0.0.1"].',
        )
    return Access(
        how,
        people,
        hosts,
        idle,
        header,
        frozenset(_address(p) for p in proxies),
        accounts=_accounts(values["accounts"]) if "accounts" in values else None,
    )


def _person(email: str, values: object) -> Person:
    if not _EMAIL.fullmatch(email):
        raise AccessError(
            f"{email!r} is no e-mail address.", hint='Write [users."NAME@PLACE"], with the quotes.'
        )
    if not isinstance(values, dict):
        raise AccessError(f"{email} has no role.", hint=_SEE)
    _known_keys(values, ("role", "children"), f"{email}: ")
    roles = ", ".join(role.value for role in Role)
    try:
        role = Role(values.get("role"))
    except ValueError:
        raise AccessError(
            f"The role of {email} is {values.get('role')!r}.", hint=f"Choose one of: {roles}."
        ) from None
    if "children" not in values:
        raise AccessError(
            f"{email} has no children.",
            hint='Write children = "all", or the ones they may see: children = ["C01", "C02"].',
        )
    if values["children"] == "all":
        return Person(_key(email), role, None)
    children = _texts(values["children"], f"children of {email}")
    if not children:
        raise AccessError(
            f"The list of children of {email} is empty.",
            hint="Name at least one child, or take the person out of the file.",
        )
    if role in (Role.ADMIN, Role.RATER):
        # A set of trials mixes children: what a rater sees is decided by who makes and shares it.
        raise AccessError(
            f"{email} is an admin or a rater with a list of children.",
            hint='Write children = "all": an admin sees all, a rater the sets they are invited to.',
        )
    return Person(_key(email), role, frozenset(children))


def _key(email: str) -> str:
    """Under which an address is known: capitals make no difference, but letters that only look
    alike do (the Kelvin sign folds to a k)."""
    return email.casefold() if email.isascii() else email


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise AccessError(f"{name} is {value!r}.", hint='Write a list of texts: ["A", "B"].')
    return tuple(value)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise AccessError(
            f"sign_in.proxies names {text!r}, which is no address.",
            hint='Write numbers, such as "10.0.0.5" or "::1".',
        ) from None


def _accounts(value: object) -> frozenset[int]:
    """Numbers of the accounts of this machine that are named."""
    names = _texts(value, "sign_in.accounts")
    if not sys.platform.startswith("linux"):
        raise AccessError(
            "sign_in.accounts can be told apart on Linux only.",
            hint="Take it out, and give nobody else an account on this machine.",
        )
    import pwd

    try:
        return frozenset(pwd.getpwnam(name).pw_uid for name in names)
    except KeyError as problem:
        raise AccessError(
            f"sign_in.accounts names an account that this machine has not: {problem.args[0]}.",
            hint='Name the one that the web server runs under: accounts = ["www-data"].',
        ) from None


def _known_keys(values: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            raise AccessError(f"{FILE_NAME} has an unknown {where}{key}.", hint=hint)
