"""Speech to segments with Whisper, on this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.config import SpeechSettings
from pipeline.errors import ModelError, SettingsError
from pipeline.records import Notice, Word
from pipeline.speech.audio import SAMPLE_RATE_HZ, AudioBlock, audio_blocks, quiet_pieces
from pipeline.speech.segment import Segment, clean_text, milliseconds, word_span
from pipeline.speech.whisper_files import (
    fetch_speech_model,
    speech_model_folder,
    speech_model_revision,
)

__all__ = [
    "Transcriber",
    "Transcription",
    "WhisperTranscriber",
    "fetch_speech_model",
    "speech_model_folder",
    "speech_model_revision",
]

_CHUNK_S = 30.0
_PAUSE_MS = 160
_LANGUAGE_CHUNKS = 4
_MOST_THREADS = 16


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was heard in one recording, by time."""

    segments: tuple[Segment, ...]
    notices: tuple[Notice, ...] = ()


class Transcriber(Protocol):
    """Turns the sound of a recording into segments. `name` goes into the store."""

    @property
    def name(self) -> str: ...

    def transcribe(self, path: Path) -> Transcription:
        """Segments of one video or audio file; MediaError when it has no usable sound."""


class WhisperTranscriber:
    """Whisper through faster-whisper, in batches, with word times.

    `device` is "cpu", "cuda" or "cuda:N". `revision` is a digest of the model's files. Raises
    ModelError when the model is not on this machine or cannot run there, SettingsError when it
    does not know speech.language.
    """

    def __init__(
        self, settings: SpeechSettings, study_root: Path, device: str, cache_dir: str = ""
    ) -> None:
        folder = speech_model_folder(settings.model, study_root, cache_dir)
        self.name = f"whisper {settings.model}"
        self.revision = speech_model_revision(folder)
        self._settings = settings
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        logging.getLogger("faster_whisper").setLevel(logging.WARNING)
        kind, _, number = device.partition(":")
        try:
            self._model = WhisperModel(
                str(folder),
                device="cuda" if kind == "cuda" else "cpu",
                device_index=int(number or 0),
                compute_type=settings.compute_type,
                cpu_threads=_cpu_threads(),
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as problem:
            raise ModelError(
                f"The speech model {settings.model} cannot run on {device}: {problem}.",
                hint="Try another speech.compute_type, or --device cpu.",
            ) from problem
        known = self._model.supported_languages
        if settings.language and settings.language not in known:
            raise SettingsError(
                f"study.toml: speech.language is {settings.language!r}, which "
                f"{settings.model} does not know.",
                hint=f"It knows: {', '.join(known)}.",
            )
        self._pipeline = BatchedInferencePipeline(self._model)

    def transcribe(self, path: Path) -> Transcription:
        """Decode the recording in blocks and transcribe each; memory does not grow with length.

        The language is found anew for each block of half an hour unless the settings give it.
        """
        segments: list[Segment] = []
        n_bad = 0
        for block in audio_blocks(path, self._settings.audio_track):
            n_bad += block.n_bad_packets
            try:
                segments.extend(self._block(block, len(segments)))
            except RuntimeError as problem:
                # What CTranslate2 raises when the GPU's memory is full, for example.
                raise ModelError(
                    f"Whisper stopped at {path.name}: {problem}.",
                    hint="Try a smaller speech.batch_size, or --device cpu.",
                ) from problem
        notices = []
        if n_bad:
            notices.append(
                Notice(
                    "damaged_audio",
                    f"{n_bad} piece(s) of the sound of {path.name} could not be decoded.",
                    n_bad,
                )
            )
        return Transcription(tuple(segments), tuple(notices))

    def _block(self, block: AudioBlock, n_before: int) -> Iterable[Segment]:
        settings = self._settings
        if not len(block.samples):
            return
        windows = _speech_windows(block) if settings.vad else quiet_pieces(block.samples, _CHUNK_S)
        if not windows:
            return
        found, info = self._pipeline.transcribe(
            block.samples,
            language=settings.language or None,
            beam_size=settings.beam_size,
            batch_size=settings.batch_size,
            word_timestamps=True,
            # Whisper's own time marks cut a chunk of up to 30 s into shorter segments.
            without_timestamps=False,
            clip_timestamps=[{"start": start, "end": end} for start, end in windows],
            language_detection_segments=_LANGUAGE_CHUNKS,
        )
        for row, segment in enumerate(found, start=n_before + 1):
            words = tuple(
                Word(
                    text,
                    word_span(
                        _later(block, milliseconds(word.start)),
                        _later(block, milliseconds(word.end)),
                    ),
                    float(word.probability),
                )
                for word in segment.words or ()
                if (text := clean_text(word.word))
            )
            yield Segment(
                row=row,
                onset_ms=_later(block, milliseconds(segment.start)),
                offset_ms=_later(block, milliseconds(segment.end)),
                text=clean_text(segment.text),
                words=words,
                language=info.language,
                mean_logprob=float(segment.avg_logprob),
                no_speech_prob=float(segment.no_speech_prob),
                compression_ratio=float(segment.compression_ratio),
            )


def _speech_windows(block: AudioBlock) -> list[tuple[float, float]]:
    """Stretches of up to 30 s (start, end) that together hold all the speech of a block.

    Each is one piece of the recording. faster-whisper's own voice filter would glue speech from
    before and after a silence together, and one utterance could then span minutes.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(max_speech_duration_s=_CHUNK_S, min_silence_duration_ms=_PAUSE_MS)
    windows: list[tuple[float, float]] = []
    for found in get_speech_timestamps(block.samples, options):
        start, end = found["start"] / SAMPLE_RATE_HZ, found["end"] / SAMPLE_RATE_HZ
        if windows and end - windows[-1][0] <= _CHUNK_S:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((start, end))
    return windows


def _cpu_threads() -> int:
    """All cores up to 16, where CTranslate2 would take 4; 0 leaves it to OMP_NUM_THREADS."""
    return 0 if "OMP_NUM_THREADS" in os.environ else min(os.cpu_count() or 1, _MOST_THREADS)


def _later(block: AudioBlock, time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms + block.onset_ms
