"""A study's clips as the systems learn from them: features with captions, or with utterances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pipeline.errors import StudyError
from pipeline.records import Float32Array, Int64Array, TimeSpan
from pipeline.sound.captions import SPLITS, Caption
from pipeline.sound.clip_set import ClipSet, Kind, SplitSets, TextBlock
from pipeline.sound.features import ClipSource, RecordingFeatures
from pipeline.sound.splits import SplitBy, limited, split_clips
from pipeline.sound.systems import System, with_stand_in
from pipeline.tokens import tokenize

EmbedTexts = Callable[[Sequence[str]], Float32Array]
"""Vectors float32 (n, dim) of n texts."""


class TextChoice(str, Enum):
    """Which texts a system learns from; AUTO takes captions where the study has any."""

    AUTO = "auto"
    CAPTIONS = "captions"
    UTTERANCES = "utterances"


@dataclass(frozen=True, slots=True)
class SpokenText:
    """An utterance's words and their vector, float32 (dim,)."""

    text: str
    vector: Float32Array


@dataclass(frozen=True, slots=True)
class StudyClips:
    """Clips of a study, what was left out and why, and how they are to be split.

    `split` holds a word of SPLITS for each clip where all captions name one, else it is empty.
    `keys` names each clip by recording and clip id.
    """

    clips: ClipSet
    keys: tuple[tuple[str, str], ...]
    has_captions: bool
    split: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(self.clips.texts)

    def parts(self, by: SplitBy, seed: int) -> SplitSets:
        """Clips to learn from, to stop by and to test on; the captions' own split if they name
        one.
        """
        if not self.split:
            return split_clips(self.clips, by, seed)
        words = np.array(self.split)
        given = SplitSets(*(self.clips.of(np.flatnonzero(words == word)) for word in SPLITS))
        return limited(given, seed)


def fitted_system(system: System, study: StudyClips) -> tuple[System, str]:
    """The system as it can learn from these clips, and what that means in words ("" = as meant).

    Utterances stand in for captions where the study has none. Raises StudyError when it has
    captions, but not of a kind the system needs.
    """
    missing = frozenset(system.kinds) - study.kinds
    if not missing:
        return system, ""
    if study.has_captions:
        has = ", ".join(sorted(kind.value for kind in study.kinds))
        raise StudyError(
            f"{system.title} learns from captions of the kind "
            f"{', '.join(sorted(kind.value for kind in missing))}; this study has: {has}.",
            hint="Import such captions (sound captions), or let the utterances stand in for them "
            "with --text utterances.",
        )
    return with_stand_in(system, missing, Kind.UTTERANCE), "utterances instead of captions"


def utterance_clips(
    features: Sequence[RecordingFeatures],
    spoken: Mapping[tuple[str, str], SpokenText],
    child_of: Mapping[str, str],
) -> StudyClips:
    """Clips around utterances, each with its own words as the text.

    `spoken` is keyed by recording and utterance id. Raises StudyError when none is left.
    """
    rows = _Rows(features, child_of, ClipSource.UTTERANCE)
    texts = [spoken.get(key) for key in rows.keys]
    n_textless = sum(text is None for text in texts)
    kept = [number for number, text in enumerate(texts) if text is not None]
    found = [text for text in texts if text is not None]
    if not found:
        raise StudyError(
            "No utterance has picture, sound and text.",
            hint="Run the study first (python -m pipeline run STUDY); its recordings need sound.",
        )
    block = _block([1] * len(found), [text.text for text in found])
    vectors = np.stack([text.vector for text in found])
    left_out = [*rows.left_out]
    if n_textless:
        left_out.append(f"{n_textless} clip(s) without a text")
    return StudyClips(
        rows.clip_set(kept, {Kind.UTTERANCE: TextBlock(vectors, block.group, block.start)}),
        tuple(rows.keys[number] for number in kept),
        False,
        (),
        tuple(left_out),
    )


def captioned_clips(
    features: Sequence[RecordingFeatures],
    captions: Sequence[Caption],
    durations_ms: Mapping[str, int],
    child_of: Mapping[str, str],
    embed: EmbedTexts,
) -> StudyClips:
    """Stretches with captions of every kind that the study has.

    Raises StudyError when none is left, or a clip's captions name different splits.
    """
    rows = _Rows(features, child_of, ClipSource.CAPTION)
    kinds = [kind for kind in Kind if any(caption.kind is kind for caption in captions)]
    of_clip: dict[tuple[str, str], dict[Kind, list[str]]] = {}
    splits: dict[tuple[str, str], set[str]] = {}
    for caption in captions:
        span = caption_span(caption, durations_ms)
        if span is None:
            continue
        key = (caption.recording_id, f"{span.onset_ms}-{span.offset_ms}")
        of_clip.setdefault(key, {}).setdefault(caption.kind, []).append(caption.text)
        splits.setdefault(key, set()).add(caption.split)
    kept = [
        number for number, key in enumerate(rows.keys) if set(of_clip.get(key, {})) == set(kinds)
    ]
    if not kept:
        raise StudyError(
            "No stretch has picture, sound and captions of every kind "
            f"({', '.join(kind.value for kind in kinds)}).",
            hint="Give captions of all kinds for the same stretches, or use --text utterances.",
        )
    texts = {}
    for kind in kinds:
        said = [of_clip[rows.keys[number]][kind] for number in kept]
        flat = [text for one in said for text in one]
        block = _block([len(one) for one in said], flat)
        texts[kind] = TextBlock(embed(flat), block.group, block.start)
    left_out = [*rows.left_out]
    if len(rows.keys) > len(kept):
        left_out.append(f"{len(rows.keys) - len(kept)} clip(s) without captions of every kind")
    keys = tuple(rows.keys[number] for number in kept)
    return StudyClips(
        rows.clip_set(kept, texts), keys, True, _one_split(keys, splits), tuple(left_out)
    )


def caption_span(caption: Caption, durations_ms: Mapping[str, int]) -> TimeSpan | None:
    """The stretch a caption is about, None when the recording was not read or is shorter."""
    duration_ms = durations_ms.get(caption.recording_id, 0)
    if not duration_ms:
        return None
    if caption.span is None:
        return TimeSpan(0, duration_ms)
    if caption.span.onset_ms >= duration_ms:
        return None
    return TimeSpan(caption.span.onset_ms, min(caption.span.offset_ms, duration_ms))


class _Rows:
    """Clips of one source that have picture and sound, over all recordings."""

    def __init__(
        self,
        features: Sequence[RecordingFeatures],
        child_of: Mapping[str, str],
        source: ClipSource,
    ) -> None:
        children = {child: number for number, child in enumerate(sorted(set(child_of.values())))}
        self.keys: list[tuple[str, str]] = []
        visual, audio = [], []
        numbers: list[tuple[int, int, int, int]] = []
        n_silent = n_blind = 0
        for place, recording in enumerate(features):
            has_sound = np.isfinite(recording.audio[:, 0])
            has_picture = np.isfinite(recording.visual[:, 0])
            for row, clip in enumerate(recording.clips):
                if clip.source is not source:
                    continue
                if not has_sound[row] or not has_picture[row]:
                    n_silent += not has_sound[row]
                    n_blind += bool(has_sound[row])
                    continue
                child = children[child_of[recording.recording_id]]
                self.keys.append((recording.recording_id, clip.clip_id))
                numbers.append((place, child, clip.span.onset_ms, clip.span.offset_ms))
                visual.append(recording.visual[row])
                audio.append(recording.audio[row])
        self._visual, self._audio = visual, audio
        self._numbers = np.array(numbers, np.int64).reshape(-1, 4)
        self.left_out = [
            sentence
            for n, sentence in (
                (n_silent, f"{n_silent} clip(s) with less than a second of sound besides speech"),
                (n_blind, f"{n_blind} clip(s) without a frame"),
            )
            if n
        ]

    def clip_set(self, kept: Sequence[int], texts: Mapping[Kind, TextBlock]) -> ClipSet:
        numbers: Int64Array = self._numbers[list(kept)]
        return ClipSet(
            tuple("/".join(self.keys[number]) for number in kept),
            numbers[:, 0],
            numbers[:, 1],
            numbers[:, 2],
            numbers[:, 3],
            np.stack([self._visual[number] for number in kept]),
            np.stack([self._audio[number] for number in kept]),
            texts,
        )


@dataclass(frozen=True, slots=True)
class _Places:
    group: Int64Array
    start: Int64Array


def _block(counts: Sequence[int], texts: Sequence[str]) -> _Places:
    """Groups of equal texts (case and punctuation aside), and where each clip's texts begin."""
    number: dict[str, int] = {}
    group = [number.setdefault(" ".join(tokenize(text)) or text, len(number)) for text in texts]
    start = np.concatenate([[0], np.cumsum(counts)])
    return _Places(np.array(group, np.int64), start.astype(np.int64))


def _one_split(
    keys: Sequence[tuple[str, str]], splits: Mapping[tuple[str, str], set[str]]
) -> tuple[str, ...]:
    words = []
    for key in keys:
        named = splits[key] - {""}
        if len(named) > 1:
            raise StudyError(
                f"The captions of {key[0]} ({key[1]} ms) are of the splits "
                f"{' and '.join(sorted(named))}.",
                hint="A clip is either learnt from or tested on; mend the split column.",
            )
        words.append(next(iter(named), ""))
    return tuple(words) if words and all(words) and set(words) == set(SPLITS) else ()
