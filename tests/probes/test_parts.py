"""The arithmetic of a probe: intervals, templates, samples, search, scores without hubs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.planted_probe import NOUNS, VERBS, Planted, knowledge, world
from pipeline.errors import SettingsError
from pipeline.probes.changes import Change
from pipeline.probes.draws import mixed_keys, stratified
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.intervals import ratio, share_interval, statistic_interval
from pipeline.probes.material import Hubs, UtteranceFrames
from pipeline.probes.ratios import correlation, ratio_of_hits
from pipeline.probes.score_files import scored_text, scored_variants
from pipeline.probes.score_variants import hub_corrected, variant_score
from pipeline.probes.search import SearchFrame, favourite_sentence
from pipeline.probes.search_sample import search_utterance, search_vocabulary
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.templates import template_chance, templates
from pipeline.probes.verdicts import Index, above, at_least, at_most, both
from pipeline.stats.bootstrap import ratio_interval


def test_an_interval_of_a_ratio_is_that_of_the_products_bootstrap() -> None:
    rng = np.random.default_rng(7)
    strata = np.repeat(np.arange(4), 3)
    tops, bottoms = rng.normal(2, 1, 12), rng.uniform(5, 9, 12)
    ours = statistic_interval(ratio, np.stack([tops, bottoms], axis=1), strata, 12)
    theirs = ratio_interval(tops, bottoms, strata)
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(
        (theirs.estimate, theirs.low, theirs.high), rel=1e-3
    )


def test_intervals_say_when_they_cannot_be_told() -> None:
    rng = np.random.default_rng(7)
    sums = np.stack([rng.normal(size=4), np.ones(4)], axis=1)
    assert np.isnan(statistic_interval(ratio, sums, np.arange(4), 4).low)
    unsure = np.stack([np.ones(6), np.array([3.0, -3, 3, -3, 3, -2.5])], axis=1)
    assert np.isnan(statistic_interval(ratio, unsure, np.zeros(6, np.int64), 6).low)
    same = np.stack([np.zeros(6), np.ones(6)], axis=1)
    found = statistic_interval(ratio, same, np.zeros(6, np.int64), 6)
    assert (found.low, found.high) == (0.0, 0.0)


def test_a_share_of_one_has_a_lower_limit_by_the_number_of_recordings() -> None:
    sums = np.tile([5.0, 5.0], (10, 1))
    found = share_interval(sums, np.zeros(10, np.int64), 50)
    assert found.low == pytest.approx(0.025**0.1)
    assert found.high == 1.0


def test_correlation_from_sums_is_pearsons() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=50)
    y = x + rng.normal(size=50)
    moments = np.stack([np.ones(50), x, y, x**2, y**2, x * y], axis=1).sum(axis=0)
    assert correlation(moments[None])[0] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_hits_lose_their_part_by_chance() -> None:
    # 60 of 100 are about the scene and gain 3; of the rest, and of null windows, 10 % gain 1.
    sums = np.array([[60 * 3.0 + 4 * 1.0, 10.0, 64.0, 10.0, 64.0, 10.0, 100.0]])
    assert ratio_of_hits(sums)[0] == pytest.approx(3.0)


def test_verdicts_are_yes_no_or_cannot_be_told() -> None:
    def index(lower: float | None, upper: float | None) -> Index:
        return Index("x", "corpus", 0.5, lower, upper, 100, 10, None, None, "")

    assert [at_least(index(*limits), 0.6) for limits in ((0.6, 0.9), (0.4, 0.59), (0.5, 0.7))] == [
        True,
        False,
        None,
    ]
    assert at_most(index(0.1, 0.15), 0.15) is True
    assert at_most(index(0.16, 0.2), 0.15) is False
    assert above(index(0.0, 0.0), 0.0) is False
    assert at_least(index(None, None), 0.6) is None
    assert both(True, None) is None
    assert both(None, False) is False
    assert both(True, True) is True


def test_templates_are_told_from_chance() -> None:
    rng = np.random.default_rng(7)
    words = rng.integers(0, 10, 200)
    plain = rng.normal(size=(10, 12))[words] + rng.normal(0, 0.5, (200, 12))
    preferred = plain + np.where(np.arange(12) == 3, 2.0, 0.0)
    chance = template_chance(plain, words)
    found, biased = templates(plain), templates(preferred)
    assert found is not None
    assert biased is not None
    assert found.eta2 <= chance.eta2_top
    assert found.modal_share <= chance.modal_share_top
    assert biased.modal == 3
    assert biased.eta2 > template_chance(preferred, words).eta2_top
    assert templates(plain[:0]) is None


def test_a_sample_has_every_child_and_a_larger_one_holds_it() -> None:
    rng = np.random.default_rng(7)
    keys = rng.integers(0, 2**32, 1_000).astype(np.uint64)
    children = ["a"] * 900 + ["b"] * 95 + ["c"] * 5
    small = stratified(mixed_keys(keys, 1), children, 100)
    assert np.bincount([ord(children[row]) - ord("a") for row in small]).tolist() == [90, 10, 1]
    large = stratified(mixed_keys(keys, 1), children, 400)
    assert set(small.tolist()) <= set(large.tolist())
    assert set(small.tolist()) != set(stratified(mixed_keys(keys, 2), children, 100).tolist())
    assert len(stratified(keys, children, 5_000)) == 1_000


def test_the_search_finds_what_a_frame_shows_and_no_hub() -> None:
    planted, known = Planted(mark=0.0, noise=0.005), knowledge()
    rng = np.random.default_rng(1)
    nouns = np.arange(24)
    frames = planted.frames(nouns, nouns % 12, rng)
    frame = SearchFrame(frames[5], frames.mean(axis=0), 0.02)
    utterance = tuple(known.word(token, "en") for token in ("the", "dog"))
    vocabulary = search_vocabulary(known, "en")
    found = favourite_sentence(frame, utterance, vocabulary, TextEncodings(planted.encode))
    assert NOUNS[5] in found.words
    assert found.n_visual == 1
    assert set(found.words) <= {NOUNS[5], VERBS[5]}
    assert found.shared == ()
    assert found.headroom > 3
    assert found.worth == pytest.approx(
        frame.worth(TextEncodings(planted.encode).of([found.text]))[0]
    )


def test_a_search_can_say_what_was_said_however_rare_the_word() -> None:
    planted = Planted(mark=0.0, noise=0.005)
    material = world(planted, 2, n_children=1, n_recordings=2, n_each=6, most_frames=1)
    rare = replace(material, knowledge=replace(material.knowledge, counts={("the", "en"): 9}))
    aligned = int(np.argmax([utterance.z for utterance in rare.utterances]))
    found = search_utterance(rare, aligned, TextEncodings(planted.encode), 0.02)
    noun = next(w.token for w in rare.utterances[aligned].words if w.is_noun)
    assert found.favourite.shared == (noun,)
    assert found.favourite.headroom > -0.25


def test_a_hub_corrected_cosine_has_no_mean_over_texts_or_frames() -> None:
    rng = np.random.default_rng(7)
    texts, frames = (rng.normal(size=(20, 8)).astype(np.float32) + 1 for _ in range(2))
    hubs = Hubs(texts.mean(axis=0), frames.mean(axis=0))
    corrected = hub_corrected(texts, frames, hubs)
    assert corrected.mean(axis=0) == pytest.approx(0, abs=1e-4)
    assert corrected.mean(axis=1) == pytest.approx(0, abs=1e-4)
    window = UtteranceFrames(frames[:3], frames[3:18].reshape(5, 3, 8), 1, np.arange(3))
    score = variant_score(window, texts[0], hubs)
    assert score.score == pytest.approx(corrected[0, :3].max(), rel=1e-4)
    null = corrected[0, 3:18].reshape(5, 3).max(axis=1)
    assert score.null_mean == pytest.approx(null.mean(), rel=1e-4)
    assert score.z == pytest.approx((score.score - null.mean()) / null.std(ddof=1), rel=1e-3)


def test_scores_by_other_texts_stand_beside_that_of_the_transcript() -> None:
    planted = Planted()
    material = world(planted, 2, n_children=1, n_recordings=2, n_each=3)
    utterance = material.utterances[0]
    noun = next(word.token for word in utterance.words if word.is_noun)
    assert scored_text(utterance, Change.RAW) == utterance.text
    assert scored_text(utterance, Change.NOUNS_ONLY) == noun
    assert scored_text(utterance, Change.PHOTO_OF_NOUN).startswith("a photo of a")
    scored = scored_variants(material, TextEncodings(planted.encode))
    assert len(scored) == 6 * 6
    raw = scored[0].score
    assert raw.score == pytest.approx(utterance.z * utterance.null_sd + utterance.null_mean)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(SettingsError):
        ProbeSettings(n_utterances=0)
    with pytest.raises(SettingsError):
        ProbeSettings(n_null=1)
    with pytest.raises(SettingsError, match="multi"):
        ProbeSettings(crop="multi")
