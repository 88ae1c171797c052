"""What a command on sound works with: the study's clips, its captions and what they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import StudyError
from pipeline.records import StageFailure
from pipeline.sound.captions import FoundCaptions, study_captions
from pipeline.sound.encoder import SoundEncoder
from pipeline.sound.feature_files import FeatureSettings
from pipeline.sound.features import PictureEncoder, RecordingFeatures
from pipeline.sound.study_clips import (
    SpokenText,
    StudyClips,
    TextChoice,
    captioned_clips,
    utterance_clips,
)
from pipeline.sound.study_features import FeatureTools, OnRecording, make_features
from pipeline.store.shards import read_texts, read_transcript
from pipeline.study import Study


@dataclass(frozen=True, slots=True)
class StudyShards:
    """Where the last run of a study left transcripts and text vectors, by recording."""

    speech: Mapping[str, Path]
    text: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class PreparedStudy:
    """A study ready to be learnt from. `learn` are the clips with the chosen texts, `utterances`
    those around utterances (they may be the same), `digest` stands for both and their features.
    """

    features: tuple[RecordingFeatures, ...]
    feature_settings: FeatureSettings
    learn: StudyClips
    utterances: StudyClips
    digest: str
    notices: tuple[str, ...]
    failures: tuple[StageFailure, ...]


def prepare(
    study: Study,
    shards: StudyShards,
    encoder: SoundEncoder,
    image_model: PictureEncoder,
    choice: TextChoice,
    *,
    keep_speech: bool,
    on_recording: OnRecording | None = None,
) -> PreparedStudy:
    """Make what features are missing and join them with texts.

    Raises StudyError when nothing can be learnt from, or captions are asked for and there are
    none.
    """
    captions = study_captions(study.root, study.recordings)
    if choice is TextChoice.CAPTIONS and not captions.captions:
        raise StudyError(
            f"{study.name} has no captions.",
            hint="Import them with: python -m pipeline sound captions STUDY FILE",
        )
    settings = FeatureSettings(
        encoder.ref, image_model.ref, study.settings.frames.step_ms, keep_speech
    )
    tools = FeatureTools(encoder, image_model, settings)
    made = make_features(study, shards.speech, captions.captions, tools, on_recording)
    child_of = {r.recording_id: r.child_id for r in study.recordings}
    utterances = utterance_clips(made.features, _spoken(shards), child_of)
    learn = utterances
    if captions.captions and choice is not TextChoice.UTTERANCES:
        learn = captioned_clips(
            made.features, captions.captions, made.durations_ms, child_of, image_model.embed_texts
        )
    return PreparedStudy(
        made.features,
        settings,
        learn,
        utterances,
        _digest(learn, utterances),
        _sentences(captions, learn),
        made.failures,
    )


def _spoken(shards: StudyShards) -> dict[tuple[str, str], SpokenText]:
    spoken: dict[tuple[str, str], SpokenText] = {}
    for name, path in shards.text.items():
        if name not in shards.speech:
            continue
        texts = read_texts(path)
        said = {u.utterance_id: u.text for u in read_transcript(shards.speech[name]).utterances}
        for utterance_id, vector in zip(texts.utterance_ids, texts.vectors, strict=True):
            if utterance_id in said:
                spoken[name, utterance_id] = SpokenText(said[utterance_id], vector)
    return spoken


def _sentences(captions: FoundCaptions, learn: StudyClips) -> tuple[str, ...]:
    notices = [notice.message for notice in captions.notices]
    return (*notices, *(f"Left out: {sentence}." for sentence in learn.left_out))


def _digest(learn: StudyClips, utterances: StudyClips) -> str:
    digest = hashlib.sha256()
    for clips in {id(learn): learn, id(utterances): utterances}.values():
        digest.update("\n".join(clips.clips.clip_ids).encode())
        digest.update(" ".join(clips.split).encode())
        for values in (clips.clips.visual, clips.clips.audio):
            digest.update(np.ascontiguousarray(values).tobytes())
        for kind, block in clips.clips.texts.items():
            digest.update(kind.value.encode())
            digest.update(np.ascontiguousarray(block.vectors).tobytes())
    return digest.hexdigest()[:16]
