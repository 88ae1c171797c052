"""Stretches of a recording's sound at 48 kHz, none longer than 10 s, and what is heard in them.

A sound encoder hears at most ten seconds and would crop longer input at random, so stretches are
cut here. It hears sounds, not words: speech can be taken out before it listens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.records import Float32Array, TimeSpan
from pipeline.speech.audio import decoded_sound
from pipeline.speech.coverage import Coverage

RATE_HZ = 48_000
LONGEST_MS = 10_000
SHORTEST_HEARD_MS = 1_000
"""Less sound than this besides speech says too little."""

_FADE_SAMPLES = RATE_HZ // 200
_PER_MS = RATE_HZ // 1000
_PIECES_JOINED = 1_000


@dataclass(frozen=True, slots=True)
class HeardChunk:
    """What of one stretch is given to the encoder.

    samples: float32 (n,) at `RATE_HZ`, speech taken out if that was asked for. `level_db` is the
    root mean square of the whole stretch in dB below full scale (-inf: digital silence),
    `speech_share` the share (0-1) of it in which somebody speaks.
    """

    span: TimeSpan
    samples: Float32Array
    level_db: float
    speech_share: float

    @property
    def heard_ms(self) -> int:
        """Sound that is left, in milliseconds."""
        return len(self.samples) // _PER_MS


def tiles(span: TimeSpan, longest_ms: int = LONGEST_MS) -> list[TimeSpan]:
    """A span cut into equal parts of at most `longest_ms`."""
    n = -(-span.duration_ms // longest_ms)
    edges = [span.onset_ms + span.duration_ms * number // n for number in range(n + 1)]
    return [TimeSpan(low, high) for low, high in pairwise(edges)]


def centred(span: TimeSpan, duration_ms: int, length_ms: int = LONGEST_MS) -> TimeSpan | None:
    """`length_ms` around the middle of a span, as far as the recording of `duration_ms` reaches;
    None when the span lies outside the recording.
    """
    middle = (span.onset_ms + span.offset_ms) // 2
    onset = max(0, middle - length_ms // 2)
    offset = min(duration_ms, middle - length_ms // 2 + length_ms)
    return TimeSpan(onset, offset) if onset < offset else None


def heard_chunks(
    path: Path, audio_track: int, spans: Sequence[TimeSpan], speech: Coverage, *, keep_speech: bool
) -> Iterator[tuple[int, HeardChunk]]:
    """The sound of each span with its place in `spans`, which must be by onset; they may overlap.

    Spans that the sound does not reach are cut short or left out. Memory grows with the longest
    span, not with the recording. Raises MediaError as `decoded_sound`.
    """
    tape = _Tape(decoded_sound(path, audio_track, RATE_HZ))
    for place, span in enumerate(spans):
        samples = tape.between(span.onset_ms * _PER_MS, span.offset_ms * _PER_MS)
        if len(samples):
            yield place, _heard(span, samples, speech, keep_speech)


class _Tape:
    """Sound that is read as far as it is asked for, and forgotten before what is asked for."""

    def __init__(self, source: Iterator[Float32Array | None]) -> None:
        self._source = source
        self._held = np.zeros(0, np.float32)
        self._start = 0

    def between(self, first: int, last: int) -> Float32Array:
        """Samples [first, last), fewer where the sound ends; `first` must never go back."""
        pieces: list[Float32Array] = []
        n_read = self._start + len(self._held)
        while n_read < last:
            samples = next((piece for piece in self._source if piece is not None), None)
            if samples is None:
                break
            pieces.append(samples)
            n_read += len(samples)
            if len(pieces) > _PIECES_JOINED:
                self._join(pieces, first)
        self._join(pieces, first)
        return self._held[max(0, first - self._start) : max(0, last - self._start)]

    def _join(self, pieces: list[Float32Array], first: int) -> None:
        held = np.concatenate([self._held, *pieces])
        pieces.clear()
        n_past = min(max(0, first - self._start), len(held))
        self._held, self._start = held[n_past:], self._start + n_past


def _heard(
    span: TimeSpan, samples: Float32Array, speech: Coverage, keep_speech: bool
) -> HeardChunk:
    reach = TimeSpan(span.onset_ms, span.onset_ms + max(1, len(samples) // _PER_MS))
    onset, offset = np.array([reach.onset_ms]), np.array([reach.offset_ms])
    spoken_ms = int(speech.overlap_ms(onset, offset)[0])
    power = float(np.square(samples, dtype=np.float64).mean())
    level_db = 10 * float(np.log10(power)) if power > 0 else float("-inf")
    if spoken_ms and not keep_speech:
        samples = without_speech(samples, reach.onset_ms, speech)
    return HeardChunk(reach, samples, level_db, spoken_ms / reach.duration_ms)


def without_speech(samples: Float32Array, onset_ms: int, speech: Coverage) -> Float32Array:
    """The samples (n,) between speech, joined; each piece fades in and out over 5 ms, so that the
    seams do not click.
    """
    edges = np.clip((speech.edges_ms - onset_ms) * _PER_MS, 0, len(samples)).reshape(-1, 2)
    edges = edges[edges[:, 1] > edges[:, 0]]
    starts = np.concatenate([[0], edges[:, 1]])
    ends = np.concatenate([edges[:, 0], [len(samples)]])
    pieces = [
        faded(samples[low:high]) for low, high in zip(starts, ends, strict=True) if low < high
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def faded(piece: Float32Array) -> Float32Array:
    """The piece (n,) with 5 ms of fading in and out."""
    n = min(_FADE_SAMPLES, len(piece) // 2)
    ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
    faded = piece.copy()
    faded[:n] *= ramp
    faded[len(faded) - n :] *= ramp[::-1]
    return faded
