"""Names for utterances that come from what they are, so that re-running never renumbers them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pipeline.records import Utterance

_DIGEST_BYTES = 6


def with_ids(utterances: Sequence[Utterance]) -> tuple[Utterance, ...]:
    """Sort by onset, offset and text, and give every utterance its id: 12 hex digits.

    The id is a digest of recording, onset, offset, text and, among exact duplicates, the how
    manieth it is. Equal input gives equal ids, in whatever order it comes.
    """
    ordered = sorted(
        utterances, key=lambda u: (u.span.onset_ms, u.span.offset_ms, u.text, u.speaker.value)
    )
    n_same: Counter[tuple[int, int, str]] = Counter()
    taken: set[str] = set()
    named = []
    for utterance in ordered:
        content = (utterance.span.onset_ms, utterance.span.offset_ms, utterance.text)
        utterance_id = _digest(utterance.recording_id, content, n_same[content])
        while utterance_id in taken:
            n_same[content] += 1
            utterance_id = _digest(utterance.recording_id, content, n_same[content])
        n_same[content] += 1
        taken.add(utterance_id)
        named.append(replace(utterance, utterance_id=utterance_id))
    return tuple(named)


def _digest(recording_id: str, content: tuple[int, int, str], ordinal: int) -> str:
    onset_ms, offset_ms, text = content
    # The text comes last, since it alone may hold the separator.
    key = f"{len(recording_id)}:{recording_id}|{onset_ms}|{offset_ms}|{ordinal}|{text}"
    return hashlib.blake2b(key.encode(), digest_size=_DIGEST_BYTES).hexdigest()
