"""Who speaks in the toy world, and the shipped recordings of what they say.

The bank is one Opus file per voice plus `lines.csv`, which says where each sentence lies. It was
made once by `make_speech.py`; reading it needs PyAV and numpy only.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.errors import MediaError
from pipeline.records import Float32Array, Speaker, TimeSpan

BANK_FOLDER = Path(__file__).parent / "speech_bank"
LINES_FILE = "lines.csv"
SAMPLE_RATE_HZ = 16_000
_RUN_UP_MS = 400


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaking voice: an espeak-ng voice at a pitch (0-99) and a speed (words a minute)."""

    voice_id: str
    speaker: Speaker
    espeak_voice: str
    pitch: int
    words_per_minute: int


VOICES: tuple[Voice, ...] = (
    Voice("fem1", Speaker.FEM, "en-us+Annie", 50, 112),
    Voice("fem2", Speaker.FEM, "en-us+linda", 55, 122),
    Voice("fem3", Speaker.FEM, "en-us+steph", 60, 116),
    Voice("mal1", Speaker.MAL, "en-us+m3", 45, 118),
    Voice("mal2", Speaker.MAL, "en-us+ed", 40, 122),
    Voice("chi1", Speaker.CHI, "en-us+Annie", 99, 98),
    Voice("chi2", Speaker.CHI, "en-us+anika", 92, 80),
    Voice("chi3", Speaker.CHI, "en-us+linda", 99, 100),
    Voice("och1", Speaker.OCH, "en-us+belinda", 88, 102),
    Voice("och2", Speaker.OCH, "en-us+Andrea", 90, 88),
)


@dataclass(frozen=True, slots=True)
class BankLine:
    """One recorded sentence: where it lies in its voice's file, and the object it names, if any."""

    voice_id: str
    span: TimeSpan
    named_word: str | None
    text: str


@dataclass(frozen=True, slots=True)
class SpeechBank:
    """All recorded sentences, in the order of the index."""

    folder: Path
    lines: tuple[BankLine, ...]

    def lines_of(self, voice_id: str, named_word: str | None) -> tuple[BankLine, ...]:
        """The sentences of one voice that name `named_word` (None: that name nothing)."""
        return tuple(
            line
            for line in self.lines
            if line.voice_id == voice_id and line.named_word == named_word
        )


def voice_file(folder: Path, voice_id: str) -> Path:
    return folder / f"{voice_id}.opus"


@lru_cache(maxsize=1)
def load_speech_bank(folder: Path = BANK_FOLDER) -> SpeechBank:
    """Read the index of the bank. Raises MediaError if it is not there."""
    path = folder / LINES_FILE
    if not path.is_file():
        raise MediaError(
            f"The demo's speech index {path.name} is missing.",
            hint="Install Coview again, or rebuild it with make_speech.py.",
        )
    with path.open(encoding="utf-8", newline="") as handle:
        lines = tuple(
            BankLine(
                voice_id=row["voice_id"],
                span=TimeSpan(int(row["onset_ms"]), int(row["offset_ms"])),
                named_word=row["named_word"] or None,
                text=row["text"],
            )
            for row in csv.DictReader(handle)
        )
    return SpeechBank(folder=folder, lines=lines)


def line_samples(bank: SpeechBank, line: BankLine) -> Float32Array:
    """The sound of one sentence: float32 (n,) in [-1, 1] at `SAMPLE_RATE_HZ`.

    Decodes only from a little before it. Raises MediaError if the voice's file cannot be read.
    """
    import av

    path = voice_file(bank.folder, line.voice_id)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            first = line.span.onset_ms * stream.rate // 1000
            last = line.span.offset_ms * stream.rate // 1000
            # An Opus file's clock starts before its first sound, by the encoder's delay.
            delay = stream.start_time or 0
            container.seek(max(0, first - _RUN_UP_MS * stream.rate // 1000), stream=stream)
            decoded = np.zeros(last - first, np.float32)
            for frame in container.decode(stream):
                at = (frame.pts or 0) - delay
                if at >= last:
                    break
                sound = frame.to_ndarray()[0]
                start, stop = max(at, first), min(at + len(sound), last)
                if stop > start:
                    decoded[start - first : stop - first] = sound[start - at : stop - at]
        whole = av.AudioFrame.from_ndarray(decoded[None, :], format="fltp", layout="mono")
        whole.sample_rate = stream.rate
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        pieces = [*resampler.resample(whole), *resampler.resample(None)]
    except (OSError, av.FFmpegError) as error:
        raise MediaError(
            f"The demo's speech file {path.name} cannot be read ({error}).",
            hint="Install Coview again, or rebuild it with make_speech.py.",
        ) from error
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces]).astype(np.float32)
