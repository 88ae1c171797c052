"""Transcripts of the toy world as machines would write them: nearly right.

`heard_segments` gives what a speech recogniser makes of a recording (WhisperX's JSON),
`speaker_turns` what a voice type classifier makes of it (RTTM with the labels of VTC 1.x).
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.demo.chance import between, normal, pick
from pipeline.demo.vocabulary import word_names
from pipeline.demo.world import DemoRecording, SpokenLine
from pipeline.records import Speaker, TimeSpan

_ONSET_SD_MS = 90.0
_OFFSET_SD_MS = 110.0
_DROPPED = 0.018
_CONFUSED = 0.038
_INSERTED = 0.008
_WRONG_NAME = 0.03
_MERGED = 0.15
_MERGE_GAP_MS = 800
_UNTIMED = 0.01
_HALLUCINATED = 0.4
_HALLUCINATIONS = ("Thank you for watching.", "Thanks for listening.", "Bye bye, see you soon.")
_CONFUSIONS = {
    "the": ("a", "this"),
    "a": ("the", "uh"),
    "your": ("you", "her"),
    "you": ("ya", "to"),
    "what": ("but", "that"),
    "where": ("were", "there"),
    "where's": ("there's", "was"),
    "there's": ("that's", "where's"),
    "this": ("that", "is"),
    "did": ("it", "and"),
    "do": ("you", "to"),
    "want": ("one", "went"),
    "here": ("hear", "her"),
    "no": ("now", "oh"),
    "more": ("mo", "my"),
}
_ANY_CONFUSION = ("it", "so", "and", "that", "oh")

_TURN_SD_MS = 60.0
_TURN_MISSED = 0.03
_TURN_CONFUSED = 0.03
_RTTM_LABELS = {
    Speaker.FEM: "FEM",
    Speaker.MAL: "MAL",
    Speaker.CHI: "KCHI",
    Speaker.OCH: "CHI",
}
_TURN_CONFUSIONS = {"FEM": "CHI", "MAL": "FEM", "KCHI": "CHI", "CHI": "KCHI"}


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as recognised, with its mark of punctuation; `span` None where it was not aligned."""

    text: str
    span: TimeSpan | None
    score: float


@dataclass(frozen=True, slots=True)
class HeardSegment:
    """One segment of a recogniser's output: one sentence or two."""

    span: TimeSpan
    words: tuple[HeardWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """One labelled stretch of a speaker file."""

    span: TimeSpan
    label: str


def heard_segments(recording: DemoRecording, rng: random.Random) -> tuple[HeardSegment, ...]:
    """What a recogniser makes of the recording, in order of time.

    One or two utterances are missed (one in a short recording); some words are dropped, confused
    or added, a few names are wrong, times are shifted, neighbours are sometimes merged, and now
    and then a phrase is invented in a long pause.
    """
    n_lines = len(recording.lines)
    missed = {int(rng.random() * n_lines) for _ in range(2 if n_lines >= 20 else 1)}
    segments: list[HeardSegment] = []
    floor_ms = 0
    for position, line in enumerate(recording.lines):
        if position in missed:
            continue
        segment = _heard(line, floor_ms, recording.duration_ms, rng)
        floor_ms = segment.span.offset_ms
        if (
            segments
            and segment.span.onset_ms - segments[-1].span.offset_ms < _MERGE_GAP_MS
            and rng.random() < _MERGED
        ):
            before = segments.pop()
            segment = HeardSegment(
                TimeSpan(before.span.onset_ms, segment.span.offset_ms),
                before.words + segment.words,
            )
        segments.append(segment)
    invented = _hallucination(recording, rng)
    return tuple(sorted((*segments, *invented), key=lambda segment: segment.span))


def _heard(line: SpokenLine, floor_ms: int, ceiling_ms: int, rng: random.Random) -> HeardSegment:
    """One utterance as recognised; it starts at `floor_ms` or later."""
    onset = max(floor_ms, line.span.onset_ms + round(_ONSET_SD_MS * normal(rng)))
    offset = line.span.offset_ms + round(_OFFSET_SD_MS * normal(rng))
    offset = min(ceiling_ms, max(offset, onset + 150))
    tokens = _recognised(line, rng)
    letters = [len(text) + 1 for text, _ in tokens]
    words: list[HeardWord] = []
    cursor = 0
    for position, (text, score) in enumerate(tokens):
        start = onset + (offset - onset) * cursor // sum(letters)
        cursor += letters[position]
        end = onset + (offset - onset) * cursor // sum(letters)
        is_inner = 0 < position < len(tokens) - 1
        is_untimed = is_inner and rng.random() < _UNTIMED
        words.append(HeardWord(text, None if is_untimed else TimeSpan(start, end), score))
    return HeardSegment(TimeSpan(onset, offset), tuple(words))


def _recognised(line: SpokenLine, rng: random.Random) -> list[tuple[str, float]]:
    """The words of one utterance with their scores, errors made; never empty."""
    spoken = line.text.split()
    heard: list[tuple[str, float]] = []
    for position, token in enumerate(spoken):
        word = token.rstrip(".,!?")
        mark = token[len(word) :]
        chance = rng.random()
        if line.named_word is not None and word.lower() == line.named_word:
            if chance < _WRONG_NAME:
                word = _confused_name(word.lower(), rng)
        elif chance < _DROPPED and 0 < position < len(spoken) - 1:
            continue
        elif chance < _DROPPED + _CONFUSED:
            word = pick(_CONFUSIONS.get(word.lower(), _ANY_CONFUSION), rng)
        is_error = word != token.rstrip(".,!?")
        if position == 0:
            word = word[0].upper() + word[1:]
        heard.append((word + mark, between(0.2, 0.7, rng) if is_error else between(0.6, 1.0, rng)))
        if position < len(spoken) - 1 and rng.random() < _INSERTED:
            heard.append((pick(_ANY_CONFUSION, rng), between(0.2, 0.6, rng)))
    return heard


def _confused_name(word: str, rng: random.Random) -> str:
    """Another object's name, one that begins alike if there is one."""
    others = [other for other in word_names() if other != word]
    alike = [other for other in others if other[0] == word[0]]
    return pick(alike or others, rng)


def _hallucination(recording: DemoRecording, rng: random.Random) -> tuple[HeardSegment, ...]:
    """At most one invented phrase, in a pause long enough to hold it."""
    if rng.random() >= _HALLUCINATED:
        return ()
    text = pick(_HALLUCINATIONS, rng)
    for before, after in zip(recording.lines, recording.lines[1:], strict=False):
        if after.span.onset_ms - before.span.offset_ms > 2600:
            onset = before.span.offset_ms + 700
            tokens = text.split()
            words = tuple(
                HeardWord(
                    token,
                    TimeSpan(onset + 300 * i, onset + 300 * (i + 1)),
                    between(0.05, 0.35, rng),
                )
                for i, token in enumerate(tokens)
            )
            return (HeardSegment(TimeSpan(onset, onset + 300 * len(tokens)), words),)
    return ()


def whisperx_json(segments: Sequence[HeardSegment]) -> str:
    """The segments as WhisperX writes them: seconds, words with scores, no speakers."""
    written = [
        {
            "start": segment.span.onset_ms / 1000,
            "end": segment.span.offset_ms / 1000,
            "text": f" {segment.text}",
            "words": [_word_entry(word) for word in segment.words],
        }
        for segment in segments
    ]
    words = [_word_entry(word) for segment in segments for word in segment.words]
    return json.dumps({"segments": written, "word_segments": words, "language": "en"}, indent=1)


def _word_entry(word: HeardWord) -> dict[str, str | float]:
    entry: dict[str, str | float] = {"word": word.text}
    if word.span is not None:
        entry["start"] = word.span.onset_ms / 1000
        entry["end"] = word.span.offset_ms / 1000
        entry["score"] = round(word.score, 3)
    return entry


def speaker_turns(recording: DemoRecording, rng: random.Random) -> tuple[SpeakerTurn, ...]:
    """What a voice type classifier makes of the recording, in order of time.

    Labels are those of VTC 1.x, where KCHI wears the camera and CHI is another child. Every turn
    comes with a SPEECH turn. Some turns are missed or mislabelled, one in a recording is made up.
    """
    turns: list[SpeakerTurn] = []
    for line in recording.lines:
        if rng.random() < _TURN_MISSED:
            continue
        label = _RTTM_LABELS[line.speaker]
        if rng.random() < _TURN_CONFUSED:
            label = _TURN_CONFUSIONS[label]
        onset = max(0, line.span.onset_ms + round(_TURN_SD_MS * normal(rng)))
        offset = max(onset + 100, line.span.offset_ms + round(_TURN_SD_MS * normal(rng)))
        turns.append(SpeakerTurn(TimeSpan(onset, min(offset, recording.duration_ms)), label))
    onset = round(between(0, recording.duration_ms - 1000, rng))
    turns.append(
        SpeakerTurn(
            TimeSpan(onset, onset + round(between(200, 600, rng))), pick(("KCHI", "CHI"), rng)
        )
    )
    speech = [SpeakerTurn(turn.span, "SPEECH") for turn in turns]
    return tuple(sorted((*turns, *speech), key=lambda turn: (turn.span, turn.label)))


def rttm_text(recording_id: str, turns: Sequence[SpeakerTurn]) -> str:
    """The turns as RTTM: ten columns, times in seconds."""
    return "".join(
        f"SPEAKER {recording_id} 1 {turn.span.onset_ms / 1000:.3f} "
        f"{turn.span.duration_ms / 1000:.3f} <NA> <NA> {turn.label} <NA> <NA>\n"
        for turn in turns
    )
