"""The rating screen over HTTP: who is let in, what they see, and what is kept of their answers."""

from __future__ import annotations

import duckdb
from starlette.testclient import TestClient

from benchmarks.rating_study import CLOSED, RatingStudy
from dashboard.rating import routes
from dashboard.rating import tries as tries_module
from dashboard.rating.tries import WrongTries
from pipeline.people.answers import answers_of
from pipeline.people.raters import invite, new_code, open_link, raters_of, withdraw_rater
from pipeline.people.trial_sets import close_set
from pipeline.store.locate import current_store_path
from tests.dashboard.rating.conftest import Browser

Json = dict[str, object]


def now(client: TestClient) -> Json:
    return client.get("/rate/now").json()


def send(client: TestClient, trial: Json, position: int = 2, rt_ms: float | None = 640.5) -> Json:
    body = {"trial_id": trial["trial_id"], "selected_position": position, "rt_ms": rt_ms}
    return client.post("/rate/answer", json=body).json()


def begun(browser: Browser, code: str) -> TestClient:
    client = browser()
    client.get(f"/rate/k/{code}")
    client.post("/rate/agree", json={})
    return client


def kept(study: RatingStudy) -> list[tuple[int, int, float | None]]:
    with study.people.reading() as con:
        return [(a.trial_id, a.selected_position, a.rt_ms) for a in answers_of(con, study.set_id)]


def test_a_link_lets_in_leaves_no_code_in_the_address_and_asks_for_consent(study, browser):
    (code,) = study.invite(1)
    client = browser()
    answer = client.get(f"/rate/k/{code}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rate/")
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/rate"))
    assert now(client) == {"text": "<b>Read</b> this.\n\nThen agree.", "screen": "consent"}
    with study.people.reading() as con:
        assert raters_of(con, study.set_id)[0].consented_at is None
    assert client.post("/rate/agree", json={}).json()["screen"] == "trial"
    with study.people.reading() as con:
        assert raters_of(con, study.set_id)[0].consented_at is not None


def test_nothing_is_answered_or_seen_before_consent(study, browser):
    (code,) = study.invite(1)
    client = browser()
    client.get(f"/rate/k/{code}")
    answer = client.post("/rate/answer", json={"trial_id": 1, "selected_position": 1})
    assert (answer.status_code, answer.json()["screen"]) == (409, "consent")
    assert client.get("/rate/picture/1/1.jpg").status_code == 404
    assert kept(study) == []


def test_a_whole_list_in_order_and_then_done(study, browser):
    client = begun(browser, study.invite(1)[0])
    screen = now(client)
    places = []
    while screen["screen"] == "trial":
        places.append((screen["is_practice"], screen["number"], screen["total"]))
        screen = send(client, screen)
    assert places == [(True, 1, 1), *((False, number, 5) for number in range(1, 6))]
    assert screen == {
        "n_answered": 6,
        "closing": [
            {"text": "Code C7. ", "is_link": False},
            {"text": "https://example.org/done", "is_link": True},
        ],
        "screen": "done",
    }
    assert len(kept(study)) == 6
    assert {(position, rt_ms) for _, position, rt_ms in kept(study)} == {(2, 640.5)}


def test_no_score_and_no_hint_of_what_is_right_reaches_the_browser(study, browser):
    client = begun(browser, study.invite(1)[0])
    screen = now(client)
    known: set[str] = set()
    while screen["screen"] == "trial":
        known |= set(screen)
        screen = send(client, screen)
    assert known == {
        "rater", "trial_id", "mode", "is_practice", "is_start", "has_practised", "number",
        "total", "question", "words", "texts", "n_pictures", "has_sound", "screen",
    }  # fmt: skip


def test_only_pictures_of_the_current_trial_are_given(study, browser):
    client = begun(browser, study.invite(2)[0])
    first = now(client)
    picture = f"/rate/picture/{first['trial_id']}"
    for number in range(1, 5):
        answer = client.get(f"{picture}/{number}.jpg")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(f"{picture}/5.jpg").status_code == 404
    assert client.get(f"{picture}/0.jpg").status_code == 404
    following = int(str(first["trial_id"])) + 1
    assert client.get(f"/rate/picture/{following}/1.jpg").status_code == 404
    assert browser().get(f"{picture}/1.jpg").status_code == 404
    send(client, first)
    assert client.get(f"{picture}/1.jpg").status_code == 404
    assert client.get(f"/rate/picture/{following}/1.jpg").status_code == 200


def test_an_answer_that_is_sent_again_changes_nothing_and_gets_the_same_reply(study, browser):
    client = begun(browser, study.invite(1)[0])
    first = now(client)
    second = send(client, first, 2)
    assert send(client, first, 3) == second == now(client)
    assert kept(study) == [(first["trial_id"], 2, 640.5)]


def test_another_device_goes_on_at_the_same_trial(study, browser):
    (code,) = study.invite(1)
    one, other = begun(browser, code), browser()
    second = send(one, now(one))
    assert other.post("/rate/code", json={"code": code.lower()}).json() == second
    third = send(other, second)
    # The first device still shows the second trial: its answer comes too late.
    assert send(one, second, 4) == third
    assert [position for _, position, _ in kept(study)] == [2, 2]


def test_a_trial_that_is_not_shown_cannot_be_answered(study, browser):
    client = begun(browser, study.invite(2)[0])
    first = now(client)
    for trial_id in (int(str(first["trial_id"])) + 1, 10_000):
        answer = client.post(
            "/rate/answer", json={"trial_id": trial_id, "selected_position": 1, "rt_ms": 1}
        )
        assert (answer.status_code, answer.json()) == (409, first)
    assert kept(study) == []


REFUSED: tuple[tuple[dict[str, str], str, int], ...] = (
    ({"origin": "http://elsewhere.test"}, "{}", 403),
    ({"origin": "null"}, "{}", 403),
    ({"sec-fetch-site": "cross-site"}, "{}", 403),
    ({"sec-fetch-site": "same-site"}, "{}", 403),
    ({"content-type": "text/plain"}, "{}", 415),
    ({}, "{", 400),
    ({}, "[]", 400),
    ({}, "[" * 3_000, 400),
    ({}, '{"a": "' + "x" * 5_000 + '"}', 413),
    ({}, '{"trial_id": true, "selected_position": 1}', 400),
    ({}, '{"trial_id": 1, "selected_position": 5}', 400),
    ({}, '{"trial_id": 1, "selected_position": 1, "rt_ms": "5"}', 400),
)


def test_what_our_page_does_not_send_is_refused(study, browser):
    client = begun(browser, study.invite(1)[0])
    for headers, body, status in REFUSED:
        sent = {"content-type": "application/json", **headers}
        answer = client.post("/rate/answer", content=body, headers=sent)
        assert answer.status_code == status, (headers, body)
        assert answer.json()["problem"]
    assert kept(study) == []


def test_a_time_that_is_none_is_kept_as_missing(study, browser):
    client = begun(browser, study.invite(1)[0])
    headers = {"content-type": "application/json", "origin": "http://rate.test"}
    for rt_ms in ("NaN", "Infinity", "-1", "1e99", "null"):
        trial_id = now(client)["trial_id"]
        body = f'{{"trial_id": {trial_id}, "selected_position": 1, "rt_ms": {rt_ms}}}'
        assert client.post("/rate/answer", content=body, headers=headers).status_code == 200
    assert [rt_ms for *_, rt_ms in kept(study)] == [None] * 5


def test_wrong_codes_are_told_in_one_sentence_slowed_and_stopped(study, browser, monkeypatch):
    monkeypatch.setattr(tries_module, "_STEP_S", 0.0)
    monkeypatch.setattr(tries_module, "MAX_WRONG", 3)
    (code,) = study.invite(1)
    inside = begun(browser, code)
    client = browser()
    for _ in range(3):
        told = client.post("/rate/code", json={"code": "AAAA-AAAA-AA"}).json()
        assert told["screen"] == "code"
        assert "not known" in told["told"]
    assert "Too many" in client.get("/rate/k/BBBB-BBBB-BB").url.path + str(now(client)["told"])
    assert now(inside)["screen"] == "trial"


def test_wrong_tries_are_slower_each_time_and_forgotten_after_a_while():
    clock = [0.0]
    tries = WrongTries(lambda: clock[0])
    waits = [tries.was_wrong("a") for _ in range(tries_module.MAX_WRONG)]
    assert waits[:3] == [0.25, 0.5, 0.75]
    assert max(waits) == 2.0
    assert tries.is_blocked("a")
    assert not tries.is_blocked("b")
    clock[0] = tries_module.WITHIN_S + 1
    assert not tries.is_blocked("a")


def test_a_code_that_was_replaced_or_withdrawn_shuts_out_at_once(study, browser):
    rater_id, code = invite(study.people, study.set_id, "P")
    client = begun(browser, code)
    trial = now(client)
    code = new_code(study.people, rater_id)
    assert send(client, trial)["screen"] == "code"
    assert now(client)["screen"] == "code"
    client = begun(browser, code)
    assert now(client) == trial
    withdraw_rater(study.people, rater_id)
    assert now(client)["screen"] == "code"


def test_a_closed_set_says_so_in_one_sentence(study, browser):
    client = begun(browser, study.invite(1)[0])
    trial = now(client)
    close_set(study.people, study.set_id)
    for screen in (send(client, trial), now(client)):
        assert screen == {
            "told": "This study takes no more answers. Thank you for yours.",
            "screen": "ended",
        }
    assert kept(study) == []


def test_an_open_link_joins_goes_on_and_fills_up(study, browser):
    code = open_link(study.people, study.set_id, 1)
    first, again, second, nameless = (browser() for _ in range(4))
    first.get(f"/rate/join/{code}?PROLIFIC_PID=5f1a")
    first.post("/rate/agree", json={})
    trial = send(first, now(first))
    again.get(f"/rate/join/{code}?PROLIFIC_PID=5f1a")
    assert now(again) == trial
    second.get(f"/rate/join/{code}?PROLIFIC_PID=5f1b")
    assert "Enough people" in str(now(second)["told"])
    nameless.get(f"/rate/join/{code}?PROLIFIC_PID=%7B%7B%25PROLIFIC_PID%25%7D%7D")
    assert "not complete" in str(now(nameless)["told"])
    with study.people.reading() as con:
        assert [rater.label for rater in raters_of(con, study.set_id)] == ["5f1a"]


def test_signing_out_leaves_nothing_to_see(study, browser):
    client = begun(browser, study.invite(1)[0])
    assert client.post("/rate/leave", json={}).json()["screen"] == "code"
    assert now(client) == {"told": "", "screen": "code"}


def test_a_trial_whose_permission_was_withdrawn_is_passed_over(study, browser):
    client = begun(browser, study.invite(1)[0])
    first = now(client)
    with study.people.writing() as con:
        con.execute(
            "UPDATE item_options SET recording_id = ? WHERE option = 3 AND item_id = "
            "(SELECT item_id FROM trials WHERE trial_id = ?)",
            (CLOSED, first["trial_id"]),
        )
    assert now(client)["trial_id"] == int(str(first["trial_id"])) + 1
    store = current_store_path(study.root)
    with study.people.writing() as con:
        con.execute("UPDATE item_options SET recording_id = ?", (CLOSED,))
    assert "cannot be shown" in str(now(client)["told"])
    assert store is not None


def test_the_page_asks_no_other_host_and_runs_no_inline_script(browser):
    client = browser()
    page = client.get("/rate")
    assert page.url.path == "/rate/"
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    text = page.text
    for name in ("rating.js", "sending.js", "trial.js", "label.js", "rating.css", "icon.svg"):
        file = client.get(f"/rate/web/{name}")
        assert file.status_code == 200
        text += file.text.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in text
    assert "https:" not in text
    assert "innerHTML" not in text
    assert client.get("/rate/web/rating.html").status_code == 404
    assert client.get("/rate/web/..%2Froutes.py").status_code == 404


def test_a_store_that_cannot_be_read_is_told_as_not_now(study, browser):
    client = begun(browser, study.invite(1)[0])
    trial = now(client)
    store = current_store_path(study.root)
    assert store is not None
    store.with_name("current").write_text("missing.duckdb\n")
    answer = client.get("/rate/now")
    assert (answer.status_code, list(answer.json())) == (503, ["problem"])
    people = study.people.path
    content = people.read_bytes()
    people.write_bytes(b"no database" * 100)
    answer = browser().get("/rate/k/AAAA", headers={"accept": "text/html,*/*"})
    assert (answer.status_code, answer.text) == (503, routes._NOT_NOW)
    people.write_bytes(content)
    store.with_name("current").write_text(f"{store.name}\n")
    assert now(client) == trial
    with duckdb.connect(str(store), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM recordings").fetchone() == (2,)
