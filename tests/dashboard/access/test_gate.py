"""Who gets past the gate and what the routes behind it hand to whom."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dashboard.access.gate import MAX_SENT_BYTES
from dashboard.access.viewer import Viewer
from pipeline.access.audit import verify
from tests.dashboard.access.guarded import (
    HOST,
    PEOPLE,
    Server,
    access_text,
    cookie_of,
    guarded_study,
    moment_of,
)


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    return guarded_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(study: Path, clock: Clock) -> Iterator[Server]:
    (study / "access.toml").write_text(access_text())
    yield Server(study, clock)
    (study / "access.toml").write_text(access_text())


# As in the table of docs/access.md: what each may get; C01 is their child, C02 another.
MAY = {
    "blind@example.org": {"page", "script", "table export"},
    "seer@example.org": {"page", "script", "table export", "clip C01", "clip export"},
    "all@example.org": {
        *("page", "script", "table export", "clip C01", "clip C02", "clip export"),
    },
    "rater@example.org": {"page", "script", "rating"},
    "pi@example.org": {
        *("page", "script", "table export", "clip C01", "clip C02", "clip export", "rating"),
    },
}
ROUTES = ("page", "script", "table export", "clip export", "clip C01", "clip C02", "rating")


def ask(server: Server, email: str, route: str) -> int:
    """The status that somebody gets who asks for their own link to a thing."""
    client = server.client(email)
    if route.startswith("clip C"):
        return client.get(server.link(email, f"rec0{route[-1]}")).status_code
    if route.endswith("export"):
        access = server.door.access()
        person = None if access is None else access.person(email)
        assert person is not None
        path = server.desk.new_folder(server.root) / "file.zip"
        path.write_bytes(b"zip")
        what = "clips of playlist meeting" if route == "clip export" else "utterances: all"
        ready = server.desk.offer(path, what, 1, Viewer(person))
        return client.get(ready.address).status_code
    address = {
        "page": "/moments",
        "script": "/figure-scripts/x.js",
        "rating": "/rate/",
    }[route]
    return client.get(address).status_code


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("email", PEOPLE)
def test_each_role_gets_what_the_table_says_and_nothing_else(
    server: Server, email: str, route: str
):
    status = ask(server, email, route)
    if route in MAY[email]:
        assert status == 200
    else:
        assert status in (403, 404)


@pytest.mark.parametrize("path", ["/media/x.jpg", "/exports/a/b.zip", "/rate/now", "/clips/x.mp4"])
def test_nobody_gets_anything_without_signing_in(server: Server, path: str):
    for client in (server.client(), server.client("stranger@example.org")):
        answer = client.get(path)
        assert answer.status_code in (401, 403)
        assert answer.headers["cache-control"] == "private, no-store"
    assert server.client().get("/_stcore/health").status_code == 200
    assert server.client().get("/moments").status_code == 401


def test_the_header_is_believed_from_the_proxy_alone_and_once(server: Server):
    assert server.client("pi@example.org").get("/moments").status_code == 200
    for peer in ("10.0.0.9", "testclient", "::ffff:10.0.0.9", ""):
        answer = server.client("pi@example.org", peer=peer).get("/moments")
        assert (answer.status_code, answer.text) == (
            403,
            "This dashboard answers its proxy only.",
        )
    assert server.client("pi@example.org", peer="::ffff:127.0.0.1").get("/x").status_code == 200
    twice = server.client().get(
        "/moments",
        headers=[
            ("X-Forwarded-Email", "pi@example.org"),
            ("X-Forwarded-Email", "seer@example.org"),
        ],
    )
    assert twice.status_code == 403


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1", "coview.example.org.evil", ""])
def test_other_names_of_the_machine_are_refused(server: Server, host: str):
    client = server.client("pi@example.org")
    answer = client.get("/moments", headers={"Host": host})
    assert answer.status_code == 403
    assert client.get("/moments", headers={"Host": f"{HOST}:8501"}).status_code == 200


def test_a_page_elsewhere_cannot_open_the_stream(server: Server):
    client = server.client("pi@example.org")
    for origin in ("https://evil.example.org", "http://localhost:3000", "null"):
        with (
            pytest.raises(Exception, match=r"1008|WebSocketDisconnect|") as refused,
            client.websocket_connect("/_stcore/stream", headers={"Origin": origin}),
        ):
            pass
        assert getattr(refused.value, "code", None) == 1008


def test_a_clips_link_is_of_no_use_to_another_person(server: Server):
    link = server.link("all@example.org", "rec01")
    assert server.client("all@example.org").get(link).status_code == 200
    for email in ("seer@example.org", "pi@example.org", "blind@example.org"):
        assert server.client(email).get(link).status_code == 403
    assert server.client().get(link).status_code == 401


def test_an_export_is_of_no_use_to_another_person_or_after_a_change(server: Server, study: Path):
    access = server.door.access()
    assert access is not None
    person = access.person("all@example.org")
    assert person is not None
    path = server.desk.new_folder(study) / "file.zip"
    path.write_bytes(b"zip")
    ready = server.desk.offer(path, "utterances: the word secret", 7, Viewer(person))
    assert server.client("pi@example.org").get(ready.address).status_code == 404
    assert server.client("all@example.org").get(ready.address).status_code == 200
    text = access_text().replace(
        'role = "viewer"\nchildren = "all"', 'role = "viewer"\nchildren = ["C01"]'
    )
    (study / "access.toml").write_text(text)
    assert server.client("all@example.org").get(ready.address).status_code == 403
    assert b"secret" not in (study / "audit/opened-0001.jsonl").read_bytes()


def test_a_change_of_the_file_counts_at_once(server: Server, study: Path):
    client, link = server.client("seer@example.org"), server.link("seer@example.org", "rec01")
    assert client.get(link).status_code == 200
    (study / "access.toml").write_text(access_text(seer="viewer-without-media"))
    assert client.get(link).status_code == 403
    (study / "access.toml").write_text(access_text().replace("seer@", "gone@"))
    assert client.get(link).status_code == 403
    assert client.get("/moments").status_code == 403


def test_a_file_that_is_damaged_or_gone_shuts_the_dashboard(server: Server, study: Path):
    client = server.client("pi@example.org")
    assert client.get("/moments").status_code == 200
    for break_it in (
        lambda path: path.write_text("[sign_in"),
        lambda path: path.unlink(),
        lambda path: path.symlink_to("nowhere"),
    ):
        break_it(study / "access.toml")
        for address in ("/moments", "/", server.link("pi@example.org", "rec01"), "/rate/"):
            assert client.get(address).status_code == 503
    (study / "access.toml").unlink()


def test_without_the_file_only_the_machine_itself_is_served(tmp_path: Path, clock: Clock):
    (tmp_path / "study").mkdir()
    server = Server(tmp_path / "study", clock)
    assert server.client(host="127.0.0.1").get("/moments").status_code == 200
    for peer in ("10.0.0.9", "", "testclient"):
        answer = server.client(peer=peer).get("/moments")
        assert (answer.status_code, answer.text) == (
            403,
            "This dashboard is served to its own machine only.",
        )


def sign_in(clock: Clock, email: str = "seer@example.org", **claims: object) -> str:
    known = {"is_logged_in": True, "email": email, "iat": clock.now_s, "origin": f"http://{HOST}"}
    return cookie_of({**known, **claims})


@pytest.fixture
def oidc(server: Server, study: Path) -> Server:
    (study / "access.toml").write_text(access_text("oidc"))
    return server


def clip(client: TestClient, server: Server, email: str = "seer@example.org") -> int:
    return client.get(server.link(email, "rec01")).status_code


def test_a_cookie_of_streamlits_login_lets_in(oidc: Server, clock: Clock):
    assert clip(oidc.client(cookies=sign_in(clock)), oidc) == 200
    # Random, because the cookie is compressed.
    large = sign_in(clock, groups=[secrets.token_hex(20) for _ in range(200)])
    assert "_streamlit_user_1=" in large
    assert clip(oidc.client(cookies=large), oidc) == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"is_logged_in": False},
        {"is_logged_in": 1},
        {"email": None},
        {"email": "stranger@example.org"},
        {"email_verified": False},
        {"iat": None},
        {"iat": True},
        {"iat": 1_000_000_000},
    ],
)
def test_a_sign_in_that_is_not_whole_lets_nobody_in(oidc: Server, clock: Clock, claims):
    assert clip(oidc.client(cookies=sign_in(clock, **claims)), oidc) in (401, 403)


def test_a_forged_cookie_or_header_lets_nobody_in(oidc: Server, clock: Clock):
    good = sign_in(clock)
    for cookie in (good[:-4] + "AAAA", "_streamlit_user=x", '_streamlit_user="{}"', good[:60]):
        assert clip(oidc.client(cookies=cookie), oidc) == 401
    assert clip(oidc.client("pi@example.org"), oidc, "pi@example.org") == 401


def test_the_way_to_sign_in_is_open_and_nothing_else(oidc: Server):
    client = oidc.client()
    for path in ("/", "/moments", "/auth/login", "/oauth2callback", "/static/js/a.js"):
        assert client.get(path).status_code == 200
    for path in ("/moments/_stcore/health", "/_stcore/host-config"):
        assert client.get(path).status_code == 200
    for path in (
        *("/_stcore/metrics", "/_stcore/agent/openapi.json", "/component/x/index.html"),
        *("/_stcore/upload_file/a/b", "/rate/", "/rate", "/clips", "/media/x", "/app/static/x"),
        *("/figure-scripts/x.js", "/static", "//media/x.jpg", "/media//x.jpg"),
    ):
        answer = client.get(path)
        assert answer.status_code == 401 or path == "/static", path


def test_whoever_is_away_too_long_is_signed_out_until_a_new_sign_in(oidc: Server, clock: Clock):
    client = oidc.client(cookies=sign_in(clock))
    for _ in range(3):
        clock.now_s += 29 * 60
        assert clip(client, oidc) == 200
    clock.now_s += 31 * 60
    assert clip(client, oidc) == 401
    clock.now_s += 1
    assert clip(client, oidc) == 401
    # Nor does the old cookie come to life in a server that was started anew.
    assert clip(Server(oidc.root, clock).client(cookies=sign_in(clock, iat=1)), oidc) == 401
    assert clip(oidc.client(cookies=sign_in(clock)), oidc) == 200


def test_a_proxys_user_who_was_away_says_so_before_going_on(server: Server, clock: Clock):
    client = server.client("seer@example.org")
    assert clip(client, server) == 200
    clock.now_s += 31 * 60
    assert clip(client, server) == 401
    assert client.get("/moments").status_code == 200  # the page that says so
    server.door.come_back({"X-Forwarded-Email": "seer@example.org"}, {})
    assert clip(client, server) == 200


def test_every_answer_has_the_headers_of_protection(server: Server):
    client = server.client("pi@example.org")
    for path in ("/", "/clips/x.mp4", "/rate/", "/exports/x/y.zip", "/figure-scripts/x.js"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "'unsafe-eval'" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
    assert "script-src 'self' blob: 'sha256-" in client.get("/").headers["content-security-policy"]


def test_more_than_a_page_takes_cannot_be_sent(server: Server):
    client = server.client("pi@example.org")
    assert client.post("/x", content=b"a" * (MAX_SENT_BYTES + 1)).status_code == 413


def test_each_clip_and_export_is_written_down_with_who_opened_it(server: Server, study: Path):
    n_before = len(server.lines())
    client = server.client("seer@example.org")
    link = server.link("seer@example.org", "rec01")
    client.head(link)
    for start in (0, 100):
        client.get(link, headers={"Range": f"bytes={start}-"})
    client.get(server.link("seer@example.org", "rec02"))
    ask(server, "blind@example.org", "table export")
    new = [line.opened for line in server.lines()[n_before:]]
    moment = moment_of(study, "rec01")
    assert [(one.who, one.role, one.what) for one in new] == [
        ("seer@example.org", "viewer", "clip"),
        ("seer@example.org", "viewer", "refused"),
        ("blind@example.org", "viewer-without-media", "export"),
    ]
    assert (new[0].recording_id, new[0].utterance_id) == ("rec01", moment.utterance_id)
    assert (new[1].recording_id, new[1].detail) == ("rec02", "clip: not among their children")
    assert new[2].detail == "utterances, 1 rows"
    assert verify(study).holds


def test_what_cannot_be_written_down_is_not_shown(server: Server, study: Path):
    (study / "audit/head.json").rename(study / "audit/aside")
    (study / "audit/head.json").write_text("{")
    try:
        answer = server.client("pi@example.org").get(server.link("pi@example.org", "rec01"))
        assert answer.status_code == 503
        assert ask(server, "pi@example.org", "table export") == 503
    finally:
        (study / "audit/aside").rename(study / "audit/head.json")
