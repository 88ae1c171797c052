"""Experts who label moments over HTTP: what they see, and that each moment is labelled once."""

from __future__ import annotations

from starlette.testclient import TestClient

from benchmarks.rating_study import RatingStudy, moment
from dashboard.rating.screens import label_screen
from pipeline.people.answers import Place
from pipeline.people.expert_labels import labels_of
from pipeline.people.raters import invite
from pipeline.people.store import MomentRef
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    MomentLabel,
    Part,
    Rater,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set, items_of
from pipeline.records import TimeSpan


def now(client: TestClient) -> dict[str, object]:
    return client.get("/rate/now").json()


def label_set(study: RatingStudy, n_items: int = 3) -> int:
    items = [
        Item(
            f"m {number}/é",
            TrialMode.MOMENT,
            Part.MAIN,
            "",
            (ItemOption(moment(5 + number), f"Words {number}", None, 0.3),),
        )
        for number in range(n_items)
    ]
    return add_set(study.people, name="Labels", kind=SetKind.LABELS, settings="{}", items=items)


def test_experts_see_the_frames_around_a_moment_and_label_each_once(study, browser):
    set_id = label_set(study)
    client = browser()
    client.get(f"/rate/k/{invite(study.people, set_id, 'E1')[1]}")
    screen = now(client)
    seen = []
    while screen["screen"] == "label":
        seen.append(screen["item_id"])
        assert screen == now(client)
        frames = screen["frames"]
        assert [frame["is_within"] for frame in frames] == [False, False, True, False, False]
        assert [frame["time_s"] for frame in frames] == [-2, -1, 0, 1, 2]
        picture = "/rate/picture/" + str(screen["item_id"]).replace(" ", "%20").replace("/", "%2F")
        assert client.get(f"{picture}/5.jpg").status_code == 200
        assert client.get(f"{picture}/6.jpg").status_code == 404
        body = {"item_id": screen["item_id"], "label": "partly", "referent": "ball", "rt_ms": 5}
        assert client.post("/rate/label", json={**body, "label": "yes"}).status_code == 400
        following = client.post("/rate/label", json=body).json()
        assert client.post("/rate/label", json={**body, "label": "not"}).json() == following
        screen = following
    assert len(set(seen)) == len(seen) == 3
    with study.people.reading() as con:
        given = labels_of(con, set_id)
        assert set(items_of(con, set_id)) == set(seen)
    assert {(one.label, one.referent) for one in given} == {(MomentLabel.PARTLY, "ball")}


def test_of_a_short_utterance_between_two_frames_the_nearest_is_shown_large():
    short = MomentRef("rec1", "u1", TimeSpan(5_600, 5_900))
    item = Item("m", TrialMode.MOMENT, Part.MAIN, "", (ItemOption(short, "Look!", None, None),))
    rater = Rater(1, 1, "E", None, False, "here", "", None, None)
    times_ms = (4_000, 5_000, 6_000, 7_000)
    screen = label_screen(rater, item, Place(1, 1), times_ms, has_sound=False)
    assert [frame.is_within for frame in screen.frames] == [False, False, True, False]
    assert [frame.time_s for frame in screen.frames] == [-1.6, -0.6, 0.4, 1.4]
    assert label_screen(rater, item, Place(1, 1), (), has_sound=False).frames == ()


def test_a_moment_stays_while_others_label_it(study, browser):
    set_id = label_set(study, n_items=4)
    client = browser()
    client.get(f"/rate/k/{invite(study.people, set_id, 'E1')[1]}")
    first = now(client)
    for number in range(3):
        other = browser()
        other.get(f"/rate/k/{invite(study.people, set_id, f'F{number}')[1]}")
        body = {"item_id": first["item_id"], "label": "not", "referent": "", "rt_ms": None}
        other.post("/rate/label", json=body)
        assert now(client) == first
