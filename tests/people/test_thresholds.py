"""Thresholds taken from raters."""

from __future__ import annotations

from pathlib import Path

from pipeline.people.store import people_store
from pipeline.people.thresholds import (
    ChosenThreshold,
    choose_threshold,
    chosen_threshold,
    forget_threshold,
    threshold_origin,
    thresholds_of_study,
    with_chosen,
)
from pipeline.records import ModelRef

OWN = ModelRef("clip", "ViT-B-32", "openai", "r", 512, 224, "open_clip", "fp32", 0.24, "the paper")
FREE = ModelRef("other", "ViT-L", "x", "r", 512, 224, "open_clip", "fp32")
CHOSEN = ChosenThreshold(0.263, 0.25, 0.281, "50 % point of the 4AFC curve, 12 raters")


def test_a_choice_is_kept_replaced_and_taken_back(tmp_path: Path) -> None:
    store = people_store(tmp_path)
    assert thresholds_of_study(tmp_path) == {}
    assert not (tmp_path / "people").exists(), "looking must not make the file"
    choose_threshold(store, "clip", CHOSEN)
    choose_threshold(store, "clip", ChosenThreshold(0.3, None, None, "by hand"))
    with store.reading() as con:
        found = chosen_threshold(con, "clip")
        assert chosen_threshold(con, "other") is None
    assert found is not None
    assert (found.threshold, found.lower, found.source) == (0.3, None, "by hand")
    assert found.created_at
    assert thresholds_of_study(tmp_path) == {"clip": found}
    forget_threshold(store, "clip")
    assert thresholds_of_study(tmp_path) == {}


def test_the_state_of_the_file_changes_with_a_choice(tmp_path: Path) -> None:
    store = people_store(tmp_path)
    before = store.state()
    choose_threshold(store, "clip", CHOSEN)
    after = store.state()
    forget_threshold(store, "clip")
    assert len({before, after, store.state()}) == 3


def test_people_go_before_the_model_whose_own_threshold_is_told() -> None:
    with_own, free = with_chosen([OWN, FREE], {"clip": CHOSEN, "gone": CHOSEN})
    assert with_own.default_threshold == 0.263
    assert with_own.threshold_source == (
        "from people: 50 % point of the 4AFC curve, 12 raters, 95 % interval 0.25 to 0.281; "
        "the model's own is 0.24, the paper"
    )
    assert threshold_origin(with_own) == "people"
    assert free == FREE
    assert threshold_origin(free) == "model"


def test_a_model_without_a_threshold_gets_one_from_people() -> None:
    (model,) = with_chosen([FREE], {"other": ChosenThreshold(-0.5, None, None, "12 raters")})
    assert model.default_threshold == -0.5
    assert model.threshold_source == "from people: 12 raters; the model has none of its own"


def test_simulated_answers_are_never_called_peoples() -> None:
    chosen = ChosenThreshold(0.2, 0.1, 0.3, "SIMULATED answers, halfway point, 11 raters")
    (model,) = with_chosen([OWN], {"clip": chosen})
    assert threshold_origin(model) == "simulated"
    assert model.threshold_source.startswith(
        "from simulated answers, not from people: halfway point, 11 raters, 95 % interval 0.1 to"
    )
