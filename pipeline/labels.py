"""What every code of the store is called on screen and in a report, and how numbers are written."""

from __future__ import annotations

import math

from pipeline.score_columns import window_seconds
from pipeline.sound_tables import QUADRANTS as QUADRANT_WORDS

SPEAKERS: dict[str, str] = {
    "FEM": "Female adult",
    "MAL": "Male adult",
    "CHI": "Key child",
    "OCH": "Other child",
    "NA": "Unknown speaker",
}
CROPS: dict[str, str] = {
    "center": "Centre",
    "pad": "Padded",
    "squash": "Squashed",
    "multi": "Multi",
}
CROPS_LONG: dict[str, str] = {
    "center": "Centre crop: the middle square of the frame, CLIP's default",
    "pad": "Padded: the whole frame with borders",
    "squash": "Squashed: the whole frame, proportions not kept",
    "multi": "Multi-crop: the best of several overlapping squares",
}
WINDOWS: dict[str, str] = {"strict": "Strict", "1s": "± 1 s", "2s": "± 2 s"}
STATISTICS: dict[str, str] = {"max": "Maximum", "mean": "Mean"}
SCALES: dict[str, str] = {"raw": "Cosine", "z": "z against chance"}
SCALE_AXES: dict[str, str] = {
    "raw": "cosine of words and frames",
    "z": "score as z (SD of the matched null)",
}
SCALE_UNITS: dict[str, str] = {"raw": "cosine", "z": "SD of the matched null"}
FLAGS: dict[str, str] = {
    "overlapping": "Overlapping speech",
    "clipped_to_media": "Cut at the end of the recording",
    "no_word_times": "No word times",
    "repetitive": "Repetitive transcript",
    "likely_no_speech": "Probably no speech",
    "low_confidence": "Low confidence",
    "split_by_sentence": "Split by sentence",
    "phantom_phrase": "Known phantom phrase",
    "too_fast": "Impossibly fast",
    "no_voice": "No voice heard",
    "other_language": "Perhaps translated",
    "time_supplied": "End not in the transcript",
}
DOUBTFUL_FLAGS = (
    "repetitive",
    "likely_no_speech",
    "low_confidence",
    "phantom_phrase",
    "too_fast",
    "no_voice",
    "other_language",
)
"""Flags that say that nobody may have said this."""
MISSING: dict[str, str] = {
    "no_frame_in_window": "No sampled frame falls inside the utterance",
    "no_null": "No chance level: no other frames of this child to compare with",
    "no_noun": "None of its words is known to be a noun (parts of speech are known for English)",
    "not_scored": "Not scored by this model",
}
GROUPS: dict[str, str] = {
    "none": "All speech",
    "speaker": "Speaker",
    "age": "Age",
    "activity": "Activity",
    "location": "Location",
}
QUADRANTS: dict[str, str] = {code: words.capitalize() for code, words in QUADRANT_WORDS.items()}
SOUND_PAIRS: dict[str, str] = {
    "see_say": "See–say",
    "hear_say": "Hear–say",
    "see_hear": "See–hear",
}
SOUND_MISSING: dict[str, str] = {
    "too_little_sound": "Less than a second of sound besides speech within ten seconds",
    "no_frame": "No frame within ten seconds",
    "no_text": "The words have no vector",
}
STAGES: dict[str, str] = {
    "study": "Metadata",
    "speech": "Speech",
    "vision": "Frames",
    "text": "Text",
    "align": "Scores",
    "publish": "Store",
}
DAYS_PER_MONTH = 30.4375
NO_VALUE = "–"
NO_WORDS = "(no words to show)"
"""In the place of words: nothing was understood, or nothing of it may be shown."""


def count(value: int) -> str:
    """12345 -> '12,345'."""
    return f"{value:,}"


def percent(share: float, digits: int = 1) -> str:
    """0.1264 -> '12.6 %'; a missing value is a dash."""
    return NO_VALUE if math.isnan(share) else f"{100 * share:.{digits}f} %"


def percent_range(low: float, high: float, digits: int = 1) -> str:
    """Interval of a share, or a dash when there is none."""
    if math.isnan(low) or math.isnan(high):
        return NO_VALUE
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def hours(milliseconds: int) -> str:
    """Length of recordings: '3.4 h', or minutes below one hour."""
    if milliseconds < 3_600_000:
        return f"{milliseconds / 60_000:.0f} min"
    return f"{milliseconds / 3_600_000:,.1f} h"


def months(days: float) -> str:
    """Age in months with one decimal, as developmental papers write it."""
    return f"{days / DAYS_PER_MONTH:.1f}"


def age_range(low_days: float | None, high_days: float | None) -> str:
    """'6.6-9.2 months', 'unknown' when no recording has an age."""
    if low_days is None or high_days is None or math.isnan(low_days) or math.isnan(high_days):
        return "age unknown"
    low, high = months(low_days), months(high_days)
    return f"{low} months" if low == high else f"{low}–{high} months"


def clock(milliseconds: int) -> str:
    """Position in a recording: '12:34.5', with hours from one hour on."""
    seconds, rest = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    tail = f"{minutes:02d}:{seconds:02d}.{rest // 100}"
    return f"{whole}:{tail}" if whole else tail


def window(name: str) -> str:
    """'Strict', '± 1 s', '−3 to +1 s'."""
    if name in WINDOWS:
        return WINDOWS[name]
    before_s, after_s = window_seconds(name)
    return f"−{before_s} to +{after_s} s"


def window_frames(name: str) -> str:
    """'frames from 3 s before to 1 s after the utterance'."""
    before_s, after_s = window_seconds(name)
    if not before_s and not after_s:
        return "frames during the utterance"
    start = f"{before_s} s before" if before_s else "the start of"
    end = f"{after_s} s after" if after_s else "the end of"
    return f"frames from {start} to {end} the utterance"


def setting(crop: str, window_name: str, statistic: str) -> str:
    """'Centre crop, strict window, maximum'."""
    words = window(window_name)
    words = words.lower() if words[0].isalpha() else words
    return f"{CROPS[crop]} crop, {words} window, {STATISTICS[statistic].lower()}"


def plural(n: int, noun: str) -> str:
    """'1 child', '4 children'."""
    irregular = {"child": "children"}
    return f"{count(n)} {noun if n == 1 else irregular.get(noun, noun + 's')}"
