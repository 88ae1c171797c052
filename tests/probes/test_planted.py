"""A probe of encoders made by hand gives back what was planted, and nothing where nothing was."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.planted_probe import Deaf, Planted, world
from pipeline.probe_tables import CORPUS
from pipeline.probes.blocks import measure
from pipeline.probes.changes import PERTURBATIONS, Change
from pipeline.probes.effects import Effects
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.indices import effect_rows, indices
from pipeline.probes.measured import Measured
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.verdicts import Index

_SETTINGS = ProbeSettings(n_draws=2)
_PLANTED = Planted()


@pytest.fixture(scope="module")
def planted() -> Measured:
    material = world(_PLANTED, 5, n_each=12, most_frames=1)
    return measure(material, TextEncodings(_PLANTED.encode), _SETTINGS)


@pytest.fixture(scope="module")
def found(planted: Measured) -> dict[str, Index]:
    return {one.name: one for one in indices(planted, _SETTINGS) if one.scope == CORPUS}


def _holds(index: Index, truth: float) -> bool:
    assert index.lower is not None
    assert index.upper is not None
    # The truth itself must not be told apart by chance: three instead of two standard errors.
    reach = (index.upper - index.lower) / 4
    return index.lower - reach <= truth <= index.upper + reach


def test_swaps_lose_what_the_words_were_planted_with(planted: Measured) -> None:
    s0 = Effects(planted, 1.0).s0
    rows = {row.change: row for row in effect_rows(planted, _SETTINGS)}
    about = _PLANTED.aligned
    assert _holds(rows[Change.NOUN_SWAPPED].best, -_PLANTED.named * _PLANTED.noun_effect / s0)
    assert _holds(rows[Change.VERB_SWAPPED].best, -about * _PLANTED.verb_effect / s0)
    assert _holds(rows[Change.NOUNS_ONLY].best, -about * _PLANTED.beyond_nouns / s0)
    assert rows[Change.ADJECTIVE_SWAPPED].best.n == 0
    assert sum(n for _, n in rows[Change.ADJECTIVE_SWAPPED].impossible) == len(planted.utterances)


def test_order_does_nothing_to_an_encoder_that_ignores_it(
    planted: Measured, found: dict[str, Index]
) -> None:
    rows = {row.change: row for row in effect_rows(planted, _SETTINGS)}
    for change in PERTURBATIONS:
        if "shuffled" in change.value and rows[change].best.n:
            assert rows[change].best.value == pytest.approx(0.0, abs=1e-4)
    assert found["OSI"].value == 0.0
    assert found["OSI"].supports is True


def test_indices_are_as_planted(planted: Measured, found: dict[str, Index]) -> None:
    s0 = Effects(planted, 1.0).s0
    assert _holds(found["ORI"], _PLANTED.reliance)
    assert _holds(found["GSI"], _PLANTED.beyond_nouns / s0)
    assert _holds(found["VWS"], _PLANTED.added_present / s0)
    assert _holds(found["VWS absent"], _PLANTED.added_absent / s0)
    assert found["VWS function"].value == pytest.approx(0.0, abs=1e-4)
    assert _holds(found["TCI absent"], _PLANTED.template_eta2)
    assert _holds(found["TCI absent share"], _PLANTED.first_kind)


def test_verdicts_follow_from_what_was_planted(found: dict[str, Index]) -> None:
    assert found["ORI"].supports is True
    assert found["GSI"].supports is False
    assert found["TCI"].supports is True
    assert found["VWS"].supports is True
    assert found["VWS absent - function"].supports is True


def test_an_encoder_that_hears_nothing_supports_nothing() -> None:
    encoder = Deaf(11)
    material = world(encoder, 11, n_each=8)
    measured = measure(material, TextEncodings(encoder.encode), _SETTINGS)
    found = {one.name: one for one in indices(measured, _SETTINGS) if one.scope == CORPUS}
    assert not [one.name for one in found.values() if one.supports]
    for name in ("surplus", "surplus, middle frame", "hits beyond chance", "GSI r"):
        assert _holds(found[name], 0.0)


def test_results_do_not_depend_on_the_order_of_utterances() -> None:
    material = world(_PLANTED, 5, n_children=2, n_each=8, most_frames=1)
    measured = measure(material, TextEncodings(_PLANTED.encode), _SETTINGS)
    turned = type(material)(
        material.utterances[::-1],
        material.frames[::-1],
        material.hubs,
        material.knowledge,
        material.counts,
    )
    again = measure(turned, TextEncodings(_PLANTED.encode), _SETTINGS)
    first = measured.cosines(Change.WORDS_SHUFFLED).best
    second = again.cosines(Change.WORDS_SHUFFLED).best
    assert np.array_equal(first, second[::-1], equal_nan=True)
