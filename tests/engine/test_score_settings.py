"""A study with further settings of the score: what a run does again, and what the store holds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pipeline.engine.events import RecordingFinished
from pipeline.engine.runner import Run, RunOptions
from pipeline.people.store import MomentRef
from pipeline.people.trial_records import Item, ItemOption, Part, TrialMode
from pipeline.records import TimeSpan
from pipeline.store.locate import current_store_path
from pipeline.study import open_study
from pipeline.validation.cosines import with_cosines

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


def run(root: Path, *settings: str) -> dict[str, int]:
    """Run with these settings; how many recordings each stage did."""
    toml = root / "study.toml"
    plain = toml.read_text(encoding="utf-8").split("\n[align]")[0]
    toml.write_text(plain + f"\n[align]\nsettings = {json.dumps(settings)}\n", encoding="utf-8")
    done: dict[str, int] = {}

    def count(event: object) -> None:
        if isinstance(event, RecordingFinished):
            assert event.failure is None
            done[event.stage] = done.get(event.stage, 0) + 1

    Run(open_study(root), RunOptions(device="cpu"), count).execute()
    return done


def query(root: Path, sql: str) -> list[tuple[object, ...]]:
    path = current_store_path(root)
    assert path is not None
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def study(tiny_demo_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny demo study, whose settings and norms change from test to test, in their order."""
    root = tmp_path_factory.mktemp("settings") / "study"
    shutil.copytree(tiny_demo_study, root)
    return root


def test_a_new_setting_does_only_what_it_needs(study: Path) -> None:
    n = len(open_study(study).recordings)
    plain = query(study, "SELECT * FROM scores_wide ORDER BY utterance_number")
    assert run(study) == {}
    assert run(study, "hub") == {"align": n}
    assert run(study, "nouns", "hub", "nouns+hub", "photo") == {"text": n, "align": n}
    settings = ("photo", "nouns+hub", "nouns", "hub", "hub")
    assert run(study, *settings) == {}
    for lost in (study / "derived" / "align").glob("*/hubs/C01~*"):
        lost.unlink()
    n_of_child = sum(r.child_id == "C01" for r in open_study(study).recordings)
    assert run(study, *settings) == {"align": n_of_child}
    assert plain == query(
        study, "SELECT * FROM scores_wide WHERE scorer = 'demo-clip' ORDER BY utterance_number"
    )


def test_the_store_says_of_each_scorer_what_it_compares(study: Path) -> None:
    assert query(
        study,
        "SELECT scorer, base_scorer, text_variant, is_hub_corrected, default_threshold IS NULL "
        "FROM models ORDER BY scorer",
    ) == [
        ("demo-clip", "demo-clip", "raw", False, False),
        ("demo-clip~hub", "demo-clip", "raw", True, True),
        ("demo-clip~nouns", "demo-clip", "nouns", False, True),
        ("demo-clip~nouns~hub", "demo-clip", "nouns", True, True),
        ("demo-clip~photo", "demo-clip", "photo", False, True),
    ]
    counts = query(
        study,
        """SELECT count(*), count(center_strict_z), count(*) FILTER (missing_reason = 'no_noun'),
               count(*) FILTER (missing_reason = 'no_noun' AND center_strict_max_cosine IS NULL)
           FROM scores_wide GROUP BY scorer ORDER BY scorer""",
    )
    assert len({n for n, *_ in counts}) == 1
    assert [n_without for *_, n_without, _ in counts[:2]] == [0, 0]
    assert all(n_scored and n_without == n_null for _, n_scored, n_without, n_null in counts[2:])
    assert query(
        study,
        """SELECT count(*) FROM scores_wide s JOIN models m USING (scorer)
           LEFT JOIN scored_texts t USING (utterance_number, text_variant)
           WHERE m.text_variant <> 'raw' AND (t.text IS NULL) <> (s.missing_reason IS NOT DISTINCT
               FROM 'no_noun')""",
    ) == [(0,)]


def test_hubs_are_the_means_of_the_vectors_in_the_store(study: Path) -> None:
    (different,) = query(
        study,
        """WITH frames AS (
               SELECT r.child_id, e.crop, i, avg(e.embedding[i]) AS mean,
                   count(DISTINCT (e.recording_id, e.time_ms)) AS n
               FROM frame_embeddings e JOIN recordings r USING (recording_id), range(1, 129) t(i)
               GROUP BY ALL),
           texts AS (
               SELECT u.child_id, i, avg(e.embedding[i]) AS mean, count(*) AS n
               FROM utterance_embeddings e JOIN utterances u USING (recording_id, utterance_id),
                   range(1, 129) t(i) GROUP BY ALL)
           SELECT max(abs(h.frame_mean[i] - f.mean)), max(abs(h.text_mean[i] - t.mean)),
               max(abs(h.n_frames - f.n)), max(abs(h.n_texts - t.n)), count(DISTINCT h.crop)
           FROM hubs h JOIN frames f USING (child_id, crop) JOIN texts t USING (child_id, i)
           WHERE h.scorer = 'demo-clip~hub'""",
    )
    assert different[0] < 1e-6
    assert different[1] < 1e-6
    assert different[2:] == (0, 0, 4)


@pytest.mark.parametrize("crop", ["center", "multi"])
def test_the_models_own_answers_are_of_the_score_that_chose_the_moments(
    study: Path, crop: str
) -> None:
    ((recording, utterance, time_ms, cosine),) = query(
        study,
        f"SELECT recording_id, utterance_id, time_ms[3], {crop}[3] FROM lags "
        "WHERE scorer = 'demo-clip~hub' LIMIT 1",
    )
    moment = MomentRef(str(recording), str(utterance), TimeSpan(0, 1))
    option = ItemOption(moment, "", int(str(time_ms)), None)
    item = Item("i", TrialMode.MOMENT, Part.MAIN, "", (option,))
    with duckdb.connect(str(current_store_path(study)), read_only=True) as con:
        (corrected,) = with_cosines(con, [item], scorer="demo-clip~hub", crop=crop)
        (made,) = with_cosines(con, [item], scorer="demo-clip~nouns", crop=crop)
    assert corrected.options[0].cosine == pytest.approx(cosine, abs=1e-4)
    assert made.options[0].cosine is None


def test_other_norms_change_the_made_texts_only(study: Path) -> None:
    n = len(open_study(study).recordings)
    folder = study / "metadata" / "norms"
    folder.mkdir(exist_ok=True)
    made = "SELECT DISTINCT text FROM scored_texts WHERE text_variant = 'nouns' AND text NOT NULL"
    ((word,),) = query(study, f"{made} AND text NOT LIKE '% %' ORDER BY text LIMIT 1")
    assert len(query(study, made)) > 3
    (folder / "parts.csv").write_text(f"word,Dom_Pos\n{word},Noun\n", encoding="utf-8")
    assert run(study, "nouns", "hub", "nouns+hub", "photo") == {"text": n, "align": n}
    assert (word,) in query(study, made)
    assert len(query(study, made)) <= 3


def opened(study: Path, monkeypatch: pytest.MonkeyPatch, page: str, **params: str) -> AppTest:
    monkeypatch.setenv("COVIEW_STUDY", str(study))
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.run()
    if page:
        app.switch_page(f"app_pages/{page}.py")
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def scorer_of(app: AppTest) -> str:
    """What the link names; a list in some versions of Streamlit."""
    named = app.query_params["scorer"]
    return named if isinstance(named, str) else named[-1]


def text_of(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in (*app.markdown, *app.caption))


def test_words_and_hubs_are_chosen_in_the_sidebar(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(study, monkeypatch, "")
    assert [box.label for box in app.sidebar.selectbox] == ["Words compared"]
    app.sidebar.selectbox(key="filter_text").set_value("nouns").run()
    assert scorer_of(app) == "demo-clip~nouns"
    assert "None of its words is known to be a noun" in text_of(app)
    app.sidebar.toggle(key="filter_hub").set_value(True).run()
    assert scorer_of(app) == "demo-clip~nouns~hub"
    assert "demo-clip, nouns only, hub-corrected" in text_of(app)
    # The store has no hub-corrected score of captions: the plain one is taken.
    app.sidebar.selectbox(key="filter_text").set_value("photo").run()
    assert scorer_of(app) == "demo-clip~photo"
    assert app.sidebar.toggle(key="filter_hub").disabled
    assert not app.exception


def test_two_settings_are_compared_like_two_models(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(study, monkeypatch, "models")
    assert "demo-clip" in text_of(app)
    assert app.selectbox(key="choice_b").value == "demo-clip~nouns"
    app = opened(study, monkeypatch, "models", scorer="demo-clip~nouns~hub")
    assert app.selectbox(key="choice_b").value == "demo-clip"


def test_a_moment_says_what_was_compared(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ((recording, utterance, text),) = query(
        study,
        "SELECT recording_id, utterance_id, text FROM scored_texts WHERE text_variant = 'photo' "
        "AND text NOT NULL LIMIT 1",
    )
    moment = {"rec": str(recording), "utt": str(utterance)}
    app = opened(study, monkeypatch, "moments", scorer="demo-clip~photo", **moment)
    assert f"Compared with the frames: “{text}”." in text_of(app)
    app = opened(study, monkeypatch, "moments", scorer="demo-clip~hub", **moment)
    assert "what was said, the child’s mean text" in text_of(app)


def test_a_store_without_settings_shows_no_more_than_before(
    tiny_demo_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(tiny_demo_study, monkeypatch, "")
    keys = {part.key for part in (*app.sidebar.selectbox, *app.sidebar.toggle)}
    assert not keys & {"filter_text", "filter_hub"}
    crop = app.sidebar.button_group(key="filter_crop")
    assert "settings = [" in crop.help
