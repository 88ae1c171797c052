"""Features of all recordings of a study: what is there already is kept, one failure costs one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import CoviewError, DiskFullError, ModelError, StudyError
from pipeline.records import Recording, StageFailure, TimeSpan
from pipeline.redactions import Redactions
from pipeline.results import Transcript
from pipeline.sound.captions import Caption
from pipeline.sound.encoder import SoundEncoder
from pipeline.sound.feature_files import (
    FeatureFolder,
    FeatureSettings,
    read_features,
    write_features,
)
from pipeline.sound.features import (
    HeardFeatures,
    PictureEncoder,
    RecordingFeatures,
    SoundTrack,
    clip_spans,
    picture_features,
    sound_features,
)
from pipeline.sound.study_clips import caption_span
from pipeline.speech.coverage import Coverage
from pipeline.store.layout import digest_of
from pipeline.store.shards import read_transcript
from pipeline.study import Study, media_digest
from pipeline.vision.sampling import open_frames

OnRecording = Callable[[int, int], None]
"""Told (recordings done, recordings in all)."""


@dataclass(frozen=True, slots=True)
class FeatureTools:
    """The models and how they are used."""

    encoder: SoundEncoder
    image_model: PictureEncoder
    settings: FeatureSettings


@dataclass(frozen=True, slots=True)
class StudyFeatures:
    """Features of the recordings that could be read, and why others could not."""

    features: tuple[RecordingFeatures, ...]
    durations_ms: Mapping[str, int]
    failures: tuple[StageFailure, ...]


def make_features(
    study: Study,
    speech_shards: Mapping[str, Path],
    captions: Sequence[Caption],
    tools: FeatureTools,
    on_recording: OnRecording | None = None,
) -> StudyFeatures:
    """Features of every recording with a transcript, made or read from before.

    Raises StudyError when there is none, and what must stop all work: a full disk, a bad model.
    """
    recordings = [r for r in study.recordings if r.recording_id in speech_shards]
    if not recordings:
        raise StudyError(
            f"{study.name} has no transcripts yet.",
            hint="Run the study first: python -m pipeline run STUDY",
        )
    folder = FeatureFolder(study.derived, tools.settings.fingerprint)
    found: list[RecordingFeatures] = []
    durations: dict[str, int] = {}
    failures: list[StageFailure] = []
    for number, recording in enumerate(recordings):
        if on_recording is not None:
            on_recording(number, len(recordings))
        name = recording.recording_id
        shard = speech_shards[name]
        try:
            transcript = read_transcript(shard)
            durations[name] = transcript.media.duration_ms
            spans = [
                span
                for caption in captions
                if caption.recording_id == name
                and (span := caption_span(caption, durations)) is not None
            ]
            path = folder.file(name, _digest(study, recording, shard, spans))
            if not path.is_file():
                features = recording_features(study, recording, transcript, spans, tools)
                write_features(path, features, tools.settings)
                folder.forget_older(path, name)
            found.append(read_features(path))
        except (DiskFullError, ModelError):
            raise
        except CoviewError as problem:
            failures.append(
                StageFailure("sound", name, problem.code, problem.message, problem.hint)
            )
    if on_recording is not None:
        on_recording(len(recordings), len(recordings))
    return StudyFeatures(tuple(found), durations, tuple(failures))


def recording_features(
    study: Study,
    recording: Recording,
    transcript: Transcript,
    captioned: Sequence[TimeSpan],
    tools: FeatureTools,
) -> RecordingFeatures:
    """Features of one recording, read anew. A recording without sound has none of sound, and
    no clip touches a redacted stretch.

    Raises MediaError when its picture cannot be read.
    """
    utterances = [(u.utterance_id, u.span) for u in transcript.utterances]
    clips = tuple(
        clip
        for clip in clip_spans(utterances, captioned, transcript.media.duration_ms)
        if not Redactions(recording.blackout, recording.mute).within(clip.span)
    )
    media = study.media_file(recording)
    source = open_frames(media, study.frames_folder(recording), study.settings.frames.step_ms)
    visual, n_frames = picture_features(clips, source, tools.image_model)
    n = len(clips)
    unheard = np.full(n, np.nan, np.float32)
    heard = HeardFeatures(
        np.full((n, tools.encoder.ref.dim), np.nan, np.float32),
        unheard,
        unheard,
        np.zeros(n, np.int64),
    )
    if media is not None and transcript.media.has_audio:
        speech = Coverage.of_spans([u.span for u in transcript.utterances])
        track = SoundTrack(
            media, study.settings.speech.audio_track, speech, tools.settings.keep_speech
        )
        heard = sound_features(clips, track, tools.encoder)
    return RecordingFeatures(
        recording.recording_id,
        clips,
        visual,
        heard.audio,
        heard.level_db,
        heard.speech_share,
        heard.heard_ms,
        n_frames,
    )


def _digest(
    study: Study, recording: Recording, speech_shard: Path, spans: Sequence[TimeSpan]
) -> str:
    media = study.media_file(recording) or study.frames_folder(recording)
    assert media is not None
    spoken = hashlib.sha256(repr(sorted(set(spans))).encode()).hexdigest()
    track = str(study.settings.speech.audio_track)
    parts = [media_digest(media), speech_shard.name, spoken, track]
    if recording.blackout or recording.mute:
        parts.append(Redactions(recording.blackout, recording.mute).text)
    return digest_of(*parts)
