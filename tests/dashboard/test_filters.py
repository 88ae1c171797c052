"""Filters and their form in the address bar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboard.filters import (
    ROW_FIELDS,
    URL_KEYS,
    Filters,
    from_params,
    restricted_to,
    to_params,
    without,
)
from pipeline.records import Speaker
from pipeline.schema import CROPS, UTTERANCE_FLAGS, WINDOWS
from pipeline.sound_tables import QUADRANTS

_texts = some.text(some.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20).filter(
    str.isprintable
)


def _lists(of: some.SearchStrategy[str]) -> some.SearchStrategy[tuple[str, ...]]:
    return some.lists(of, max_size=5, unique=True).map(lambda items: tuple(sorted(items)))


any_filters = some.builds(
    Filters,
    children=_lists(_texts),
    speakers=_lists(some.sampled_from([s.value for s in Speaker])),
    activities=_lists(_texts),
    locations=_lists(_texts),
    languages=_lists(_texts),
    heard=_lists(some.sampled_from(list(QUADRANTS))),
    without_flags=_lists(some.sampled_from(list(UTTERANCE_FLAGS))),
    min_age_days=some.none() | some.integers(0, 40_000),
    max_age_days=some.none() | some.integers(0, 40_000),
    min_words=some.integers(0, 100),
    min_logprob=some.none() | some.floats(-20, 0),
    scorer=some.just("") | _texts,
    crop=some.sampled_from(CROPS),
    window=some.sampled_from([*WINDOWS, "-3+1", "-0+10"]),
    statistic=some.sampled_from(["max", "mean"]),
    scale=some.sampled_from(["raw", "z"]),
    threshold=some.none() | some.floats(-20, 20),
)


@given(any_filters)
def test_filters_come_back_from_the_address_bar_as_they_were(filters: Filters):
    assert from_params(to_params(filters)) == filters


@given(
    some.dictionaries(
        some.sampled_from(list(URL_KEYS.values())), some.lists(some.text(max_size=300))
    )
)
def test_any_junk_in_the_address_bar_gives_filters(params: dict[str, list[str]]):
    filters = from_params(params)
    assert from_params(to_params(filters)) == filters


def test_the_default_leaves_the_address_bar_empty():
    assert to_params(Filters()) == {}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("crop", "centre"),
        ("window", "3s"),
        ("threshold", "nan"),
        ("threshold", "1e9"),
        ("age_from", "-3"),
        ("words", "many"),
        ("speaker", "'; DROP TABLE utterances"),
        ("child", "x" * 300),
        ("child", "a\x00b"),
    ],
)
def test_impossible_values_are_ignored(key: str, text: str):
    assert from_params({key: [text]}) == Filters()


def test_good_values_survive_beside_bad_ones():
    filters = from_params({"speaker": ["FEM", "nobody", "MAL"], "crop": ["nonsense"]})
    assert filters == Filters(speakers=("FEM", "MAL"))


def test_values_that_the_store_does_not_have_are_left_out():
    filters = Filters(children=("A", "B"), scorer="gone", speakers=("FEM",))
    known = {"children": ("B",), "scorer": ("clip",)}
    assert restricted_to(filters, known) == Filters(children=("B",), speakers=("FEM",))


def test_one_restriction_can_be_taken_off():
    filters = Filters(children=("A", "B"), min_words=3)
    assert without(filters, "children", "A") == Filters(children=("B",), min_words=3)
    assert without(filters, "min_words") == Filters(children=("A", "B"))


def test_impossible_filters_cannot_be_made():
    with pytest.raises(ValueError, match="crop is 'round'"):
        Filters(crop="round")


@given(any_filters)
def test_the_fields_that_narrow_are_those_that_can_be_cleared(filters: Filters):
    cleared = filters
    for name in ROW_FIELDS:
        assert (name in filters.narrowed) == (without(filters, name) != filters)
        cleared = without(cleared, name)
    assert not cleared.narrowed
