"""Learning for the demo's sound model: stretches of the toy world's sound, and a small CLAP."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.film import OBJECT_LEVEL, mixed_sound, write_sound_file
from pipeline.demo.households import ACTIVITIES
from pipeline.demo.sound_recipes import OBJECT_SOUNDS, object_sound, room_bed
from pipeline.demo.voices import SAMPLE_RATE_HZ, line_samples, load_speech_bank
from pipeline.demo.world import RoomVisit
from pipeline.records import Float32Array, TimeSpan
from pipeline.sound.chunks import LONGEST_MS, RATE_HZ, faded
from pipeline.sound.log_mel import log_mel
from pipeline.speech.audio import decoded_sound

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import ClapFeatureExtractor, ClapModel

SOUND_WORDS = tuple(OBJECT_SOUNDS)
ROOMS = tuple(ACTIVITIES)
N_PLACES = 64
"""Places in time of the audio tower's last layer, .156 s each."""
UNLABELLED = -100

_PIECES_PER_TRACK = 60
_PIECE_MS = (300, 2600)
_APART_MS = 150
_LOUDNESS = (0.6, 1.5)
_QUIET_SHARE = 0.2
_SPEECH_SHARE = 0.3
_SPEECH_MS = (80, 300)
_SPEECH_LEVEL = 0.5
_MOST_PIECES = 6
_ROOM_WEIGHT = 0.2
_LOUDNESS_DB = 1.5
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, apart from library versions."""

    seed: int = 1
    n_pieces: int = 900
    n_stretches: int = 600
    n_steps: int = 400
    batch_size: int = 24
    peak_rate: float = 2e-3
    weight_decay: float = 0.02


@dataclass(frozen=True, slots=True)
class Piece:
    """A pause as it is heard, float32 (n,) at 48 kHz: what sounds in it (None: nothing), where."""

    samples: Float32Array
    word: str | None
    room: str


@dataclass(frozen=True, slots=True)
class Stretches:
    """n stretches of sound as the pipeline gives them to the encoder.

    sounds: each float32 at 48 kHz, at most 10 s. words: bool (n, len(SOUND_WORDS)), what sounds.
    rooms: int64 (n,), places in ROOMS.
    """

    sounds: tuple[Float32Array, ...]
    words: NDArray[np.bool_]
    rooms: NDArray[np.int64]


def new_clap() -> tuple[ClapModel, ClapFeatureExtractor]:
    """A small CLAP with random weights, and the extractor whose spectrogram it sees.

    Its audio tower is a transformer like that of the published models, but with one stage of two
    layers, whose patches span all 64 mel bands (up to 8 kHz) and four frames of 40 ms: so it learns
    in minutes. The text tower is as small as the format allows and stays untrained.
    """
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    config = ClapConfig(
        text_config={
            "vocab_size": 8,
            "hidden_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "intermediate_size": 8,
            "max_position_embeddings": 8,
        },
        audio_config={
            "spec_size": 128,
            "num_mel_bins": 64,
            "patch_size": [64, 4],
            "patch_stride": [64, 4],
            "window_size": 2,
            "patch_embeds_hidden_size": 128,
            "hidden_size": 128,
            "depths": [2],
            "num_hidden_layers": 1,
            "num_attention_heads": [4],
        },
        projection_dim=8,
    )
    extract = ClapFeatureExtractor(
        feature_size=64,
        sampling_rate=RATE_HZ,
        hop_length=1920,
        fft_window_size=2048,
        frequency_min=40,
        frequency_max=8000,
        truncation="rand_trunc",
        padding="repeatpad",
    )
    return ClapModel(config), extract


def new_pieces(n_pieces: int, seed: int) -> list[Piece]:
    """Pauses of made-up recordings, coded as the demo's are: one sound each, or only the room.

    In some of them a little speech is left at the edge, as transcripts leave it.
    """
    rng = np.random.default_rng([seed, 48])
    speech = _speech(rng)
    found: list[Piece] = []
    for number in range(-(-n_pieces // _PIECES_PER_TRACK)):
        room = ROOMS[number % len(ROOMS)]
        found += _track_pieces(room, speech, rng)
    return found[:n_pieces]


def _speech(rng: np.random.Generator, n_lines: int = 60) -> list[Float32Array]:
    bank = load_speech_bank()
    chosen = rng.choice(len(bank.lines), n_lines, replace=False)
    return [line_samples(bank, bank.lines[number]) for number in chosen.tolist()]


def _track_pieces(
    room: str, speech: Sequence[Float32Array], rng: np.random.Generator
) -> list[Piece]:
    spans: list[TimeSpan] = []
    cursor = 500
    for _ in range(_PIECES_PER_TRACK):
        length_ms = int(rng.integers(*_PIECE_MS))
        spans.append(TimeSpan(cursor, cursor + length_ms))
        cursor += length_ms + _APART_MS
    duration_ms = cursor + 500
    visit = RoomVisit(TimeSpan(0, duration_ms), room, ACTIVITIES[room][0], 0)
    track = mixed_sound((), (visit,), duration_ms, rng)
    track += room_bed(room, len(track), rng)
    words: list[str | None] = []
    for span in spans:
        word = None
        if rng.uniform() >= _QUIET_SHARE:
            word = SOUND_WORDS[int(rng.integers(len(SOUND_WORDS)))]
        words.append(word)
        first, last = (edge * SAMPLE_RATE_HZ // 1000 for edge in (span.onset_ms, span.offset_ms))
        if word is not None:
            level = np.float32(OBJECT_LEVEL * rng.uniform(*_LOUDNESS))
            track[first:last] += level * object_sound(word, last - first, rng)
        if rng.uniform() < _SPEECH_SHARE:
            said = speech[int(rng.integers(len(speech)))]
            n = int(rng.integers(*_SPEECH_MS)) * SAMPLE_RATE_HZ // 1000
            if rng.uniform() < 0.5:
                rest = said[len(said) - n :]
                track[first : first + len(rest)] += np.float32(_SPEECH_LEVEL) * rest
            else:
                rest = said[:n]
                track[last - len(rest) : last] += np.float32(_SPEECH_LEVEL) * rest
    heard = _coded(np.clip(track, -0.98, 0.98))
    return [
        Piece(heard[span.onset_ms * 48 : span.offset_ms * 48], word, room)
        for span, word in zip(spans, words, strict=True)
    ]


def _coded(samples: Float32Array) -> Float32Array:
    """The samples after the coding of the demo's recordings, at 48 kHz as the pipeline reads."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "track.mp4"
        write_sound_file(path, samples)
        blocks = [block for block in decoded_sound(path, 0, RATE_HZ) if block is not None]
    return np.concatenate(blocks)


@dataclass(frozen=True, slots=True)
class LabelledStretches:
    """n stretches of exactly ten seconds and what sounds when.

    labels: int64 (n, N_PLACES), for each place in time the place in SOUND_WORDS of what sounds,
    len(SOUND_WORDS) where only the room does, UNLABELLED across the seam of two pauses.
    """

    sounds: tuple[Float32Array, ...]
    labels: NDArray[np.int64]
    rooms: NDArray[np.int64]


class StretchSampler:
    """Joins pauses of one room to stretches, as the pipeline does when it cuts speech out."""

    def __init__(self, pieces: Sequence[Piece], seed: int) -> None:
        self._pieces = {room: [p for p in pieces if p.room == room] for room in ROOMS}
        self._rng = np.random.default_rng([seed, 49])

    def draw(self, n: int) -> Stretches:
        """`n` new stretches of one to six pauses."""
        sounds: list[Float32Array] = []
        words = np.zeros((n, len(SOUND_WORDS)), np.bool_)
        rooms = self._rng.integers(len(ROOMS), size=n)
        for row, room in enumerate(rooms.tolist()):
            pool = self._pieces[ROOMS[room]]
            joined: list[Float32Array] = []
            for _ in range(int(self._rng.integers(1, _MOST_PIECES + 1))):
                piece = pool[int(self._rng.integers(len(pool)))]
                joined.append(faded(piece.samples))
                if piece.word is not None:
                    words[row, SOUND_WORDS.index(piece.word)] = True
            sound = np.concatenate(joined)
            # Not always at the same loudness: microphones differ.
            sound = sound * np.float32(np.exp(self._rng.normal(0.0, 0.2)))
            sounds.append(sound[: LONGEST_MS * RATE_HZ // 1000])
        return Stretches(tuple(sounds), words, rooms.astype(np.int64))

    def draw_labelled(self, n: int) -> LabelledStretches:
        """`n` new stretches of as many pauses as fill them."""
        n_samples = LONGEST_MS * RATE_HZ // 1000
        place_samples = n_samples // N_PLACES
        rooms = self._rng.integers(len(ROOMS), size=n)
        labels = np.full((n, N_PLACES), UNLABELLED, np.int64)
        sounds: list[Float32Array] = []
        # A place belongs to a pause that fills most of it.
        reach = round(0.3 * place_samples)
        for row, room in enumerate(rooms.tolist()):
            pool = self._pieces[ROOMS[room]]
            sound = np.zeros(n_samples, np.float32)
            first = 0
            while first < n_samples:
                piece = pool[int(self._rng.integers(len(pool)))]
                heard = faded(piece.samples)[: n_samples - first]
                last = first + len(heard)
                sound[first:last] = heard
                label = len(SOUND_WORDS) if piece.word is None else SOUND_WORDS.index(piece.word)
                begin = -(-(first - reach) // place_samples)
                end = (last + reach) // place_samples
                labels[row, max(0, begin) : max(0, end)] = label
                first = last
            sounds.append(sound)
        return LabelledStretches(tuple(sounds), labels, rooms.astype(np.int64))


def placed(clap: ClapModel, features: Tensor) -> Tensor:
    """The audio tower's features (n, N_PLACES, 128) of n spectrograms, place by place in time;
    their mean is what the model gives as pooled.
    """
    import torch

    is_longer = torch.zeros((len(features), 1), dtype=torch.bool)
    hidden: Tensor = clap.audio_model(
        input_features=features, is_longer=is_longer
    ).last_hidden_state
    return hidden.mean(dim=2).transpose(1, 2)


def teach(
    clap: ClapModel,
    extract: ClapFeatureExtractor,
    drawn: LabelledStretches,
    recipe: Recipe,
    on_step: Callable[[int, float], None] | None = None,
) -> None:
    """Teach the audio tower to tell what sounds when, and where, by one linear layer that is thrown
    away afterwards. `on_step` gets the number of the step and its loss.
    """
    import torch
    from torch.nn.functional import cross_entropy

    n_answers = len(SOUND_WORDS) + 1
    width = clap.config.audio_config.hidden_size
    head: nn.Module = torch.nn.Linear(width, n_answers + len(ROOMS))
    weights = [*clap.audio_model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=recipe.peak_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.peak_rate, total_steps=recipe.n_steps, pct_start=0.15
    )
    spectrograms = torch.cat(
        [
            log_mel(drawn.sounds[n : n + _AT_ONCE], extract)
            for n in range(0, recipe.n_stretches, _AT_ONCE)
        ]
    )
    labels, rooms = torch.from_numpy(drawn.labels), torch.from_numpy(drawn.rooms)
    chance = torch.Generator().manual_seed(recipe.seed)
    clap.audio_model.train()
    for step in range(recipe.n_steps):
        rows = torch.randint(recipe.n_stretches, (recipe.batch_size,), generator=chance)
        # Microphones differ in loudness: a shift of some decibels.
        shift = _LOUDNESS_DB * torch.randn((recipe.batch_size, 1, 1, 1), generator=chance)
        answers = head(placed(clap, spectrograms[rows] + shift))
        loss = cross_entropy(
            answers[..., :n_answers].flatten(0, 1),
            labels[rows].flatten(),
            ignore_index=UNLABELLED,
        ) + _ROOM_WEIGHT * cross_entropy(answers[..., n_answers:].mean(dim=1), rooms[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        if on_step is not None:
            on_step(step + 1, float(loss.detach()))
    clap.audio_model.eval()
