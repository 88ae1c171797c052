"""The report: the dashboard's numbers, the same bytes every time, no more than it may show."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from dashboard import summaries
from dashboard.filters import Filters
from dashboard.queries import shares
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.exporting import report_scope, score_setting
from dashboard.queries.options import store_options
from dashboard.queries.selection import resolve_measure
from dashboard.queries.word_index import word_index
from dashboard.queries.word_norms import regression_table
from dashboard.queries.word_scores import WordSource, lemma_scores
from pipeline.cli import app
from pipeline.errors import SettingsError, StoreError
from pipeline.exchange.selection import Selection
from pipeline.report import numbers, score_queries
from pipeline.report.build import build_report
from pipeline.report.collect import collect
from pipeline.report.document import Report, Section, Verbatim
from pipeline.report.folder import csv_text, write_report
from pipeline.report.request import (
    ReportRequest,
    SettingWishes,
    resolve_setting,
)
from pipeline.report.sections.answer import answer
from pipeline.report.sections.caveats import caveats
from pipeline.report.sections.methods import methods
from pipeline.report.sections.models import model_caveats
from pipeline.report.sections.sample import sample
from pipeline.report.sections.words import words as words_section
from pipeline.report.word_queries import FREQUENCY_HERE, MIN_COUNT, words
from pipeline.report.write_html import html_text
from pipeline.stats.lemmas.norms import usual_norms
from tests.dashboard.small_store import small_store
from tests.factories import write_synthetic_study

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIRST, SECOND = date(2031, 2, 3), date(2032, 4, 5)
HOSTILE = "<script>alert('$x$')</script>&\"#0b62a4"
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page, refusing one that is not closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def made(con: duckdb.DuckDBPyConnection, day: date = FIRST, *, with_models: bool = False) -> Report:
    facts, setting = resolve_setting(con, SettingWishes())
    request = ReportRequest(setting, with_models=with_models, made_on=day)
    return build_report(con, None, facts, request)


def section(report: Report, name: str) -> str:
    """The words of one section of a report."""
    return words_of(next(s for s in report.sections if s.name == name))


def words_of(one: Section) -> str:
    """The words of a section, without figures."""
    page = html_text(Report("", (), "", 0, (one,)))
    return html.unescape(
        re.sub(r"<[^>]+>", " ", re.sub(r"<(style|svg).*?</\1>", "", page, flags=re.S))
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    write_synthetic_study(root, n_children=3, n_recordings=6, n_utterances=150)
    return root


@pytest.fixture(scope="module")
def store(study: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    path = study / "derived/stores/store-synthetic.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        yield con


@pytest.fixture(scope="module")
def report(store) -> Report:
    return made(store, with_models=True)


@pytest.fixture(scope="module")
def folder(report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    write_report(report, path)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of two days, in folders a and b, of a store with names that look like code."""
    path = tmp_path_factory.mktemp("hostile")
    with small_store() as con:
        con.execute("UPDATE recordings SET child_id = ? WHERE child_id = 'A'", [HOSTILE])
        con.execute("UPDATE store_info SET study_name = ?", [HOSTILE])
        con.execute(
            "ALTER TABLE scores_wide ALTER child_id TYPE VARCHAR;"
            "UPDATE scores_wide SET child_id = (SELECT child_id FROM recordings r "
            "WHERE r.recording_id = CAST(scores_wide.recording_id AS VARCHAR))"
        )
        for name, day in (("a", FIRST), ("b", SECOND)):
            (path / name).mkdir()
            write_report(made(con, day), path / name)
    return path


@pytest.fixture(scope="module")
def whole_small() -> Iterator[duckdb.DuckDBPyConnection]:
    with small_store() as con:
        yield con


@pytest.fixture
def small(whole_small) -> Iterator[duckdb.DuckDBPyConnection]:
    """The small store, as it was after each test."""
    whole_small.begin()
    yield whole_small
    whole_small.rollback()


def test_the_same_store_gives_the_same_bytes_but_for_the_day(hostile: Path):
    files = sorted(p.relative_to(hostile / "a") for p in (hostile / "a").rglob("*.*"))
    assert len(files) > 10
    for file in files:
        first, second = ((hostile / name / file).read_bytes() for name in ("a", "b"))
        if file.name == "report.html":
            assert first.count(b"2031-02-03") == 1
            second = second.replace(b"2032-04-05", b"2031-02-03")
        assert first == second, file


def test_names_that_look_like_code_stay_names(hostile: Path):
    text = (hostile / "a" / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in [tag for tag, _ in page.elements]
    assert "<script" not in text
    assert html.escape(HOSTILE) in text
    svg = (hostile / "a/figures/shares-by-child.svg").read_text(encoding="utf-8")
    assert "<script" not in svg
    assert "alert(" in svg


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(children=("C01", "C03"), speakers=("FEM", "MAL"), min_words=2),
        Filters(crop="pad", window="1s", threshold=0.22),
        Filters(scale="z"),
    ],
)
def test_its_numbers_are_those_of_the_dashboard(store, filters: Filters):
    options = store_options(store)
    measure = resolve_measure(filters, options.models)
    scope = report_scope(filters, Selection())
    choice = ReportRequest(score_setting(measure), scope).choice
    arrays = ScoreArrays(store)
    theirs = shares.counts_by_recording(arrays, filters, measure)
    own = score_queries.counts_by_recording(store, choice)
    assert numbers.overall_share(own) == summaries.overall_share(theirs)
    assert numbers.missing_by_reason(own) == summaries.missing_by_reason(theirs)
    cells = score_queries.null_cells(store, choice)
    chance = summaries.chance_share(shares.null_cells(arrays, filters, measure), measure.threshold)
    assert numbers.chance_share(cells, measure.threshold) == pytest.approx(chance, abs=1e-9)
    by_child = numbers.shares_by_child(own)
    expected = summaries.shares_by(theirs, ["child_id"])
    for name in ("child_id", "n_scored", "share", "low", "high"):
        assert by_child[name].tolist() == pytest.approx(expected[name].tolist(), nan_ok=True)


def test_words_are_regressed_on_norms_as_on_the_dashboard(study: Path, tmp_path: Path):
    path = tmp_path / "store.duckdb"
    shutil.copy(study / "derived/stores/store-synthetic.duckdb", path)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "INSERT INTO word_norms BY NAME SELECT lemma, 'concreteness' AS norm, "
            "1 + hash(lemma) % 400 / 100 AS value, 'made up' AS source "
            "FROM (SELECT DISTINCT lemma FROM word_index)"
        )
        _, setting = resolve_setting(con, SettingWishes())
        found = words(con, ReportRequest(setting).choice)
        assert found is not None
        measure = resolve_measure(Filters(), store_options(con).models)
        index = word_index(con)
        source = WordSource(index, ScoreArrays(con))
        lemmas = lemma_scores(con, source, Filters(), measure)
        assert found.norms == usual_norms(index.norms)
        theirs = regression_table(index, lemmas, found.norms, MIN_COUNT, "").set_index("lemma")
    assert len(found.table) == len(theirs) > 5
    for lemma, n, mean, variance, concreteness, frequency in found.table.itertuples(index=False):
        row = theirs.loc[lemma]
        assert n == row["n"]
        assert mean == pytest.approx(row["mean"], abs=1e-6)
        assert variance == pytest.approx(row["variance"], rel=1e-4)
        assert concreteness == pytest.approx(row["concreteness"])
        assert frequency == pytest.approx(row[FREQUENCY_HERE])
    shown = words_of(words_section(found))
    assert "regressed on norms" in shown
    assert "variance inflation" in shown


def test_the_excess_is_the_share_less_its_chance(store):
    _, setting = resolve_setting(store, SettingWishes())
    choice = ReportRequest(setting).choice
    share = numbers.overall_share(score_queries.counts_by_recording(store, choice))
    chance = numbers.chance_share(score_queries.null_cells(store, choice), choice.threshold)
    excess = numbers.excess_over_chance(score_queries.null_sums(store, choice))
    assert excess is not None
    assert excess.estimate == pytest.approx(share.estimate - chance, abs=5e-4)
    assert excess.interval.low < excess.estimate < excess.interval.high


def test_the_page_is_whole_and_fetches_nothing(folder: Path):
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    tags = [tag for tag, _ in page.elements]
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(tags)
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert "://" not in (value or ""), (tag, name, value)
            if name in ("href", "src"):
                assert value is not None
                assert value.startswith("#"), (tag, value)
    assert "@import" not in text
    assert set(re.findall(r"url\(.", text)) <= {"url(#"}
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for _, a in page.elements if (a.get("href") or "").startswith("#")}
    assert targets <= {f"#{name}" for name in ids}
    assert len(text) < 1_000_000


def test_every_figure_has_words_and_its_numbers_as_a_file(report: Report, folder: Path):
    names = [figure.name for figure in report.figures]
    assert len(names) == len(set(names)) >= 9
    for figure in report.figures:
        assert len(figure.alternative) > 30
        assert re.search(r"n = [\d,]+|one row per version", figure.caption), figure.name
        svg = (folder / "figures" / f"{figure.name}.svg").read_text(encoding="utf-8")
        assert svg.startswith("<?xml")
        assert "var(--" not in svg
        rows = list(csv.DictReader((folder / f"tables/{figure.name}.csv").open(encoding="utf-8")))
        assert len(rows) == len(figure.frame) > 0
    for table in report.tables:
        rows = list(csv.DictReader((folder / f"tables/{table.name}.csv").open(encoding="utf-8")))
        assert len(rows) == len(table.frame) > 0
        assert {field for column in table.shown for field in column.fields} <= set(rows[0])


def test_the_figures_draw_what_was_counted(store, report: Report):
    frames = {figure.name: figure.frame for figure in report.figures}
    n_scored, n_children = store.execute(
        "SELECT count(center_strict_max_cosine), count(DISTINCT child_id) FROM scores_wide"
    ).fetchone()
    assert frames["distribution"]["n_observed"].sum() == n_scored
    assert len(frames["shares-by-child"]) == n_children
    assert frames["shares-by-age"]["n"].sum() == n_scored
    assert len(frames["crops-and-windows"]) == 12
    assert len(frames["lag-profile"]) == 21
    assert frames["distributions-by-child"]["n"].sum() == n_scored
    sweep = frames["threshold-sweep"]
    assert sweep["share"].is_monotonic_decreasing
    assert sweep["share"].iloc[0] == 1.0


def test_the_settings_can_be_read_and_make_the_same_report_again(store, report: Report):
    blocks = [b.text for b in report.sections[-1].blocks if isinstance(b, Verbatim)]
    command, settings = blocks[0], tomllib.loads(blocks[1])
    assert settings["store"]["build"] == "synthetic"
    assert settings["report"]["threshold"] == 0.24
    options = [word for word in command.split("STUDY ")[1].replace("=", " ").split() if word]
    wishes = dict(zip(options[::2], options[1::2], strict=True))
    assert set(wishes) == {"--scorer", "--crop", "--window", "--statistic", "--scale"}
    _, again = resolve_setting(
        store, SettingWishes(**{name.strip("-"): value for name, value in wishes.items()})
    )
    assert again == resolve_setting(store, SettingWishes())[1]


def test_models_stand_beside_what_was_published(report: Report):
    tables = {table.name: table.frame for table in report.tables}
    speaker = tables["model-speaker-effects"]
    assert speaker["version"].iloc[-1] == "Tan et al. 2025"
    assert speaker["estimate"].iloc[-1] == pytest.approx(3.9)
    duration = tables["model-duration-effects"]
    assert set(duration["key"]) >= {"duration", "duration-frames", "duration-chance"}
    words = section(report, "models")
    assert "grows with the number of frames" in words
    assert "only the direction compares" in words


def test_nothing_that_was_said_is_in_it(store, folder: Path):
    texts = [row[0] for row in store.execute("SELECT DISTINCT text FROM utterances").fetchall()]
    said = [text for text in texts if len(text.split()) > 1]
    assert said
    everything = "\n".join(
        path.read_text(encoding="utf-8") for path in folder.rglob("*.*") if path.is_file()
    )
    assert not [text for text in said if text in everything]
    assert "data:image" not in everything


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (
            "UPDATE scores_wide SET center_strict_null_mean = NULL, center_strict_null_sd = NULL, "
            "center_strict_z = NULL",
            "answer",
            "the store holds no matched null",
        ),
        (
            "UPDATE scores_wide SET center_strict_max_cosine = NULL, n_frames_strict = 0",
            "answer",
            "None of the 6 utterances has a score",
        ),
        ("UPDATE utterances SET speaker = 'NA'", "caveats", "100.0 % of 6 utterances have no"),
        (
            "UPDATE recordings SET age_days = NULL; UPDATE scores_wide SET age_days = NULL",
            "sample",
            "The age of the children is not known",
        ),
        (
            "DELETE FROM recordings WHERE recording_id != 'r1'; "
            "DELETE FROM scores_wide WHERE CAST(recording_id AS VARCHAR) != 'r1'",
            "answer",
            "no interval, because no child has two recordings",
        ),
    ],
)
def test_what_a_store_lacks_is_said(small, change: str, name: str, words: str):
    small.execute(change)
    facts, setting = resolve_setting(small, SettingWishes())
    request = ReportRequest(setting, with_models=False)
    data = collect(small, None, facts, request, lambda step, share: None)
    write = {"answer": answer, "sample": sample, "caveats": caveats}[name]
    assert words in words_of(write(data))


def caveats_of(con: duckdb.DuckDBPyConnection, **wishes: object) -> str:
    facts, setting = resolve_setting(con, SettingWishes(**wishes))
    data = collect(con, None, facts, ReportRequest(setting), lambda step, share: None)
    return words_of(caveats(data, model_caveats(data.analyses)))


def test_every_caveat_comes_with_the_number_that_calls_for_it(small):
    small.execute(
        """UPDATE recordings SET width_px = 160, height_px = 90 WHERE recording_id = 'r2';
           UPDATE recordings SET transcript_source = 'whisper small';
           UPDATE models SET name = 'other-clip', weights = 'mine';
           UPDATE scores_wide SET flag_bits = 1 << 4 WHERE utterance_id IN ('u1', 'u2', 'u5');
           ALTER TABLE scores_wide ALTER language TYPE VARCHAR;
           UPDATE scores_wide SET language = 'es' WHERE utterance_id = 'u1'"""
    )
    words = caveats_of(small, threshold=0.26)
    for sentence in (
        "Scores come from other-clip (mine), not from OpenAI's CLIP ViT-B/32",
        "0.26 was chosen; the default of clip is 0.24 (paper)",
        "1 of 2 children (33.3 % of the utterances)",
        "1 of 6 utterances (16.7 %) have no score for this reason",
        "1 of 4 scored utterances (25.0 %) have no matched null",
        "25.0 % of the utterances with a frame hold two or more",
        "3 of 6 utterances (50.0 %) may not have been said (probably no speech 3)",
        "never compared with a hand-made one",
        "1 of 6 utterances (16.7 %) were said by the child who wears the camera",
        "16.7 % of 6 utterances have no known speaker",
        "16.7 % of the utterances are in another language",
        "1 of 3 recordings are narrower than the 224 px",
        "24 of 24; the reason stands where the result would",
    ):
        assert sentence in words, sentence


def test_a_caveat_that_does_not_apply_is_not_told(small):
    words = caveats_of(small)
    for topic in (
        "Not the model of the paper",
        "Demonstration",
        "Another threshold",
        "Not in English",
        "Low resolution",
        "Words not checked",
        "No chance level.",
        "Many comparisons",
        "Singular fits",
    ):
        assert topic not in words, topic


def test_without_an_utterance_there_is_no_report(small):
    small.execute("DELETE FROM scores_wide")
    with pytest.raises(StoreError, match="no utterance to report on"):
        made(small)


def test_filters_choose_utterances_and_recordings(small):
    filters = Filters(children=("A",), speakers=("FEM",))
    scope = report_scope(filters, Selection("Child: A; Speaker: Female adult"))
    facts, setting = resolve_setting(small, SettingWishes())
    data = collect(
        small,
        None,
        facts,
        ReportRequest(setting, scope, with_models=False),
        lambda step, share: None,
    )
    assert data.n_utterances == 2
    assert "2 utterances in 2 recordings (2 min) of 1 child." in words_of(answer(data))
    assert "Utterances: Child: A; Speaker: Female adult." in words_of(methods(data))


def test_settings_are_as_on_the_dashboard(small):
    _, plain = resolve_setting(small, SettingWishes())
    assert (plain.scorer, plain.threshold, plain.threshold_origin) == ("clip", 0.24, "model")
    _, unknown = resolve_setting(small, SettingWishes(scorer="other"))
    assert (unknown.scale, unknown.threshold, unknown.threshold_origin) == ("z", 2.0, "no_default")
    _, chosen = resolve_setting(small, SettingWishes(crop="multi", window="-3+1", threshold=0.3))
    assert (chosen.crop, chosen.window, chosen.threshold_origin) == ("multi", "-3+1", "chosen")


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"crop": "centre"}, "Did you mean center"),
        ({"window": "3s"}, "There is no window"),
        ({"threshold": 24.0}, "are cosines"),
        ({"scale": "z", "window": "-3+1"}, "has no null"),
        ({"scorer": "other", "window": "-3+1"}, "no threshold is known"),
        ({"statistic": "median"}, "Choose max or mean"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(small, wishes: dict[str, object], words: str):
    with pytest.raises(SettingsError, match=re.escape(words)):
        resolve_setting(small, SettingWishes(**wishes))


def test_the_command_writes_a_folder_and_says_what_is_wrong(study: Path, tmp_path: Path):
    runner = CliRunner()
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    failed = runner.invoke(app, ["report", str(nothing)])
    assert failed.exit_code == 2
    assert "has no store yet" in failed.output
    assert failed.output.count("Error:") == 1
    wrong = runner.invoke(app, ["report", str(study), "--out", str(study / "metadata")])
    assert wrong.exit_code == 2
    assert "among the study's own files" in wrong.output


def test_a_csv_keeps_missing_values_empty_and_ten_digits(report: Report):
    frame = next(t.frame for t in report.tables if t.name == "crops-and-windows-table")
    rows = list(csv.DictReader(io.StringIO(csv_text(frame))))
    reference = next(row for row in rows if row["is_reference"] == "True")
    assert reference["change"] == ""
    other = next(row for row in rows if row["is_reference"] == "False")
    assert float(other["share"]) == pytest.approx(frame["share"].iloc[rows.index(other)], abs=1e-9)
