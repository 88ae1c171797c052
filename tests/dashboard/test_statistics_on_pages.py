"""The parts of pages that hold differences and bands, on stores of every kind."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import Page


def _captions(app: AppTest) -> str:
    return "\n".join(str(caption.value) for caption in app.caption)


@pytest.mark.parametrize("variant", ["one recording", "one recording each", "no null"])
def test_differences_and_bands_are_drawn_or_left_out_on_every_store(
    open_page: Page, variant: str
) -> None:
    app = open_page("children", variant, split="speaker")
    assert not app.exception
    app.switch_page("app_pages/compare_windows.py")
    for part in ("lags", "sweep"):
        app.query_params["part"] = part
        app.run()
        assert not app.exception, part
        assert "Band" in _captions(app), part


def test_adults_are_compared_with_the_key_child_at_equal_frames(open_page: Page) -> None:
    app = open_page("children", split="speaker")
    table = next(d.value for d in app.dataframe if "Key child" in d.value.columns)
    assert list(table.iloc[:, 0]) == [
        "Share (%)",
        "Share (%), equal frames",
        "Mean score",
        "Mean score, equal frames",
    ]
    assert (table["n adults"] > 0).all()
    assert "number that the other side does not have left out" in _captions(app)


def test_groups_of_other_splits_are_compared_with_all_others(open_page: Page) -> None:
    app = open_page("children", split="location")
    table = next(d.value for d in app.dataframe if "p (Holm)" in d.value.columns)
    assert len(table) >= 2
    assert (table["n"] + table["n others"]).nunique() == 1


def test_the_headline_says_how_far_above_chance_with_its_interval(open_page: Page) -> None:
    assert "Above chance: " in _captions(open_page())
    assert "Above chance: " not in _captions(open_page("", "no null"))


def test_gained_and_lost_have_intervals_and_both_settings_their_chance(open_page: Page) -> None:
    app = open_page("compare_windows")
    words = _captions(app)
    assert "Gained: " in words
    assert "lost: " in words
    app.query_params["part"] = "sweep"
    app.run()
    assert "Expected by chance at the threshold: " in _captions(app)
