"""The page What drives the score, with a probe, without one, and with one of another store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.components.drives_words import INDEX_WORDS, gloss, sentence, small_print
from dashboard.queries.probes import ProbeState, scorer_probes
from pipeline.errors import ModelError
from pipeline.probes.findings import FINDINGS, Answer, answers
from pipeline.probes.results import FinishedProbe
from pipeline.probes.run import run_probe
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.verdicts import Index
from pipeline.records import Float32Array, ModelRef
from pipeline.store.sealed_files import write_summed_text
from pipeline.study import open_study
from tests.dashboard.conftest import APP, Page, assert_plotly_accepts
from tests.factories import write_synthetic_study
from tests.synthetic_world import DIM

_SCORERS = ("synthetic", "synthetic-b")


def _ref(scorer: str, revision: str, dim: int = DIM) -> ModelRef:
    return ModelRef(scorer, scorer, "w", revision, dim, 224, "", "fp32")


class _Words:
    """A model that adds up a vector for each word of a text."""

    def __init__(self, ref: ModelRef) -> None:
        self.ref = ref

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        def vector(word: str) -> Float32Array:
            rng = np.random.default_rng(list(word.encode()))
            return rng.normal(size=DIM).astype(np.float32)

        sums = [sum((vector(word) for word in text.split()), np.zeros(DIM)) for text in texts]
        found = np.array(sums, np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def _store(root: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        str(root / "derived" / "stores" / "store-synthetic.duckdb"), read_only=True
    )


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FinishedProbe]:
    """A study with two scorers, both probed, and the first one's probe."""
    root = tmp_path_factory.mktemp("probed")
    write_synthetic_study(root, n_children=2, n_recordings=4, n_utterances=80, scorers=_SCORERS)
    study = open_study(root)
    found = []
    for scorer in _SCORERS:
        with _store(root) as con:
            row = con.execute("SELECT revision FROM models WHERE scorer = ?", [scorer]).fetchone()
        assert row is not None
        model = _Words(_ref(scorer, str(row[0])))
        settings = ProbeSettings(n_utterances=30, n_draws=1)
        found.append(run_probe(study, settings, lambda model=model: model, scorer=scorer))
    return root, found[0]


@pytest.fixture
def open_drives(
    monkeypatch: pytest.MonkeyPatch, probed: tuple[Path, FinishedProbe]
) -> Iterator[Callable[..., AppTest]]:
    def open_(root: Path = probed[0], **params: str) -> AppTest:
        monkeypatch.setenv("COVIEW_STUDY", str(root))
        app = AppTest.from_file(str(APP), default_timeout=120)
        app.run()
        app.switch_page("app_pages/drives.py")
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        for drawn in app.get("plotly_chart"):
            assert_plotly_accepts(json.loads(drawn.proto.spec))
        return app

    yield open_
    st.cache_data.clear()
    st.cache_resource.clear()


def _words(app: AppTest) -> str:
    return "\n".join(
        str(e.value)
        for kind in (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning)
        for e in kind
    )


def test_without_a_probe_the_page_says_what_it_would_be_and_how_to_get_it(open_page: Page):
    app = open_page("drives")
    assert not app.exception
    assert "has not been probed yet" in app.info[0].value
    assert "python -m pipeline probe" in app.code[0].value
    assert [button.label for button in app.button] == ["Probe 1,000 utterances now"]
    assert not app.get("plotly_chart")


def test_three_questions_are_answered_with_interval_n_chance_and_line(open_drives, probed):
    app = open_drives()
    words = _words(app)
    for found in answers(probed[1].indices):
        assert found.finding.question in words
        assert found.answer.value in [heading.value for heading in app.subheader]
        for index in (found.first, found.second):
            assert f"n = {index.n:,}" in small_print(index)
            assert small_print(index) in words
            assert INDEX_WORDS[index.name].line in words
    assert "do not apply here" in words
    assert "usable utterances, from all children" in words


@pytest.mark.parametrize("part", ["changes", "forms", "added", "chance", "settings", "children"])
def test_every_part_draws_a_chart_or_says_why_not(open_drives, part: str):
    app = open_drives(part=part, index=INDEX_WORDS["surplus"].title)
    n_told = sum("of the sample" in info.value for info in app.info)
    assert len(app.get("plotly_chart")) + n_told == 1
    assert len(app.table) == 1


def test_every_index_of_a_probe_has_words(probed):
    assert {index.name for index in probed[1].indices} - {"s0"} == set(INDEX_WORDS)


def test_the_table_is_of_one_child_where_asked(open_drives, probed):
    child = probed[1].measured().utterances.child_ids[0]
    table = open_drives(of=child).table[0].value
    surplus = next(i for i in probed[1].indices if i.scope == child and i.name == "surplus")
    assert table.loc["Match above chance", "n"] == str(surplus.n)


def test_two_scorers_stand_side_by_side(open_drives):
    app = open_drives(beside="synthetic-b")
    words = _words(app)
    assert "In this study, for synthetic**" in words
    assert "In this study, for synthetic-b" in words
    columns = list(app.table[0].value.columns)
    assert "synthetic: Value" in columns
    assert "synthetic-b: Value" in columns
    assert len(app.get("plotly_chart")) == 2


def test_a_moment_of_the_sample_is_shown_with_its_words_changed(open_drives, probed):
    utterances = probed[1].measured().utterances
    place = next(i for i, text in enumerate(utterances.texts) if len(text.split()) > 3)
    app = open_drives(rec=utterances.recording_ids[place], utt=utterances.utterance_ids[place])
    assert app.segmented_control[0].value == "moment"
    assert app.metric[0].label == "Own best frame"
    assert f"{utterances.z[place]:+.2f}" in [metric.value for metric in app.metric]
    assert len(app.get("plotly_chart")) == 2
    drawn = json.loads(app.get("plotly_chart")[1].proto.spec)
    assert "as said" in drawn["layout"]["yaxis"]["ticktext"][0]
    assert any(button.label == "Search for it" for button in app.button)


def test_a_link_to_a_moment_that_is_gone_is_told(open_drives):
    app = open_drives(rec="nowhere", utt="nothing")
    assert "no such moment" in app.warning[0].value


def test_a_probe_of_an_earlier_build_is_shown_with_a_warning(open_drives, probed):
    settings = probed[1].folder / "settings.json"
    before = settings.read_text(encoding="utf-8")
    write_summed_text(settings, json.dumps({**json.loads(before), "inputs": "older"}))
    try:
        app = open_drives()
    finally:
        write_summed_text(settings, before)
    assert "earlier build" in app.warning[0].value
    assert "Do objects alone count?" in _words(app)


def test_why_a_scorer_has_no_probe_is_known(probed, tmp_path: Path):
    root, probe = probed
    derived = root / "derived"
    ready = _ref("synthetic", probe.identity.revision)
    models = (
        _ref("imported", "", dim=0),
        _ref("never probed", "r"),
        _ref("synthetic-b", "other weights"),
        ready,
    )
    with _store(root) as con:
        found = {one.scorer: one.state for one in scorer_probes(con, derived, models)}
    assert found == {
        "synthetic-b": ProbeState.OTHER_MODEL,
        "synthetic": ProbeState.READY,
        "imported": ProbeState.NO_MODEL,
        "never probed": ProbeState.MISSING,
    }
    assert list(found)[:2] == ["synthetic-b", "synthetic"]
    (tmp_path / "probes" / "synthetic").mkdir(parents=True)
    (tmp_path / "probes" / "synthetic" / "current").write_text("gone")
    with _store(root) as con:
        (damaged,) = scorer_probes(con, tmp_path, (ready,))
    assert damaged.state is ProbeState.DAMAGED


def _index(name: str, supports: bool | None) -> Index:
    return Index(name, "corpus", 0.5, 0.4, 0.6, 30, 5, 0.0, supports, "note")


@pytest.mark.parametrize(
    ("finding", "first", "second", "answer"),
    [
        (0, True, True, Answer.YES),
        (0, True, False, Answer.NO),
        (0, None, False, Answer.NO),
        (0, True, None, Answer.UNKNOWN),
        (0, None, None, Answer.UNKNOWN),
        (1, True, False, Answer.IN_PART),
        (1, False, None, Answer.AT_MOST_IN_PART),
        (1, True, None, Answer.AT_LEAST_IN_PART),
        (1, False, False, Answer.NO),
        (2, True, True, Answer.YES),
    ],
)
def test_an_answer_follows_from_two_verdicts(
    finding: int, first: bool | None, second: bool | None, answer: Answer
):
    asked = FINDINGS[finding]
    others = [_index(name, None) for one in FINDINGS for name in (one.first, one.second)]
    mine = [_index(asked.first, first), _index(asked.second, second)]
    found = answers([*others, *mine])[finding]
    assert found.answer is answer
    assert gloss(found).endswith(".")


def test_an_index_without_a_value_says_why():
    index = Index("ORI", "corpus", None, None, None, 4, 2, None, None, "x; cannot be told: too few")
    assert sentence(index) == "Nouns carry the match (ORI): too few."
    assert "no interval; n = 4 matching utterances" in small_print(index)


class _Encoder:
    """Stands for the text encoder's process; it may be without a model."""

    def __init__(self, *, has_model: bool) -> None:
        self.has_model = has_model

    def embed_texts(self, texts: Sequence[str], model: ModelRef) -> Float32Array:
        if not self.has_model:
            raise ModelError("There is no model folder nowhere.", hint="Put the model there.")
        return _Words(model).embed_texts(texts)


def _outside(root: Path, probe: FinishedProbe) -> tuple[str, str]:
    """A moment that could be probed but was not drawn."""
    sampled = probe.measured().utterances
    drawn = set(zip(sampled.recording_ids, sampled.utterance_ids, strict=True))
    with _store(root) as con:
        rows = con.execute(
            "SELECT recording_id::VARCHAR, utterance_id FROM scores_wide "
            "WHERE scorer = 'synthetic' AND center_strict_z IS NOT NULL AND n_words > 2"
        ).fetchall()
    return next(row for row in rows if row not in drawn)


def test_a_moment_outside_the_sample_is_probed_and_searched_when_asked(
    open_drives, probed, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("dashboard.data.text_encoder", lambda _: _Encoder(has_model=True))
    recording_id, utterance_id = _outside(*probed)
    app = open_drives(rec=recording_id, utt=utterance_id)
    assert app.selectbox(key="drives_moment").value is None
    assert len(app.get("plotly_chart")) == 2
    next(b for b in app.button if b.label == "Search for it").click().run()
    assert not app.exception
    assert "The model’s favourite" in _words(app)
    assert "texts from words of this study" in _words(app)


def test_without_the_model_a_moment_outside_the_sample_says_what_to_do(
    open_drives, probed, monkeypatch: pytest.MonkeyPatch
):
    encoder = _Encoder(has_model=False)
    monkeypatch.setattr("dashboard.data.text_encoder", lambda _: encoder)
    recording_id, utterance_id = _outside(*probed)
    app = open_drives(rec=recording_id, utt=utterance_id, model="synthetic-b")
    assert app.error[0].value == "There is no model folder nowhere."
    assert "Put the model there." in _words(app)
    assert not app.get("plotly_chart")
    encoder.has_model = True
    next(b for b in app.button if b.label == "Try again").click().run()
    assert not app.error
    assert len(app.get("plotly_chart")) == 2


def test_the_button_probes_the_study_in_the_background(
    open_drives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_synthetic_study(tmp_path, n_children=1, n_recordings=2, n_utterances=12)
    monkeypatch.setattr("dashboard.data.text_encoder", lambda _: _Encoder(has_model=True))
    app = open_drives(tmp_path)
    app.button[0].click().run()
    deadline = time.monotonic() + 60
    while not app.subheader and time.monotonic() < deadline:
        time.sleep(0.2)
        app.run()
    assert not app.exception
    assert "Do objects alone count?" in _words(app)
    assert "not been probed" not in _words(app)
