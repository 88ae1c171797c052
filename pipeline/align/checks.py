"""What must hold before scores are computed; each failure says what to run again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.align.child_frames import ChildFrames, FrameTimes
from pipeline.errors import AlignmentError
from pipeline.records import Crop, Float32Array, ModelRef
from pipeline.results import (
    ChildHubs,
    TextEmbeddings,
    Transcript,
    VariantTexts,
)
from pipeline.score_settings import TextVariant

_RUN_AGAIN = "Run the command again; if it persists, delete the folder derived and run it anew."


def check_frames(transcript: Transcript, recording_id: str) -> None:
    """Raise AlignmentError unless the frames are those of the transcript's recording."""
    if recording_id != transcript.recording_id:
        raise AlignmentError(
            f"The frames of {recording_id} came with the transcript of {transcript.recording_id}.",
            hint=_RUN_AGAIN,
        )


def check_target(
    transcript: Transcript, child: ChildFrames, texts: TextEmbeddings | None
) -> FrameTimes:
    """The recording's frames. Raises AlignmentError unless there are some, and unless texts and
    frames belong to one recording and one model."""
    name = transcript.recording_id
    frames = next((one for one in child.recordings if one.recording_id == name), None)
    if frames is None or not len(frames):
        raise AlignmentError(
            f"{name} has no sampled frames.",
            hint="Check that its video plays, or set discard to 1 in metadata/recordings.csv.",
        )
    if texts is None:
        if transcript.utterances:
            raise AlignmentError(f"The utterances of {name} are not embedded.", hint=_RUN_AGAIN)
        return frames
    if texts.recording_id != name:
        raise AlignmentError(
            f"The text embeddings of {texts.recording_id} came with the transcript of {name}.",
            hint=_RUN_AGAIN,
        )
    if _what_it_computes(texts.model) != _what_it_computes(frames.model):
        raise AlignmentError(
            f"The utterances and the frames of {name} were embedded by different models: "
            f"{_described(texts.model)} and {_described(frames.model)}.",
            hint=_RUN_AGAIN,
        )
    return frames


def check_pool(frames: FrameTimes, pool: Sequence[FrameTimes], crops: Sequence[Crop]) -> None:
    """Raise AlignmentError unless the pool has the same model and all the crops."""
    own = _what_it_computes(frames.model)
    for other in pool:
        if other.model is not frames.model and _what_it_computes(other.model) != own:
            raise AlignmentError(
                f"The frames of {frames.recording_id} and {other.recording_id} were embedded by "
                f"different models: {_described(frames.model)} and {_described(other.model)}.",
                hint=_RUN_AGAIN,
            )
        if not other.crops.issuperset(crops):
            lacking = [crop.value for crop in crops if crop not in other.crops]
            raise AlignmentError(
                f"The frames of {other.recording_id} lack the crop {', '.join(lacking)} that "
                f"those of {frames.recording_id} have.",
                hint=_RUN_AGAIN,
            )


def texts_in_order(transcript: Transcript, texts: TextEmbeddings | None, dim: int) -> Float32Array:
    """Text vectors (n, dim) in the order of the transcript's utterances, matched by id.

    Raises AlignmentError when the ids differ or a vector is not of unit length.
    """
    ids = [utterance.utterance_id for utterance in transcript.utterances]
    if texts is None:
        return np.empty((0, dim), np.float32)
    is_in_order = ids == list(texts.utterance_ids)
    unlike = set(ids)
    if len(unlike) != len(ids) or not (
        is_in_order or (len(ids) == len(texts.utterance_ids) and unlike == set(texts.utterance_ids))
    ):
        raise AlignmentError(
            f"{transcript.recording_id} has {len(ids)} utterances and {len(texts.utterance_ids)} "
            "text embeddings whose ids do not match.",
            hint=_RUN_AGAIN,
        )
    vectors = texts.vectors
    if not is_in_order:
        row_of = {utterance_id: row for row, utterance_id in enumerate(texts.utterance_ids)}
        vectors = vectors[[row_of[utterance_id] for utterance_id in ids]]
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    if not np.all(np.abs(lengths - 1.0) < 1e-3):
        raise AlignmentError(
            f"The text embeddings of {transcript.recording_id} are not unit vectors.",
            hint=_RUN_AGAIN,
        )
    return np.ascontiguousarray(vectors, np.float32)


def variant_in_order(
    texts: VariantTexts | None,
    variant: TextVariant,
    transcript: Transcript,
    frames: FrameTimes,
) -> VariantTexts:
    """Made texts, checked against the recording's utterances and model.

    Raises AlignmentError when they are not there or belong to something else.
    """
    ids = tuple(utterance.utterance_id for utterance in transcript.utterances)
    if (
        texts is None
        or (texts.recording_id, texts.utterance_ids) != (transcript.recording_id, ids)
        or _what_it_computes(texts.model) != _what_it_computes(frames.model)
    ):
        raise AlignmentError(
            f"The texts made for the setting {variant.value} do not belong to the utterances and "
            f"frames of {transcript.recording_id}.",
            hint=_RUN_AGAIN,
        )
    return texts


def checked_hubs(
    hubs: ChildHubs | None, text: TextVariant, frames: FrameTimes, crops: Sequence[Crop]
) -> ChildHubs:
    """The mean vectors of the child; AlignmentError unless they have this text and these crops."""
    if (
        hubs is None
        or _what_it_computes(hubs.model) != _what_it_computes(frames.model)
        or text not in hubs.texts
        or not set(crops) <= set(hubs.frames)
    ):
        raise AlignmentError(
            f"The mean vectors that hub-corrected scores of {frames.recording_id} take away are "
            "not there, or of another model.",
            hint=_RUN_AGAIN,
        )
    return hubs


def _what_it_computes(model: ModelRef) -> tuple[str | int, ...]:
    """What makes two vectors comparable. The number format is left out: it moves a cosine by
    about 1e-4, and one study may be embedded on several machines."""
    return (model.scorer, model.name, model.weights, model.revision, model.dim, model.preprocess)


def _described(model: ModelRef) -> str:
    return f"{model.scorer} (revision {model.revision})"
