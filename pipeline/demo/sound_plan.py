"""Which objects of the toy world sound when: while seen, off screen, or not though seen.

Things sound between sentences, never while somebody speaks. For each utterance that names an object
which can sound, chance alone decides whether the object is heard around it; whether it is seen was
planned before and has no part in that. So all four cases exist: seen and heard, seen only, heard
only, neither.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.demo.chance import between, pick, shuffled
from pipeline.demo.sound_recipes import OBJECT_SOUNDS
from pipeline.demo.world import Appearance, Script, Sounding, SpokenLine
from pipeline.records import TimeSpan

AROUND_MS = 5_000
"""How far around the middle of an utterance a sound belongs to it, as in `pipeline.sound`."""

_FROM_SPEECH_MS = 90
_SHORTEST_MS = 300
_LONGEST_MS = 2_600
_HEARD = 0.5
_OTHERS = 0.45
_OF_THINGS_SEEN = 0.6


@dataclass(frozen=True, slots=True)
class Gap:
    """A pause between sentences, long enough for a sound, and its place among the sentences:
    before the line of that number.
    """

    span: TimeSpan
    before_line: int


def gaps(script: Script) -> tuple[Gap, ...]:
    """The pauses of a recording, a little apart from speech."""
    ends = [0, *(line.span.offset_ms for line in script.lines)]
    starts = [*(line.span.onset_ms for line in script.lines), script.duration_ms]
    found: list[Gap] = []
    for number, (end, start) in enumerate(zip(ends, starts, strict=True)):
        onset, offset = end + _FROM_SPEECH_MS, start - _FROM_SPEECH_MS
        offset = min(offset, onset + _LONGEST_MS)
        if offset - onset >= _SHORTEST_MS:
            found.append(Gap(TimeSpan(onset, offset), number))
    return tuple(found)


def plan_soundings(
    script: Script,
    appearances: Sequence[Appearance],
    words: Sequence[str],
    rng: random.Random,
) -> tuple[Sounding, ...]:
    """All that sounds in one recording of a home that has the objects `words`, by onset."""
    able = [word for word in words if word in OBJECT_SOUNDS]
    pauses = gaps(script)
    taken: dict[int, str] = {}
    naming = [
        number for number, line in enumerate(script.lines) if line.named_word in OBJECT_SOUNDS
    ]
    heard = [number for number in shuffled(naming, rng) if rng.random() < _HEARD]
    silent = [script.lines[number] for number in naming if number not in heard]
    for number in heard:
        word = script.lines[number].named_word
        assert word is not None
        for place, gap in enumerate(pauses):
            is_beside = gap.before_line in (number, number + 1)
            if is_beside and place not in taken and not _is_kept_silent(word, gap.span, silent):
                taken[place] = word
    for place, gap in enumerate(pauses):
        if place in taken or rng.random() >= _OTHERS:
            continue
        seen = {a.word for a in appearances if a.span.overlap_ms(gap.span) > 0}
        allowed = [word for word in able if not _is_kept_silent(word, gap.span, silent)]
        in_view = [word for word in allowed if word in seen]
        off_screen = [word for word in allowed if word not in seen]
        choices = in_view if rng.random() < _OF_THINGS_SEEN and in_view else off_screen
        if choices:
            taken[place] = pick(choices, rng)
    return tuple(
        Sounding(pauses[place].span, taken[place], between(0.7, 1.3, rng))
        for place in sorted(taken)
    )


def _is_kept_silent(word: str, span: TimeSpan, silent: Sequence[SpokenLine]) -> bool:
    """Whether the word belongs to an utterance around which it is not to be heard."""
    return any(line.named_word == word and span.overlap_ms(around(line)) > 0 for line in silent)


def around(line: SpokenLine) -> TimeSpan:
    """The ten seconds around the middle of an utterance, less at the beginning."""
    middle = (line.span.onset_ms + line.span.offset_ms) // 2
    return TimeSpan(max(0, middle - AROUND_MS), middle + AROUND_MS)
