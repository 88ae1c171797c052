"""The plan of the toy world keeps its promises, and its baseline is fair."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.demo.timeline import plan_world
from pipeline.demo.vocabulary import word_names
from pipeline.demo.voices import load_speech_bank
from pipeline.demo.world import (
    FRAME_MS,
    Case,
    DemoRecording,
    DemoWorld,
    SpokenLine,
    Zone,
    in_view,
)
from pipeline.errors import SettingsError
from pipeline.records import Speaker, TimeSpan

MIDDLE = frozenset({Zone.MIDDLE})
EDGES = frozenset({Zone.TOP, Zone.BOTTOM})
ANYWHERE = MIDDLE | EDGES


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return plan_world()


def _lines(world: DemoWorld, *cases: Case) -> list[tuple[DemoRecording, SpokenLine]]:
    return [(r, line) for r in world.recordings for line in r.lines if line.case in cases]


def _around(line: SpokenLine, margin_ms: int = 3000) -> TimeSpan:
    return TimeSpan(max(0, line.span.onset_ms - margin_ms), line.span.offset_ms + margin_ms)


def _word(line: SpokenLine) -> str:
    assert line.named_word is not None
    return line.named_word


def test_the_demo_has_six_children_and_about_twenty_five_minutes(world: DemoWorld) -> None:
    assert len(world.children) == 6
    assert len(world.recordings) == 14
    assert 24.5 <= sum(r.duration_ms for r in world.recordings) / 60_000 <= 27
    ages_months = [
        (r.recorded - child.born).days / 30.4375
        for child in world.children
        for r in world.recordings_of(child.child_id)
    ]
    assert min(ages_months) >= 6
    assert max(ages_months) <= 30
    for child in world.children:
        dates = [r.recorded for r in world.recordings_of(child.child_id)]
        assert len(set(dates)) == len(dates) >= 2


def test_cases_have_their_shares_and_children_differ_clearly(world: DemoWorld) -> None:
    counts = Counter(line.case for r in world.recordings for line in r.lines)
    n_lines = sum(counts.values())
    wanted = {Case.CENTER: 0.13, Case.EDGE: 0.06, Case.LAGGED: 0.07, Case.ABSENT: 0.15}
    for case, share in wanted.items():
        assert abs(counts[case] / n_lines - share) < 0.012, case
    shares = sorted(
        np.mean([line.case is Case.CENTER for r in world.recordings_of(child) for line in r.lines])
        for child in {r.child_id for r in world.recordings}
    )
    assert shares[0] < 0.06
    assert shares[-1] > 0.22
    assert min(b - a for a, b in pairwise(shares)) > 0.025


def test_utterances_are_as_long_as_real_ones_and_do_not_overlap(world: DemoWorld) -> None:
    durations = [line.span.duration_ms for r in world.recordings for line in r.lines]
    assert 1200 <= np.median(durations) <= 1600
    assert 0.1 <= np.mean(np.array(durations) < 1000) <= 0.35
    for recording in world.recordings:
        assert all(a.span.offset_ms < b.span.onset_ms for a, b in pairwise(recording.lines))
        assert recording.lines[-1].span.offset_ms < recording.duration_ms


def test_a_center_word_is_in_the_middle_during_its_whole_utterance(world: DemoWorld) -> None:
    for recording, line in _lines(world, Case.CENTER):
        assert any(
            a.word == line.named_word
            and a.zone is Zone.MIDDLE
            and a.span.overlap_ms(line.span) == line.span.duration_ms
            for a in recording.appearances
        ), (recording.recording_id, line.text)


def test_an_edge_word_is_at_the_edge_and_never_in_the_middle_nearby(world: DemoWorld) -> None:
    for recording, line in _lines(world, Case.EDGE):
        assert any(
            a.word == line.named_word
            and a.zone in EDGES
            and a.span.overlap_ms(line.span) == line.span.duration_ms
            for a in recording.appearances
        ), (recording.recording_id, line.text)
        assert not in_view(recording, _word(line), MIDDLE, _around(line))


def test_a_lagged_word_is_in_the_middle_for_its_second_only(world: DemoWorld) -> None:
    for recording, line in _lines(world, Case.LAGGED):
        onset, offset = line.span.onset_ms, line.span.offset_ms
        glimpse = line.glimpse
        assert glimpse in (
            TimeSpan(onset - 2000, onset - 1000),
            TimeSpan(offset + 1000, offset + 2000),
        )
        seen = [
            a
            for a in recording.appearances
            if a.word == line.named_word and a.span.overlap_ms(_around(line))
        ]
        assert [(a.span, a.zone) for a in seen] == [(glimpse, Zone.MIDDLE)]
        assert glimpse.offset_ms <= recording.duration_ms


def test_the_grid_second_of_a_glimpse_survives_a_shift_of_250_ms(world: DemoWorld) -> None:
    for _, line in _lines(world, Case.LAGGED):
        assert line.glimpse is not None
        second = -(-line.glimpse.onset_ms // 1000) * 1000
        assert line.glimpse.onset_ms + 250 <= second <= line.glimpse.offset_ms - 250


def test_an_absent_word_is_not_in_view_within_three_seconds(world: DemoWorld) -> None:
    for recording, line in _lines(world, Case.ABSENT):
        assert not in_view(recording, _word(line), ANYWHERE, _around(line))


def test_only_utterances_without_an_object_word_have_no_case(world: DemoWorld) -> None:
    for _, line in _lines(world, *Case):
        assert (line.case is Case.NONE) == (line.named_word is None)


def test_places_stay_in_their_zone_whatever_the_sway(world: DemoWorld) -> None:
    square_top = (1 - 9 / 16) / 2
    for recording in world.recordings:
        for a in recording.appearances:
            turn = np.radians(abs(a.angle_deg) + 2)
            reach = a.width * (np.cos(turn) + np.sin(turn)) / 2
            half_height = reach * 9 / 16 + 0.003
            if a.zone is Zone.TOP:
                assert a.center_y + half_height < square_top
            elif a.zone is Zone.BOTTOM:
                assert a.center_y - half_height > 1 - square_top
            else:
                # The corners of a turned drawing are empty, its own square is what counts.
                half_own = a.width * 9 / 32 + 0.003
                assert a.center_y - half_own > square_top
                assert a.center_y + half_own < 1 - square_top


def test_one_zone_holds_one_object_at_a_time(world: DemoWorld) -> None:
    for recording in world.recordings:
        for zone in Zone:
            spans = sorted(a.span for a in recording.appearances if a.zone is zone)
            assert all(a.offset_ms <= b.onset_ms for a, b in pairwise(spans))
        assert all(
            0 <= a.span.onset_ms < a.span.offset_ms <= recording.duration_ms
            for a in recording.appearances
        )


def test_recordings_of_a_child_show_alike_amounts_in_the_same_rooms(world: DemoWorld) -> None:
    for child in world.children:
        recordings = world.recordings_of(child.child_id)
        assert len({frozenset(v.room for v in r.visits) for r in recordings}) == 1
        assert len({v.backdrop_seed for r in recordings for v in r.visits}) == 1
        per_frame = [
            sum(a.span.duration_ms for a in r.appearances) / r.duration_ms for r in recordings
        ]
        assert max(per_frame) - min(per_frame) < 0.12
        assert 0.85 <= np.mean(per_frame) <= 1.25
        for recording in recordings:
            assert recording.visits[0].span.onset_ms == 0
            assert recording.visits[-1].span.offset_ms == recording.duration_ms
            assert all(a.span.offset_ms == b.span.onset_ms for a, b in pairwise(recording.visits))


def test_adults_name_what_is_in_view_more_often_than_children(world: DemoWorld) -> None:
    adults = {Speaker.FEM, Speaker.MAL}
    lines = [line for r in world.recordings for line in r.lines]

    def share(is_adult: bool) -> float:
        return float(
            np.mean([x.case is Case.CENTER for x in lines if (x.speaker in adults) == is_adult])
        )

    assert share(True) > share(False) + 0.02
    assert share(False) > 0.05


def test_the_speech_bank_holds_every_word_in_every_voice() -> None:
    bank = load_speech_bank()
    for voice in {line.voice_id for line in bank.lines}:
        named = {line.named_word for line in bank.lines if line.voice_id == voice}
        assert named >= set(word_names()), voice
        assert None in named


def test_a_seed_gives_one_plan_and_another_seed_another() -> None:
    assert plan_world(scale="tiny", seed=5) == plan_world(scale="tiny", seed=5)
    assert plan_world(scale="tiny", seed=5) != plan_world(scale="tiny", seed=6)


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(SettingsError, match="huge"):
        plan_world(scale="huge")  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Sight:
    """What the 1 fps frames of a recording show: words by zone and the room, (n_seconds,)."""

    middle: list[set[str]]
    edge: list[set[str]]
    rooms: list[str]


class _Oracle:
    """An encoder that sees the named word, and else has tastes: for objects, words and rooms.

    A sentence's tastes are the same whenever it is scored, as a real text embedding's are.
    """

    def __init__(self, world: DemoWorld) -> None:
        self.rng = np.random.default_rng(7)
        self.sights = {r.recording_id: self._sight(r) for r in world.recordings}

    @staticmethod
    def _sight(recording: DemoRecording) -> _Sight:
        n_seconds = -(-recording.duration_ms // 1000)
        middle: list[set[str]] = [set() for _ in range(n_seconds)]
        edge: list[set[str]] = [set() for _ in range(n_seconds)]
        for a in recording.appearances:
            first, last = -(-a.span.onset_ms // 1000), -(-a.span.offset_ms // 1000)
            for second in range(first, last):
                (middle if a.zone is Zone.MIDDLE else edge)[second].add(a.word)
        rooms = [
            next(v.room for v in recording.visits if v.span.onset_ms <= 1000 * s < v.span.offset_ms)
            for s in range(n_seconds)
        ]
        return _Sight(middle, edge, rooms)

    def cosines(self, line: SpokenLine, recording_id: str, sees_edges: bool) -> NDArray[np.float64]:
        sight = self.sights[recording_id]
        taste = np.random.default_rng([len(line.text), *line.text.encode()])
        for_objects = taste.normal()
        for_words = dict(zip(word_names(), 0.7 * taste.normal(size=62), strict=True))
        for_rooms = dict(zip(sorted({*sight.rooms}), 0.7 * taste.normal(size=6), strict=False))
        scores = self.rng.normal(size=len(sight.rooms))
        for s, room in enumerate(sight.rooms):
            seen = sight.middle[s] | (sight.edge[s] if sees_edges else set())
            scores[s] += for_rooms[room] + for_objects * len(seen)
            scores[s] += sum(for_words[word] for word in seen)
            scores[s] += 6.0 * (line.named_word in seen)
        return scores


def _z(
    world: DemoWorld, oracle: _Oracle, sees_edges: bool, margin_ms: int
) -> dict[Case, NDArray[np.float64]]:
    """z of the maximum against 100 windows of as many frames from the child's other recordings."""
    rng = np.random.default_rng(11)
    found: dict[Case, list[float]] = {case: [] for case in Case}
    for recording, line in _lines(world, *Case):
        own = oracle.cosines(line, recording.recording_id, sees_edges)
        first = -(-max(0, line.span.onset_ms - margin_ms) // 1000)
        n_frames = min(len(own), -(-(line.span.offset_ms + margin_ms) // 1000)) - first
        if n_frames < 1:
            continue
        windows = np.concatenate(
            [
                np.lib.stride_tricks.sliding_window_view(
                    oracle.cosines(line, other.recording_id, sees_edges), n_frames
                ).max(axis=1)
                for other in world.recordings_of(recording.child_id)
                if other is not recording
            ]
        )
        null = rng.choice(windows, 100)
        score = own[first : first + n_frames].max()
        found[line.case].append(float((score - null.mean()) / null.std(ddof=1)))
    return {case: np.array(values) for case, values in found.items()}


def _auc(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    return float((positives[:, None] > negatives[None, :]).mean())


def test_with_an_oracle_the_matched_null_is_fair_and_the_cases_are_found(world: DemoWorld) -> None:
    oracle = _Oracle(world)
    strict = _z(world, oracle, sees_edges=False, margin_ms=0)
    padded = _z(world, oracle, sees_edges=True, margin_ms=0)
    wide = _z(world, oracle, sees_edges=False, margin_ms=2000)

    unnamed = np.concatenate([strict[Case.ABSENT], strict[Case.NONE]])
    assert len(unnamed) > 350
    assert abs(unnamed.mean()) < 0.15
    assert abs(unnamed.std(ddof=1) - 1) < 0.2

    absent = strict[Case.ABSENT]
    assert _auc(strict[Case.CENTER], absent) > 0.95
    assert _auc(strict[Case.EDGE], absent) < 0.75
    assert _auc(padded[Case.EDGE], padded[Case.ABSENT]) > 0.93
    assert _auc(strict[Case.LAGGED], absent) < 0.75
    assert _auc(wide[Case.LAGGED], wide[Case.ABSENT]) > 0.93


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_other_seeds_can_be_planned_and_show_as_much_during_speech_as_else(seed: int) -> None:
    world = plan_world(seed=seed)
    during: list[bool] = []
    ever: list[bool] = []
    for recording in world.recordings:
        is_filled = np.zeros(recording.n_frames, dtype=np.bool_)
        is_unnamed = np.zeros(recording.n_frames, dtype=np.bool_)
        for a in recording.appearances:
            if a.zone is Zone.MIDDLE:
                is_filled[-(-a.span.onset_ms // FRAME_MS) : -(-a.span.offset_ms // FRAME_MS)] = True
        for line in recording.lines:
            if line.case in (Case.ABSENT, Case.NONE):
                first, last = line.span.onset_ms // FRAME_MS, line.span.offset_ms // FRAME_MS
                is_unnamed[first:last] = True
        during += is_filled[is_unnamed].tolist()
        ever += is_filled.tolist()
    assert abs(np.mean(during) - np.mean(ever)) < 0.04
