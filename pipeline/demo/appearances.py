"""What comes into view when, planned so that chance has the same look during every utterance.

A baseline for an utterance is made of other moments of the same child. It is only fair if those
moments show as much as the utterance's own moments do. So each place in the frame (middle, top,
bottom) is filled to one level, both while nothing in view is being named and in all other moments
together, and every recording of a child shows the same words about as often.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.chance import between, log_normal, pick, shuffled
from pipeline.demo.scenes import TRAINING_DESIGNS
from pipeline.demo.world import FRAME_MS, Appearance, Case, Script, SpokenLine, Zone
from pipeline.records import TimeSpan

CLEARANCE_MS = 3_000
"""How far around an utterance its named word is kept out of view, except as its case says."""

_FILLED = {Zone.MIDDLE: 0.48, Zone.TOP: 0.26, Zone.BOTTOM: 0.26}
_STAY_MEDIAN_MS = 2400.0
_STAY_SIGMA = 0.45
_STAY_RANGE_MS = (800, 6500)
_BLINK_MS = 2 * FRAME_MS
_LEAD_MS = (100, 1000)
_PROPOSALS = 3000
_TOLERANCE = 0.012

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class _Track:
    """One zone of one recording while it is being filled."""

    zone: Zone
    is_taken: Mask
    spans: list[tuple[TimeSpan, str | None]] = field(default_factory=list)

    def take(self, span: TimeSpan, word: str | None) -> None:
        self.spans.append((span, word))
        self.is_taken[_frames(span)] = True

    def is_free(self, span: TimeSpan) -> bool:
        """Whether the span and a blink on both sides are empty."""
        first = max(0, span.onset_ms - _BLINK_MS) // FRAME_MS
        last = (span.offset_ms + _BLINK_MS) // FRAME_MS
        return not bool(self.is_taken[first:last].any())


def plan_appearances(
    scripts: Sequence[Script], words: Sequence[str], rng: random.Random
) -> tuple[tuple[Appearance, ...], ...]:
    """All appearances of each recording of one child, by onset.

    `words` are the objects of the home; each has one drawing, the same in all recordings.
    """
    designs = {word: pick(TRAINING_DESIGNS, rng) for word in words}
    planned: list[tuple[Appearance, ...]] = []
    for script in scripts:
        tracks = _required(script, rng)
        is_unnamed = _unnamed_mask(script)
        for track in tracks:
            _fill(track, is_unnamed, script.duration_ms, rng)
        _choose_words(tracks, script.lines, words, rng)
        planned.append(
            tuple(
                sorted(
                    (
                        _placed(span, word, designs[word], track.zone, rng)
                        for track in tracks
                        for span, word in track.spans
                        if word is not None
                    ),
                    key=lambda a: (a.span, a.zone.value),
                )
            )
        )
    return tuple(planned)


def _frames(span: TimeSpan) -> slice:
    """The frames whose time lies in the span."""
    return slice(-(-span.onset_ms // FRAME_MS), -(-span.offset_ms // FRAME_MS))


def _unnamed_mask(script: Script) -> Mask:
    """(n_frames,) true where an utterance runs whose words are not in view."""
    mask = np.zeros(script.duration_ms // FRAME_MS, dtype=np.bool_)
    for line in script.lines:
        if line.case in (Case.NONE, Case.ABSENT):
            mask[_frames(line.span)] = True
    return mask


def _required(script: Script, rng: random.Random) -> tuple[_Track, ...]:
    """One track per zone, holding what the utterances themselves call for."""
    n_frames = script.duration_ms // FRAME_MS
    wanted: dict[Zone, list[SpokenLine]] = {zone: [] for zone in Zone}
    for line in script.lines:
        if line.case in (Case.CENTER, Case.LAGGED):
            wanted[Zone.MIDDLE].append(line)
        elif line.case is Case.EDGE:
            wanted[pick((Zone.TOP, Zone.BOTTOM), rng)].append(line)
    tracks: list[_Track] = []
    for zone, lines in wanted.items():
        track = _Track(zone, np.zeros(n_frames, dtype=np.bool_))
        lines = sorted(lines, key=_required_span)
        free_from = 0
        for position, line in enumerate(lines):
            free_to = script.duration_ms
            if position + 1 < len(lines):
                free_to = _required_span(lines[position + 1]).onset_ms - _LEAD_MS[0] - _BLINK_MS
            span = _required_span(line)
            if line.glimpse is None:
                onset = span.onset_ms - round(between(*_LEAD_MS, rng))
                offset = span.offset_ms + round(between(*_LEAD_MS, rng))
                span = TimeSpan(max(free_from, onset), min(free_to, offset))
            track.take(span, line.named_word)
            free_from = span.offset_ms + _BLINK_MS
        tracks.append(track)
    return tuple(tracks)


def _required_span(line: SpokenLine) -> TimeSpan:
    """When the named word must be in view, at the least."""
    return line.span if line.glimpse is None else line.glimpse


def _fill(track: _Track, is_unnamed: Mask, duration_ms: int, rng: random.Random) -> None:
    """Add spans (their words chosen later) until the track is filled to its level.

    A span is kept only if it brings both kinds of moments together closer to the level, so that
    in the end neither kind shows more than the other.
    """
    level = _FILLED[track.zone]
    n_unnamed = int(is_unnamed.sum())
    n_other = len(is_unnamed) - n_unnamed

    def distance(taken_unnamed: int, taken_other: int) -> float:
        return abs(taken_unnamed - level * n_unnamed) + abs(taken_other - level * n_other)

    taken_unnamed = int((track.is_taken & is_unnamed).sum())
    taken_other = int(track.is_taken.sum()) - taken_unnamed
    for proposal in range(_PROPOSALS):
        now = distance(taken_unnamed, taken_other)
        if now < _TOLERANCE * len(is_unnamed):
            return
        # Late in the search only short stays can still fit.
        shrink = 1.0 - 0.7 * proposal / _PROPOSALS
        stay = log_normal(_STAY_MEDIAN_MS * shrink, _STAY_SIGMA, rng)
        stay = min(max(stay, _STAY_RANGE_MS[0]), _STAY_RANGE_MS[1])
        # May begin before the first frame or end after the last: the world goes on out there.
        onset = round(between(-stay / 2, duration_ms - stay / 2, rng))
        span = TimeSpan(
            max(0, onset) // FRAME_MS * FRAME_MS,
            min(duration_ms, round(onset + stay)) // FRAME_MS * FRAME_MS,
        )
        if not track.is_free(span):
            continue
        gained = is_unnamed[_frames(span)]
        gained_unnamed = int(gained.sum())
        gained_other = len(gained) - gained_unnamed
        if distance(taken_unnamed + gained_unnamed, taken_other + gained_other) < now:
            track.take(span, None)
            taken_unnamed += gained_unnamed
            taken_other += gained_other


def _choose_words(
    tracks: Sequence[_Track], lines: Sequence[SpokenLine], words: Sequence[str], rng: random.Random
) -> None:
    """Give the added spans words: those shown least so far, never where truth forbids them."""
    shown_ms = {(track.zone is Zone.MIDDLE, word): 0 for track in tracks for word in words}
    for track in tracks:
        for span, word in track.spans:
            if word is not None:
                shown_ms[track.zone is Zone.MIDDLE, word] += span.duration_ms
    for track in tracks:
        is_middle = track.zone is Zone.MIDDLE
        for position in shuffled(range(len(track.spans)), rng):
            span, word = track.spans[position]
            if word is not None:
                continue
            forbidden = _forbidden(span, tracks, lines)
            allowed = [w for w in shuffled(words, rng) if w not in forbidden]
            chosen = min(allowed, key=lambda w: shown_ms[is_middle, w])
            shown_ms[is_middle, chosen] += span.duration_ms
            track.spans[position] = (span, chosen)


def _forbidden(span: TimeSpan, tracks: Sequence[_Track], lines: Sequence[SpokenLine]) -> set[str]:
    """Words that are named near the span, or in view near it already."""
    named = {
        line.named_word
        for line in lines
        if line.named_word is not None and _around(line.span, CLEARANCE_MS).overlap_ms(span)
    }
    near = _around(span, FRAME_MS * 10)
    return named | {
        word
        for t in tracks
        for other, word in t.spans
        if word is not None and near.overlap_ms(other)
    }


def _around(span: TimeSpan, margin_ms: int) -> TimeSpan:
    return TimeSpan(max(0, span.onset_ms - margin_ms), span.offset_ms + margin_ms)


def _placed(span: TimeSpan, word: str, design: str, zone: Zone, rng: random.Random) -> Appearance:
    """Where in its zone the object is.

    In a 9:16 frame the middle square reaches from .219 to .781 of the height. At most .345 of the
    frame's width wide and turned by 10 degrees, a drawing is at most .225 of the height high, so
    one at .101 or less, sway included, ends above .214.
    """
    if zone is Zone.MIDDLE:
        center_x, center_y = between(0.34, 0.66, rng), between(0.4, 0.6, rng)
        width, angle_deg = between(0.38, 0.56, rng), between(-15.0, 15.0, rng)
    else:
        center_x, depth = between(0.22, 0.78, rng), between(0.088, 0.098, rng)
        center_y = depth if zone is Zone.TOP else 1.0 - depth
        width, angle_deg = between(0.3, 0.345, rng), between(-8.0, 8.0, rng)
    return Appearance(
        span=span,
        word=word,
        design=design,
        zone=zone,
        center_x=center_x,
        center_y=center_y,
        width=width,
        angle_deg=angle_deg,
        phase=between(0.0, 2.0 * math.pi, rng),
    )
