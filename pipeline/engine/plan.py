"""Which shards a study should have: fingerprints of settings, digests of inputs.

A fingerprint covers everything that changes a stage's result for all recordings; a digest covers
one recording's own input. Raise a stage's number below when its code starts to give other results.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from pipeline.config import AlignSettings, FrameSettings
from pipeline.engine.media_digests import MediaDigests
from pipeline.records import FrameMode, ModelRef, Recording
from pipeline.schema import MAX_LAG_MS, NULL_MIN_LAG_MS, WINDOWS
from pipeline.score_settings import MADE_TEXTS, TextVariant
from pipeline.store.known_nouns import nouns_digest
from pipeline.store.layout import ShardFolder, Stage, digest_of, file_stem
from pipeline.store.shards import model_facts
from pipeline.study import Study

UNPLANNED = "unplanned"

STAGE_VERSION: dict[Stage, int] = {
    Stage.SPEECH: 2,
    Stage.VISION: 1,
    Stage.TEXT: 1,
    Stage.ALIGN: 4,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The shard folders of one study under its present settings and model."""

    speech: ShardFolder
    vision: ShardFolder
    text: ShardFolder
    align: ShardFolder
    variants: tuple[tuple[TextVariant, ShardFolder], ...] = ()
    """Folders of the texts that further settings of the score compare, beside `text`."""

    def folder(self, stage: Stage) -> ShardFolder:
        return {
            Stage.SPEECH: self.speech,
            Stage.VISION: self.vision,
            Stage.TEXT: self.text,
            Stage.ALIGN: self.align,
        }[stage]


def make_plan(study: Study, model: ModelRef | None) -> Plan:
    """Fingerprint every stage; each includes the fingerprints of the stages before it.

    Without a model only the speech stage is planned; the others get the fingerprint UNPLANNED.
    """
    settings = study.settings

    def folder(stage: Stage, *parts: str) -> ShardFolder:
        fingerprint = digest_of(stage.value, str(STAGE_VERSION[stage]), *parts)
        return ShardFolder(study.derived, stage, fingerprint)

    speech = folder(Stage.SPEECH, _json(asdict(settings.speech)))
    if model is None:
        vision, text, align = (
            ShardFolder(study.derived, stage, UNPLANNED)
            for stage in (Stage.VISION, Stage.TEXT, Stage.ALIGN)
        )
        return Plan(speech, vision, text, align)
    model_text = _json(model_facts(model))
    vision = folder(
        Stage.VISION, _frame_settings(settings.frames), model_text, _json(settings.align.crops)
    )
    text = folder(Stage.TEXT, model_text, speech.fingerprint)
    compared = {setting.text for setting in settings.align.score_settings}
    variants = tuple(
        (variant, folder(Stage.TEXT, model_text, speech.fingerprint, variant.value))
        for variant in MADE_TEXTS
        if variant in compared
    )
    align = folder(
        Stage.ALIGN,
        _align_settings(settings.align),
        _json({"windows": WINDOWS, "lag": MAX_LAG_MS, "null_lag": NULL_MIN_LAG_MS}),
        vision.fingerprint,
        text.fingerprint,
        *(made.fingerprint for _, made in variants),
    )
    return Plan(speech, vision, text, align, variants)


def _frame_settings(settings: FrameSettings) -> str:
    """With exact frames the same text as before there were any others."""
    chosen = asdict(settings)
    if settings.mode == FrameMode.EXACT.value:
        del chosen["mode"]
    return _json(chosen)


def _align_settings(settings: AlignSettings) -> str:
    """Without further settings of the score the same text as before there were any."""
    chosen = {**asdict(settings), "threshold": None}
    chosen["settings"] = [setting.name for setting in settings.score_settings]
    if not chosen["settings"]:
        del chosen["settings"]
    return _json(chosen)


class Inputs:
    """Digests of what recordings are made from, each file read once per run."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._media: dict[str, str] = {}
        self._kept = MediaDigests(study.derived)
        self._files: dict[Path, str] = {}

    def media(self, recording: Recording) -> str:
        """Digest of the video, or of the frame folder where there is no video."""
        if recording.recording_id not in self._media:
            source = self._study.media_file(recording) or self._study.frames_folder(recording)
            assert source is not None
            self._media[recording.recording_id] = self._kept.of(source)
        return self._media[recording.recording_id]

    def keep(self) -> None:
        """Keep the digests of the media for the next run."""
        self._kept.keep()

    def speech(self, recording: Recording, transcripts: Sequence[Path], whisper: str) -> str:
        """Digest of the media, of the transcript and speaker files of one recording, and of the
        Whisper model where that is what hears it ("" where not), and of what is muted."""
        parts = [self.media(recording), recording.recording_id, whisper]
        for path in sorted(transcripts):
            if path not in self._files:
                self._files[path] = hashlib.sha256(path.read_bytes()).hexdigest()
            parts.append(self._files[path])
        if recording.mute:
            parts.append(repr(recording.mute))
        return digest_of(*parts)

    def vision(self, recording: Recording) -> str:
        """Digest of the media and of what is blacked out."""
        parts = [self.media(recording), recording.recording_id]
        if recording.blackout:
            parts.append(repr(recording.blackout))
        return digest_of(*parts)

    @cached_property
    def norms(self) -> str:
        """Digest of the files that say which words are nouns."""
        return nouns_digest(self._study.root)


def text_input(speech_shard: Path) -> str:
    """Digest for the text stage: the speech shard's own name carries its input."""
    return digest_of(speech_shard.name)


def variant_input(speech_shard: Path, norms: str) -> str:
    """Digest for texts made from nouns: they follow the words said and the files of norms."""
    return digest_of(speech_shard.name, norms)


def align_input(text_shard: Path, pool: Sequence[str], more: Sequence[Path] = ()) -> str:
    """Digest for the align stage: the texts and the names of every vision shard of the same
    child, in order, and the further text shards that its settings look at."""
    return digest_of(
        text_shard.name,
        *pool,
        *(f"{path.parent.name}/{path.name}" for path in more),
    )


def hubs_path(align: ShardFolder, child_id: str, sources: Sequence[Path]) -> Path:
    """Where the mean vectors of a child lie, made from all its vision and text shards."""
    digest = digest_of(*sorted(f"{path.parent.name}/{path.name}" for path in sources))
    return align.path / "hubs" / f"{file_stem(child_id)}~{digest}.parquet"


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
