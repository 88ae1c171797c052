"""How people come in: by the header of a trusted proxy, or by a provider on this machine."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from tests.browser.provider import CLIENT_ID, Provider, serving_provider
from tests.torture.access.asking import Answer, Header
from tests.torture.access.house import HEADER, HOST, PEOPLE, House, Someone
from tests.torture.access.page_visit import Page
from tests.torture.access.server import Served

IDLE_S = 31 * 60


class SignIns(Protocol):
    """Headers by which a server knows who asks."""

    @property
    def how(self) -> str:
        """As access.toml calls it."""
        ...

    def begin(self, served: Served) -> None:
        """Sign everybody in."""

    def headers(self, one: Someone) -> list[Header]:
        """What this person's browser or proxy sends."""
        ...


@dataclass(frozen=True, slots=True)
class ProxySignIns:
    """A proxy on this machine that names who asks."""

    how: str = "proxy"

    def begin(self, served: Served) -> None:
        """Nothing to do: the proxy says it with each request."""

    def headers(self, one: Someone) -> list[Header]:
        return [(HEADER, one.email)] if one.email else []


Cookies = dict[str, str]


@dataclass
class OidcSignIns:
    """Everybody's cookies after a sign-in at the provider. `back` is where a browser was led that
    had been at `WAS_AT` before."""

    provider: Provider
    port: int
    secret: str
    how: str = "oidc"
    back: str = ""
    _cookies: dict[str, Cookies] = field(default_factory=dict)

    WAS_AT = ("moments", "rec=rec01&utt=a%26b")

    @classmethod
    @contextmanager
    def at(cls, house: House) -> Iterator[OidcSignIns]:
        """A provider, and the study's secrets for it and a free port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        with serving_provider() as provider:
            secret = secrets.token_hex(24)
            values = {
                "redirect_uri": f"http://{HOST}:{port}/oauth2callback",
                "cookie_secret": secret,
                "client_id": CLIENT_ID,
                "client_secret": "secret",
                "server_metadata_url": f"{provider.address}/.well-known/openid-configuration",
            }
            folder = house.root / ".streamlit"
            folder.mkdir(exist_ok=True)
            path = folder / "secrets.toml"
            path.touch(mode=0o600)
            lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
            path.write_text("\n".join(["[auth]", *lines]), encoding="utf-8")
            yield cls(provider, port, secret)

    def begin(self, served: Served) -> None:
        for one in PEOPLE:
            if one.email:
                self._cookies[one.email] = self.signed_in(served, one.email)

    def headers(self, one: Someone) -> list[Header]:
        return as_header(self._cookies.get(one.email, {}))

    def signed_in(self, served: Served, email: str) -> Cookies:
        """The cookies of a browser that signs in from a page: button, provider, and back."""
        page, query = self.WAS_AT
        cookies: Cookies = {}
        _keep(cookies, served.asker.ask(f"/{page}?{query}"))
        with Page(served.asker, as_header(cookies)) as opened:
            button = opened.run(page, query).buttons["Sign in"]
            redirect = opened.run(page, query, click=button).redirect
        to_provider = served.asker.ask(redirect, as_header(cookies))
        _keep(cookies, to_provider)
        asked = urlsplit(to_provider.header("location"))
        self.provider.email = email
        home = urlsplit(
            self.provider.authorize({name: one[0] for name, one in parse_qs(asked.query).items()})
        )
        last = served.asker.ask(f"{home.path}?{home.query}", as_header(cookies))
        _keep(cookies, last)
        self.back = last.header("location")
        return cookies

    def long_ago(self, email: str) -> list[Header]:
        """The cookie of a sign-in that was not used for longer than somebody may be away."""
        from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

        name = "_streamlit_user"
        claims = {"is_logged_in": True, "email": email, "iat": time.time() - IDLE_S}
        signed = create_signed_value(self.secret, name, json.dumps(claims))
        return as_header({name: signed.decode()})


def as_header(cookies: Cookies) -> list[Header]:
    if not cookies:
        return []
    return [("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))]


def _keep(cookies: Cookies, answer: Answer) -> None:
    for text in answer.all_of("set-cookie"):
        name, _, rest = text.partition("=")
        value = rest.partition(";")[0].strip('"')
        if value and "Max-Age=0" not in text:
            cookies[name.strip()] = value
        else:
            cookies.pop(name.strip(), None)
