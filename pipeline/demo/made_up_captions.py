"""Captions of stretches of the toy world, written by the program from what it showed and sounded.

In the form that `sound captions` imports; all systems of sound can learn from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipeline.demo.sentences import with_article
from pipeline.demo.sound_recipes import OBJECT_SOUNDS
from pipeline.demo.world import DemoRecording, DemoWorld, Zone
from pipeline.records import TimeSpan

CAPTION_FILE = "metadata/captions/made-up-captions.csv"
CAPTION_COLUMNS = ("recording_id", "onset_ms", "offset_ms", "kind", "text", "split")

STRETCH_MS = 5_000
STEP_MS = 2_500
_SEEN_MS = 800
_HEARD_MS = 300
_MOST_SEEN = 3

CaptionRow = tuple[str, int, int, str, str, str]


def caption_rows(world: DemoWorld) -> Iterator[CaptionRow]:
    """Captions of five seconds at every two and a half in which something is seen and heard.

    Each names one thing that is in the middle of the picture (kind visual), that sounds (audio),
    or both (audio_visual). Other stretches have none.
    """
    for recording in world.recordings:
        for onset_ms in range(0, recording.duration_ms - STRETCH_MS + 1, STEP_MS):
            span = TimeSpan(onset_ms, onset_ms + STRETCH_MS)
            for kind, text in _captions(recording, span):
                yield recording.recording_id, span.onset_ms, span.offset_ms, kind, text, ""


def _captions(recording: DemoRecording, span: TimeSpan) -> Iterator[tuple[str, str]]:
    seen = [w for w, ms in seen_ms(recording, span).most_common(_MOST_SEEN) if ms >= _SEEN_MS]
    heard = [w for w, ms in heard_ms(recording, span).most_common() if ms >= _HEARD_MS]
    if not seen or not heard:
        return
    for word in seen:
        yield "visual", f"There is {with_article(word)}."
    for word in heard:
        event = f"{with_article(word)} {OBJECT_SOUNDS[word].verb}."
        yield "audio", event[0].upper() + event[1:]
        if word in seen:
            yield "audio_visual", f"In view, {event}"
        else:
            yield "audio_visual", f"There is {with_article(seen[0])}, and {event}"


def seen_ms(recording: DemoRecording, span: TimeSpan) -> Counter[str]:
    """How long each object is in the middle of the picture within the span."""
    found: Counter[str] = Counter()
    for appearance in recording.appearances:
        if appearance.zone is Zone.MIDDLE and (ms := appearance.span.overlap_ms(span)) > 0:
            found[appearance.word] += ms
    return found


def heard_ms(recording: DemoRecording, span: TimeSpan) -> Counter[str]:
    """How long each object sounds within the span, longest first in `most_common`."""
    found: Counter[str] = Counter()
    for sounding in recording.soundings:
        if (ms := sounding.span.overlap_ms(span)) > 0:
            found[sounding.word] += ms
    return found
