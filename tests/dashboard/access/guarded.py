"""A server like the dashboard's with sign-in, on a study of two children, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.access.door import Door
from dashboard.access.gate import Gate
from dashboard.access.way_back import WaysBack
from dashboard.clip_tokens import TokenSigner
from dashboard.export_desk import ExportDesk, export_routes
from dashboard.figure_scripts import figure_routes
from dashboard.navigation import MomentKey
from dashboard.rating.routes import rating_routes
from dashboard.server import clip_routes
from pipeline.access.audit import AuditLine, read_lines
from pipeline.access.refusals import RefusalLog
from tests.factories import write_synthetic_study
from tests.media.recordings import record

HEADER = "X-Forwarded-Email"
HOST = "coview.example.org"
PEOPLE = {
    "blind@example.org": ("viewer-without-media", ["C01"]),
    "seer@example.org": ("viewer", ["C01"]),
    "all@example.org": ("viewer", "all"),
    "rater@example.org": ("rater", "all"),
    "pi@example.org": ("admin", "all"),
}
SIGNER = TokenSigner(b"a secret for tests only")


def access_text(how: str = "proxy", **roles: str) -> str:
    """access.toml with PEOPLE; `roles` change some by their first name."""
    extra = f'header = "{HEADER}"\nproxies = ["127.0.0.1"]\n' if how == "proxy" else ""
    parts = [f'[sign_in]\nhow = "{how}"\nhosts = ["{HOST}"]\n{extra}']
    for email, (role, children) in PEOPLE.items():
        role = roles.get(email.partition("@")[0], role)
        children = "all" if role == "admin" else children
        parts.append(f'[users."{email}"]\nrole = "{role}"\nchildren = {json.dumps(children)}\n')
    return "\n".join(parts)


def guarded_study(root: Path) -> Path:
    """A study of the children C01 (rec01) and C02 (rec02) that may be played, with sign-in."""
    store = write_synthetic_study(root, n_children=2, n_recordings=2, n_utterances=40)
    with duckdb.connect(str(store)) as con:
        con.execute("UPDATE recordings SET permission = 'media'")
        con.execute("UPDATE utterances SET onset_ms = 2000, offset_ms = 3000")
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True)
    for name in ("rec01", "rec02"):
        record(raw / f"{name}.mp4", seconds=6)
    (root / "access.toml").write_text(access_text())
    return root


def moment_of(root: Path, recording_id: str) -> MomentKey:
    """A moment of a recording."""
    path = root / "derived/stores/store-synthetic.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        row = con.execute(
            "SELECT min(utterance_id) FROM utterances WHERE recording_id = ?", [recording_id]
        ).fetchone()
    assert row is not None
    return MomentKey(recording_id, row[0])


class Server:
    """The routes of the dashboard behind its gate, and a clock that tests turn."""

    def __init__(self, root: Path, now_s: Callable[[], float]) -> None:
        self.root = root
        self.door = Door(lambda: root, now_s)
        self.desk = ExportDesk()
        self.refusals = RefusalLog(lambda: root, now_s)
        self.ways_back = WaysBack(now_s)
        frame = Route("/{path:path}", _frame, methods=["GET", "POST"])
        self.app = Starlette(
            routes=[
                *rating_routes(lambda: root, refusals=self.refusals),
                *clip_routes(lambda: root, SIGNER, door=self.door, refusals=self.refusals),
                *figure_routes(),
                *export_routes(self.door, self.refusals, "", self.desk),
                frame,
            ],
            middleware=[
                Middleware(Gate, door=self.door, refusals=self.refusals, ways_back=self.ways_back)
            ],
        )

    def client(
        self, email: str = "", *, peer: str = "127.0.0.1", host: str = HOST, cookies: str = ""
    ) -> TestClient:
        """A browser, through the proxy when it has an e-mail address."""
        headers = {HEADER: email} if email else {}
        headers |= {"Cookie": cookies} if cookies else {}
        return TestClient(
            self.app,
            base_url=f"http://{host}",
            headers=headers,
            client=(peer, 50_000),
            follow_redirects=False,
        )

    def link(self, email: str, recording_id: str) -> str:
        """A link to a clip, made for somebody."""
        moment = moment_of(self.root, recording_id)
        return f"/clips/{SIGNER.sign(moment, viewer=email, lead_ms=0, lag_ms=0)}.mp4"

    def lines(self) -> list[AuditLine]:
        return list(read_lines(self.root))


def _frame(request: Request) -> PlainTextResponse:
    """Stands for Streamlit's page and what it serves itself."""
    return PlainTextResponse("frame")


def cookie_of(claims: dict[str, object]) -> str:
    """The cookie header that st.login leaves for these claims."""
    from streamlit.auth_util import set_cookie_with_chunks
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    made: dict[str, str] = {}

    def sign(name: str, value: str) -> bytes:
        return create_signed_value(get_cookie_secret(), name, value)

    def keep(name: str, value: str) -> None:
        made[name] = sign(name, value).decode()

    set_cookie_with_chunks(keep, sign, "_streamlit_user", claims, cookie_attr_size=80)
    return "; ".join(f"{name}={value}" for name, value in made.items())


def files_under(root: Path) -> Iterator[bytes]:
    """What lies in the record of what was opened."""
    for path in (root / "audit").glob("opened-*"):
        yield path.read_bytes()
