"""The plan of the toy world: who says what when, and which known case each utterance is.

`plan_world` is a pure function of seed and scale. Speech is laid out first; `appearances` then
decides what is in view, so that objects come and go alike whatever is being said.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.demo.appearances import plan_appearances
from pipeline.demo.chance import between, log_normal, pick, shuffled, stream
from pipeline.demo.households import ACTIVITIES, Household, Scale, households
from pipeline.demo.sound_plan import plan_soundings
from pipeline.demo.vocabulary import word_names
from pipeline.demo.voices import BankLine, SpeechBank, load_speech_bank
from pipeline.demo.world import (
    FRAME_MS,
    Case,
    DemoChild,
    DemoRecording,
    DemoWorld,
    RoomVisit,
    Script,
    SpokenLine,
)
from pipeline.errors import SettingsError
from pipeline.records import Speaker, TimeSpan

DEMO_SEED = 1
N_WORDS_PER_CHILD = 28

_GAP_MEDIAN_MS = 1080.0
_GAP_SIGMA = 0.6
_GAP_RANGE_MS = (400, 4200)
_TAIL_MS = (2600, 4200)
_SAME_WORD_APART_MS = 6_500
_MAX_LAYOUTS = 500


@dataclass(frozen=True, slots=True)
class _Draft:
    """An utterance before it has words and times."""

    case: Case
    speaker: Speaker


def plan_world(*, seed: int = DEMO_SEED, scale: Scale = "full") -> DemoWorld:
    """The whole plan for one seed: the same seed gives the same plan on every machine.

    Raises SettingsError for an unknown scale, MediaError if the speech bank is missing.
    """
    if scale not in ("full", "tiny"):
        raise SettingsError(f"The demo's scale is {scale!r}.", hint='Choose "full" or "tiny".')
    bank = load_speech_bank()
    families = households(scale)
    recordings: list[DemoRecording] = []
    for position, family in enumerate(families):
        words = tuple(
            shuffled(word_names(), stream(seed, f"{family.child_id}/words"))[:N_WORDS_PER_CHILD]
        )
        scripts = _scripts(family, words, bank, stream(seed, f"{family.child_id}/speech"))
        seen = plan_appearances(scripts, words, stream(seed, f"{family.child_id}/sight"))
        for number, (script, appearances, recorded) in enumerate(
            zip(scripts, seen, family.recording_dates(), strict=True), start=1
        ):
            recording_id = f"{family.child_id}_{number:02d}"
            rng = stream(seed, f"{recording_id}/rooms")
            recordings.append(
                DemoRecording(
                    recording_id=recording_id,
                    child_id=family.child_id,
                    recorded=recorded,
                    start_time=f"{int(between(8, 18, rng)):02d}:{int(between(0, 60, rng)):02d}:00",
                    duration_ms=script.duration_ms,
                    lines=script.lines,
                    appearances=appearances,
                    visits=_visits(family, script.duration_ms, 1000 * seed + position, rng),
                    soundings=plan_soundings(
                        script, appearances, words, stream(seed, f"{recording_id}/soundings")
                    ),
                )
            )
    children = tuple(DemoChild(f.child_id, f.sex, f.born) for f in families)
    return DemoWorld(seed=seed, children=children, recordings=tuple(recordings))


def _scripts(
    family: Household, words: tuple[str, ...], bank: SpeechBank, rng: random.Random
) -> tuple[Script, ...]:
    """The timed utterances of each of the family's recordings."""
    drafts = _drafts(family, rng)
    n_recordings = len(family.ages_days)
    hands: list[list[_Draft]] = [[] for _ in range(n_recordings)]
    first = int(rng.random() * n_recordings)
    # Dealt out in the order of cases, so that recordings hold each case equally often.
    for position, draft in enumerate(drafts):
        hands[(first + position) % n_recordings].append(draft)
    spoken: dict[BankLine, int] = {}
    deck = shuffled(words, rng)
    scripts: list[Script] = []
    for hand in hands:
        for _ in range(_MAX_LAYOUTS):
            lines, deck_after = _worded(shuffled(hand, rng), deck, family, bank, spoken, rng)
            timed = _timed(lines, rng)
            if timed is not None:
                break
        else:
            raise SettingsError(
                f"No order of the utterances of {family.child_id} satisfies the plan.",
                hint="Choose another seed.",
            )
        deck = deck_after
        for line in timed:
            spoken[line.bank_line] = spoken.get(line.bank_line, 0) + 1
        scripts.append(Script(timed, _duration_ms(timed, rng)))
    return tuple(scripts)


def _drafts(family: Household, rng: random.Random) -> list[_Draft]:
    """All utterances of a family, sorted by case; speakers by exact shares.

    Adults say most of what names an object in the middle, so that their share is the higher one.
    """
    speakers = [
        speaker
        for speaker, share in family.speaker_shares.items()
        for _ in range(round(share * family.n_utterances))
    ]
    speakers += [Speaker.FEM] * (family.n_utterances - len(speakers))
    pool = shuffled(speakers, rng)[: family.n_utterances]
    drafts: list[_Draft] = []
    for case, n_utterances in family.n_by_case.items():
        for _ in range(n_utterances):
            wanted = set(pool)
            if case is Case.CENTER:
                adults = {Speaker.FEM, Speaker.MAL}
                wanted = (wanted & adults if rng.random() < 0.78 else wanted - adults) or wanted
            position = next(i for i, speaker in enumerate(pool) if speaker in wanted)
            drafts.append(_Draft(case, pool.pop(position)))
    return drafts + [_Draft(Case.NONE, speaker) for speaker in pool]


def _worded(
    drafts: Sequence[_Draft],
    deck: Sequence[str],
    family: Household,
    bank: SpeechBank,
    spoken: dict[BankLine, int],
    rng: random.Random,
) -> tuple[list[SpokenLine], list[str]]:
    """Give each draft a sentence, those the child has heard least first; spans start at 0 here.

    Returns the lines and the deck of words, the words named longest ago first.
    """
    heard = dict(spoken)
    order = list(deck)
    lines: list[SpokenLine] = []
    for draft in drafts:
        word: str | None = None
        if draft.case is not Case.NONE:
            # Not strictly in turn, so that a word's next mention cannot be foretold.
            word = order.pop(int(rng.random() * (len(order) // 2)))
            order.append(word)
        choices = bank.lines_of(family.voice_ids[draft.speaker], word)
        fewest = min(heard.get(choice, 0) for choice in choices)
        line = pick([c for c in choices if heard.get(c, 0) == fewest], rng)
        heard[line] = heard.get(line, 0) + 1
        span = TimeSpan(0, line.span.duration_ms)
        lines.append(SpokenLine(span, draft.speaker, draft.case, line))
    return lines, order


def _timed(lines: Sequence[SpokenLine], rng: random.Random) -> tuple[SpokenLine, ...] | None:
    """Lay the lines out in time, or None if two of them cannot both have what they need."""
    placed: list[SpokenLine] = []
    cursor = round(between(600, 2400, rng))
    for line in lines:
        duration_ms = line.span.duration_ms
        is_before = rng.random() < 0.5
        onset = cursor
        if line.case is Case.LAGGED:
            onset = max(onset, 2300)
            # The grid second falls well inside the glimpse, so that shifted transcripts keep it.
            anchor = onset if is_before else onset + duration_ms
            onset += _to_phase(anchor, round(between(300, 700, rng)))
        span = TimeSpan(onset, onset + duration_ms)
        glimpse = None
        if line.case is Case.LAGGED and is_before:
            glimpse = TimeSpan(span.onset_ms - 2000, span.onset_ms - 1000)
        elif line.case is Case.LAGGED:
            glimpse = TimeSpan(span.offset_ms + 1000, span.offset_ms + 2000)
        placed.append(replace(line, span=span, glimpse=glimpse))
        gap = log_normal(_GAP_MEDIAN_MS, _GAP_SIGMA, rng)
        cursor = span.offset_ms + round(min(max(gap, _GAP_RANGE_MS[0]), _GAP_RANGE_MS[1]))
    return tuple(placed) if _is_possible(placed) else None


def _to_phase(time_ms: int, phase_ms: int) -> int:
    """How much later than `time_ms` the next moment `phase_ms` after a full second is."""
    return (phase_ms - time_ms) % 1000


def _is_possible(lines: Sequence[SpokenLine]) -> bool:
    """No two objects want the middle at once, and no word is named twice within seconds."""
    wanted = [
        TimeSpan(max(0, line.span.onset_ms - 200), line.span.offset_ms + 200)
        for line in lines
        if line.case is Case.CENTER
    ]
    wanted += [
        TimeSpan(line.glimpse.onset_ms - 100, line.glimpse.offset_ms + 100)
        for line in lines
        if line.glimpse is not None
    ]
    wanted.sort()
    if any(a.overlap_ms(b) for a, b in pairwise(wanted)):
        return False
    last_named: dict[str, int] = {}
    for line in lines:
        if line.named_word is None:
            continue
        before = last_named.get(line.named_word)
        if before is not None and line.span.onset_ms - before < _SAME_WORD_APART_MS:
            return False
        last_named[line.named_word] = line.span.offset_ms
    return True


def _duration_ms(lines: Sequence[SpokenLine], rng: random.Random) -> int:
    """How long the recording runs: a few seconds past the last word, in whole frames."""
    end = lines[-1].span.offset_ms + round(between(*_TAIL_MS, rng))
    return -(-end // FRAME_MS) * FRAME_MS


def _visits(
    family: Household, duration_ms: int, backdrop_seed: int, rng: random.Random
) -> tuple[RoomVisit, ...]:
    """Every recording of a family shows the same rooms for about as long, in its own order."""
    rooms: list[str] = []
    while len(rooms) < family.visits_per_recording:
        tour = shuffled(family.rooms, rng)
        if not rooms or tour[0] != rooms[-1]:
            rooms += tour
    share = duration_ms / len(rooms)
    starts = [0] + [
        round((i + between(-0.08, 0.08, rng)) * share / FRAME_MS) * FRAME_MS
        for i in range(1, len(rooms))
    ]
    ends = [*starts[1:], duration_ms]
    return tuple(
        RoomVisit(TimeSpan(onset, offset), room, pick(ACTIVITIES[room], rng), backdrop_seed)
        for onset, offset, room in zip(starts, ends, rooms, strict=True)
    )
