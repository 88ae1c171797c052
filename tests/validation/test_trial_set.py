"""From a store to a stored set: who may be asked about, what the model says, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import SettingsError
from pipeline.people.store import people_store
from pipeline.people.trial_records import ImageVariant, Part, SetKind, TrialMode
from pipeline.people.trial_sets import items_of, trial_set, trial_sets, trials_of
from pipeline.store.opening import open_current_store
from pipeline.validation.consent import consent_of
from pipeline.validation.plan import (
    LabelPlan,
    TrialPlan,
    has_sound,
    image_variant_of,
    plan_from_json,
    plan_to_json,
)
from pipeline.validation.read_candidates import read_pool
from pipeline.validation.trial_set import make_set
from tests.factories import write_synthetic_study

PLAN = TrialPlan(name="First", lists=4, per_list=12, bins=3, raters_per_item=2, n_practice=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight recordings with (empty) videos; rec03 may not be shown, rec08 has no video."""
    folder = tmp_path_factory.mktemp("study")
    write_synthetic_study(folder, n_utterances=160, n_recordings=8, with_null=False)
    raw = folder / "recordings" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for number in range(1, 8):
        (raw / f"rec{number:02d}.mp4").touch()
    return folder


@pytest.fixture(scope="module")
def store(root: Path) -> duckdb.DuckDBPyConnection:
    with open_current_store(root) as con:
        yield con


def test_only_what_may_be_shown_is_a_candidate_and_the_rest_is_counted(root, store):
    pool = read_pool(store, root, PLAN, n_targets=24)
    recordings = {one.moment.recording_id for one in pool.candidates}
    assert recordings == {f"rec{number:02d}" for number in (1, 2, 4, 5, 6, 7)}
    told = {one.reason.split()[-1]: one.n for one in pool.left_out}
    assert told["scores_only"] == told["frames"] == 20
    assert pool.n_usable + sum(one.n for one in pool.left_out) == pool.n_all == 160
    assert len(pool.candidates) == pool.n_usable
    flagged = store.execute(
        "SELECT utterance_id FROM utterances WHERE list_contains(flags, 'low_confidence')"
    ).fetchall()
    assert not {row[0] for row in flagged} & {one.moment.utterance_id for one in pool.candidates}
    with_doubtful = read_pool(store, root, replace(PLAN, with_doubtful=True), n_targets=24)
    assert with_doubtful.n_usable > pool.n_usable


def test_the_frame_is_the_best_one_and_the_bins_have_equal_width(root, store):
    pool = read_pool(store, root, PLAN, n_targets=24)
    scores = np.array([one.score for one in pool.candidates])
    assert pool.edges[0] == pytest.approx(np.quantile(scores, 0.005), abs=1e-6)
    assert np.diff(pool.edges) == pytest.approx((pool.edges[-1] - pool.edges[0]) / 3)
    for one in pool.candidates:
        inside = np.searchsorted(pool.edges[1:-1], one.score, side="right")
        assert one.bin == inside
        best = store.execute(
            "SELECT time_ms FROM lag_cosines WHERE recording_id = ? AND utterance_id = ? "
            "AND lag_ms = 0 ORDER BY center DESC LIMIT 1",
            one.key,
        ).fetchone()
        assert best == (one.frame_ms,)


def test_a_large_store_is_sampled_by_the_seed(root, store, monkeypatch):
    for name, value in (("_MIN_PER_BIN", 5), ("_MIN_PER_CHILD", 3), ("_MAX_FOIL_POOL", 12)):
        monkeypatch.setattr(f"pipeline.validation.read_candidates.{name}", value)
    pool = read_pool(store, root, PLAN, n_targets=3)
    again = read_pool(store, root, PLAN, n_targets=3)
    assert pool == again
    assert 15 <= len(pool.candidates) <= 3 * 5 + 4 * 3
    assert pool.n_usable > 60
    other = read_pool(store, root, replace(PLAN, seed=2), n_targets=3)
    assert {one.key for one in other.candidates} != {one.key for one in pool.candidates}


def test_a_set_is_kept_with_what_the_model_says_to_each_option(root, store):
    made = make_set(store, root, PLAN, consent="You may stop at any time.")
    with people_store(root).reading() as con:
        kept = trial_set(con, made.set_id)
        items = items_of(con, made.set_id)
        trials = trials_of(con, made.set_id)
    assert kept is not None
    assert (kept.kind, kept.consent) == (SetKind.FOUR_CHOICES, "You may stop at any time.")
    assert len(trials) == sum(made.made.list_lengths) + 4 * (1 + 2)
    for item in items.values():
        if item.part is Part.CATCH:
            assert all(option.cosine is None for option in item.options)
            continue
        assert item.options[0].cosine == pytest.approx(item.score, abs=1e-4)
        said, seen = (0, 2) if item.mode is TrialMode.IMAGES else (2, 0)
        wanted = store.execute(
            """SELECT list_inner_product(t.embedding, f.embedding)
               FROM utterance_embeddings t, frame_embeddings f
               WHERE t.recording_id = ? AND t.utterance_id = ? AND f.recording_id = ?
                   AND f.time_ms = ? AND f.crop = 'center'""",
            [
                item.options[said].moment.recording_id,
                item.options[said].moment.utterance_id,
                item.options[seen].moment.recording_id,
                item.options[seen].frame_ms,
            ],
        ).fetchone()
        assert item.options[2].cosine == pytest.approx(wanted[0], abs=1e-4)


def test_the_settings_say_how_the_set_was_made_and_give_the_plan_back(root, store):
    plan = replace(PLAN, name="Second", with_sound=True, image_variant=ImageVariant.MODEL_INPUT)
    made = make_set(store, root, plan)
    with people_store(root).reading() as con:
        settings = trial_set(con, made.set_id).settings
    assert plan_from_json(settings) == replace(plan, scorer="synthetic")
    assert plan_from_json(plan_to_json(plan)) == plan
    assert image_variant_of(settings) is ImageVariant.MODEL_INPUT
    assert has_sound(settings)
    values = json.loads(settings)
    assert values["store_build"] == "synthetic"
    assert values["app_version"].startswith("coview ")
    assert len(values["bin_edges"]) == 4
    assert sum(one["n_made"] for one in values["strata"]) == made.made.n_main
    assert sum(values["left_out"].values()) + made.pool.n_usable == values["n_utterances"]


def test_moments_for_experts_are_a_set_without_lists(root, store):
    made = make_set(store, root, LabelPlan(n_moments=12, bins=3))
    with people_store(root).reading() as con:
        assert trial_set(con, made.set_id).kind is SetKind.LABELS
        assert trials_of(con, made.set_id) == ()
        items = items_of(con, made.set_id).values()
    assert len(items) == 12
    assert all(item.options[0].cosine == pytest.approx(item.score, abs=1e-4) for item in items)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scorer": "clip"}, "no scorer 'clip'"),
        ({"min_words": 40}, "too few words"),
        ({"name": "Taken"}, "named Taken already"),
        ({"lists": 400}, "items can be made"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_sentence(root, store, change, words):
    plan = replace(PLAN, **{"name": "Refused", **change})
    if plan.name == "Taken":
        make_set(store, root, plan)
    with pytest.raises(SettingsError, match=words) as problem:
        make_set(store, root, plan)
    assert problem.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"lists": 0},
        {"per_list": 3},
        {"raters_per_item": 9},
        {"modes": ()},
        {"modes": (TrialMode.MOMENT,)},
        {"crop": "round"},
        {"window": "wide"},
        {"statistic": "median"},
        {"name": "  "},
        {"image_variant": ImageVariant.MODEL_INPUT, "crop": "pad"},
        {"lists": 1_000, "per_list": 500},
        {"n_catch": 9},
    ],
)
def test_a_plan_that_cannot_be_is_refused_when_it_is_written_down(change):
    with pytest.raises(SettingsError) as problem:
        replace(PLAN, **change)
    assert problem.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1}'])
def test_settings_that_are_no_plan_are_refused_or_passed_over(text):
    with pytest.raises(SettingsError):
        plan_from_json(text)
    assert image_variant_of(text) is ImageVariant.FULL_FRAME
    assert not has_sound(text)


COMMAND = ["trials", "--lists", "4", "--per-list", "12", "--bins", "3", "--raters-per-item", "2"]


def test_the_command_makes_the_set_writes_its_lists_and_tells_what_ran_short(root, tmp_path):
    consent = tmp_path / "consent.txt"
    consent.write_text("\ufeffYou may stop.\r\nAt any time.\r\n", encoding="utf-8")
    ran = CliRunner().invoke(
        app,
        [
            *COMMAND,
            str(root),
            *("--name", "Typed", "--out", str(tmp_path / "lists"), "--consent", str(consent)),
            *("--image", "model-input", "--sound"),
        ],
    )
    assert ran.exit_code == 0, ran.output
    assert "24 items in 4 lists of 12 trials" in ran.output
    assert "20 are of recordings whose permission is scores_only" in ran.output
    lines = (tmp_path / "lists" / "trials.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 4 * (12 + 2 + 3)
    with people_store(root).reading() as con:
        kept = next(one for one in trial_sets(con) if one.name == "Typed")
    assert kept.consent == "You may stop.\nAt any time."
    assert image_variant_of(kept.settings) is ImageVariant.MODEL_INPUT


def test_the_command_makes_moments_for_experts_and_answers_programs(root):
    ran = CliRunner().invoke(app, [*COMMAND, str(root), "--labels", "9", "--json"])
    assert ran.exit_code == 0, ran.output
    values = json.loads(ran.output)
    assert (values["name"], values["n_items"], values["list_lengths"]) == ("Expert labels 1", 9, [])
    assert [one["n_made"] for one in values["strata"]] == [3, 3, 3]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--mode", "sounds"],
        ["--foils", "mine"],
        ["--image", "half"],
        ["--lists", "900"],
        ["--consent", "nowhere.txt"],
        ["--raters-per-item", "30"],
    ],
)
def test_wrong_use_of_the_command_is_one_error_with_a_fix(root, wrong):
    ran = CliRunner().invoke(app, [*COMMAND, str(root), "--name", "Wrong", *wrong])
    assert ran.exit_code == 2
    assert ran.stderr.count("Error:") == 1
    assert len(ran.stderr.splitlines()) == 2


def test_the_command_needs_a_store(tmp_path):
    ran = CliRunner().invoke(app, [*COMMAND, str(tmp_path)])
    assert (ran.exit_code, ran.stderr.count("Error:")) == (2, 1)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\xfa", b"PK\0\0", b"x" * 60_000])
def test_a_consent_text_that_is_none_is_refused(content):
    with pytest.raises(SettingsError) as problem:
        consent_of(content, "consent.txt")
    assert problem.value.hint
