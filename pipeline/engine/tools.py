"""Models and indexes a process needs, each loaded when first asked for."""

from __future__ import annotations

import gc
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.errors import ModelError
from pipeline.study import Study

if TYPE_CHECKING:
    from pipeline.speech.index import TranscriptIndex
    from pipeline.speech.transcriber import Transcriber
    from pipeline.vision.open_clip_model import ImageTextModel
    from pipeline.word_knowledge import WordKnowledge


class Tools:
    """What the stages of one process share. `device` is auto, cpu or cuda."""

    def __init__(self, study: Study, device: str) -> None:
        self.study = study
        self.device = resolved_device(device)

    @cached_property
    def model(self) -> ImageTextModel:
        from pipeline.vision.open_clip_model import OpenClipModel

        return OpenClipModel(self.study.settings.model, self.study.root, self.device)

    @cached_property
    def nouns(self) -> WordKnowledge:
        """Which words are nouns, from the study's norms or the own list."""
        from pipeline.store.known_nouns import known_nouns

        return known_nouns(self.study.root, self.study.settings.speech.language)

    @cached_property
    def transcripts(self) -> TranscriptIndex:
        from pipeline.speech.index import transcript_inputs

        return transcript_inputs(self.study)

    def look_again_at_transcripts(self) -> None:
        """Forget the index: files were added since it was made."""
        self.__dict__.pop("transcripts", None)

    @cached_property
    def transcriber(self) -> Transcriber:
        """Whisper; ModelError when it is not on this machine."""
        from pipeline.speech.transcriber import WhisperTranscriber

        settings = self.study.settings.speech
        return WhisperTranscriber(settings, self.study.root, self.device, settings.cache_dir)

    def forget_models(self) -> None:
        """Give back the memory of the models; one that is asked for later is loaded again."""
        for name in ("model", "transcriber"):
            self.__dict__.pop(name, None)
        gc.collect()

    @cached_property
    def speech_revision(self) -> str:
        """Digest of the Whisper model's files, "" when it is not on this machine."""
        from pipeline.speech.whisper_files import speech_model_folder, speech_model_revision

        settings = self.study.settings.speech
        try:
            folder = speech_model_folder(settings.model, self.study.root, settings.cache_dir)
        except ModelError:
            return ""
        return speech_model_revision(folder)

    def needs_whisper(self, recording_id: str) -> bool:
        """Whether this recording's speech must be transcribed."""
        source = self.study.settings.speech.source
        if source == "auto":
            return self.transcripts.transcript_for(recording_id) is None
        return source == "whisper"


def resolved_device(device: str) -> str:
    """ "auto" becomes cuda where a GPU is usable, else cpu.

    Raises ModelError when cuda was asked for and there is none.
    """
    if device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise ModelError("No usable CUDA GPU was found.", hint="Use --device cpu or auto.")
    return "cpu"
