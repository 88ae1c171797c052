"""The route of the clips: who gets what, in pieces, and what is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard.clip_tokens import LIFETIME_S, BadTokenError, TokenSigner
from dashboard.navigation import MomentKey
from dashboard.server import clip_routes
from tests.factories import write_synthetic_study
from tests.media.recordings import record

SIGNER = TokenSigner(b"a secret for tests only")
PLAYABLE, NOT_PLAYABLE = "rec01", "rec03"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("study")
    store = write_synthetic_study(root, n_children=2, n_recordings=3, n_utterances=12)
    with duckdb.connect(str(store)) as con:
        con.execute("UPDATE recordings SET permission = 'excerpts' WHERE recording_id = 'rec02'")
        con.execute("UPDATE utterances SET onset_ms = 2000, offset_ms = 3000")
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True)
    for name in ("rec01", "rec02", "rec03"):
        record(raw / f"{name}.mp4", seconds=6)
    return root


@pytest.fixture
def client(study) -> TestClient:
    return TestClient(Starlette(routes=clip_routes(lambda: study, SIGNER)))


def utterance(study: Path, recording_id: str) -> MomentKey:
    store = study / "derived/stores/store-synthetic.duckdb"
    with duckdb.connect(str(store), read_only=True) as con:
        row = con.execute(
            "SELECT min(utterance_id) FROM utterances WHERE recording_id = ?", [recording_id]
        ).fetchone()
    return MomentKey(recording_id, row[0])


def link(moment: MomentKey, **margins: int) -> str:
    chosen = {"lead_ms": 500, "lag_ms": 500, **margins}
    return f"/clips/{SIGNER.sign(moment, viewer='local', **chosen)}.mp4"


@pytest.fixture
def log_rows(study) -> Callable[[], list[dict]]:
    path = study / "derived" / "logs" / "clips.jsonl"
    path.unlink(missing_ok=True)
    return lambda: (
        [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    )


def test_a_clip_is_served_whole_and_in_pieces(client, study):
    address = link(utterance(study, PLAYABLE))
    whole = client.get(address)
    assert whole.status_code == 200
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.content[4:8] == b"ftyp"
    piece = client.get(address, headers={"Range": "bytes=100-199"})
    assert piece.status_code == 206
    assert piece.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert piece.content == whole.content[100:200]
    assert client.get(address, headers={"Range": "bytes=99999999-"}).status_code == 416


def test_a_clip_may_not_be_kept_or_misread_by_a_browser(client, study):
    for answer in (client.get(link(utterance(study, PLAYABLE))), client.get("/clips/x.mp4")):
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("recording_id", [NOT_PLAYABLE])
def test_only_recordings_that_may_be_played_are_served(client, study, recording_id, log_rows):
    answer = client.get(link(utterance(study, recording_id)))
    assert answer.status_code == 403
    assert answer.text == "This recording may not be played."
    assert log_rows() == []


def test_a_permission_withdrawn_in_a_newer_store_counts_at_once(study, client):
    address = link(utterance(study, PLAYABLE))
    assert client.get(address).status_code == 200
    stores = study / "derived" / "stores"
    newer = stores / "store-newer.duckdb"
    newer.write_bytes((stores / "store-synthetic.duckdb").read_bytes())
    with duckdb.connect(str(newer)) as con:
        con.execute("UPDATE recordings SET permission = 'scores_only'")
    (stores / "current").write_text("store-newer.duckdb")
    try:
        assert client.get(address).status_code == 403
    finally:
        (stores / "current").write_text("store-synthetic.duckdb")


def test_an_altered_or_foreign_or_old_link_is_refused(client, study):
    moment = utterance(study, PLAYABLE)
    good = SIGNER.sign(moment, viewer="local", lead_ms=0, lag_ms=0)
    text, _, signature = good.partition(".")
    other = SIGNER.sign(utterance(study, NOT_PLAYABLE), viewer="local", lead_ms=0, lag_ms=0)
    foreign = TokenSigner(b"another server").sign(moment, viewer="local", lead_ms=0, lag_ms=0)
    old = SIGNER.sign(moment, viewer="local", lead_ms=0, lag_ms=0, now_s=1_000.0)
    for token in (
        f"{other.partition('.')[0]}.{signature}",
        f"{text[:-2]}AA.{signature}",
        text,
        f"{text}.",
        f"{text}.ÄÖ",
        ".",
        "x" * 5_000,
        foreign,
        old,
    ):
        answer = client.get(f"/clips/{token}.mp4")
        assert answer.status_code == 403, token
        assert answer.text == "This link to a clip has expired. Open the moment again."


def test_a_link_lives_as_long_as_it_says():
    token = SIGNER.sign(MomentKey("r", "u"), viewer="local", lead_ms=100, lag_ms=200, now_s=1_000.0)
    wanted = SIGNER.read(token, now_s=1_000.0 + LIFETIME_S)
    assert (wanted.moment, wanted.lead_ms, wanted.lag_ms) == (MomentKey("r", "u"), 100, 200)
    with pytest.raises(BadTokenError):
        SIGNER.read(token, now_s=1_001.0 + LIFETIME_S)


@pytest.mark.parametrize(
    "path",
    [
        "/clips/../derived/stores/current",
        "/clips/%2e%2e%2fderived%2fstores%2fcurrent.mp4",
        "/clips/..%5c..%5cstudy.toml.mp4",
        "/clips//etc/passwd.mp4",
        "/clips/",
    ],
)
def test_no_path_leads_out_of_the_clips(client, path):
    answer = client.get(path)
    assert answer.status_code in (403, 404)
    assert "store-" not in answer.text


def test_a_moment_that_is_not_there_says_so_without_a_path(client, study):
    answer = client.get(link(MomentKey("rec01", "no such utterance")))
    assert (answer.status_code, answer.text) == (404, "This moment is not in the current store.")
    raw = study / "recordings" / "raw"
    (raw / "rec01.mp4").rename(raw / "away.mp4")
    try:
        answer = client.get(link(utterance(study, PLAYABLE), lead_ms=77))
    finally:
        (raw / "away.mp4").rename(raw / "rec01.mp4")
    assert answer.status_code == 404
    assert "rec01.mp4 is not where the study says" in answer.text
    assert str(study) not in answer.text


def test_a_store_that_names_a_video_outside_the_study_serves_nothing(client, study):
    outside = study.parent / "secret.mp4"
    record(outside, seconds=6)
    stores = study / "derived" / "stores"
    other = stores / "store-other.duckdb"
    other.write_bytes((stores / "store-synthetic.duckdb").read_bytes())
    with duckdb.connect(str(other)) as con:
        con.execute(
            "UPDATE recordings SET media_path = '../../../secret.mp4' WHERE recording_id = 'rec01'"
        )
    (stores / "current").write_text("store-other.duckdb")
    try:
        answer = client.get(link(utterance(study, PLAYABLE)))
    finally:
        (stores / "current").write_text("store-synthetic.duckdb")
    assert answer.status_code == 404
    assert "outside the study" in answer.text


def test_each_opening_is_written_down_once_without_words(client, study, log_rows):
    moment = utterance(study, PLAYABLE)
    address = link(moment)
    client.head(address)
    assert log_rows() == []
    for start in (0, 100, 200):
        client.get(address, headers={"Range": f"bytes={start}-"})
    client.get(link(moment))
    rows = log_rows()
    assert len(rows) == 2
    assert set(rows[0]) == {"time", "recording_id", "utterance_id"}
    assert rows[0]["utterance_id"] == moment.utterance_id


def test_a_study_without_a_store_serves_nothing(tmp_path):
    client = TestClient(Starlette(routes=clip_routes(lambda: tmp_path, SIGNER)))
    assert client.get(link(MomentKey("rec01", "u"))).status_code == 404


def test_the_route_moves_with_the_servers_base_path(study):
    client = TestClient(Starlette(routes=clip_routes(lambda: study, SIGNER, base_path="/lab/")))
    address = link(utterance(study, PLAYABLE))
    assert client.get(f"/lab{address}").status_code == 200
    assert client.get(address).status_code == 404
