"""Small studies, small sounds, and a Whisper model that always says the same.

The model runs the real code paths of faster-whisper without a download.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.study import Study, open_study

SAMPLE_RATE_HZ = 16_000
SPOKEN = "Look at the ball. Where is the dog?"
PIECES = ("Look", "Ġat", "Ġthe", "Ġball", ".", "ĠWhere", "Ġis", "Ġthe", "Ġdog", "?")
_N_VOCABULARY = 51_865
_END, _START, _FIRST_LANGUAGE, _TRANSLATE = 50_257, 50_258, 50_259, 50_358
_FIRST_TIME = 50_364
_SPECIAL = {
    _END: "<|endoftext|>",
    _START: "<|startoftranscript|>",
    _TRANSLATE: "<|translate|>",
    50_359: "<|transcribe|>",
    50_360: "<|startoflm|>",
    50_361: "<|startofprev|>",
    50_362: "<|nospeech|>",
    50_363: "<|notimestamps|>",
}
_DIM = 64
_N_POSITIONS = 448


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CTranslate2 Whisper model that hears SPOKEN between 0 and 3 s of every chunk."""
    folder = tmp_path_factory.mktemp("models") / "parrot"
    write_parrot_model(folder, PIECES, end_s=3.0)
    return folder


def write_parrot_model(folder: Path, pieces: Sequence[str], end_s: float) -> None:
    """Write a model whose decoder's position embeddings spell out `pieces`.

    Weights that would carry the sound are random and lead nowhere, so the output is known while
    features, encoder, beam search, time marks and word alignment are all really computed.
    """
    from ctranslate2.specs import whisper_spec

    rng = np.random.default_rng(1)

    def small(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.05).astype(np.float32)

    tokens = _tokens(pieces)
    ids = {token: index for index, token in enumerate(tokens)}
    spec = whisper_spec.WhisperSpec(1, 2, 1, 2)
    embeddings = rng.standard_normal((_N_VOCABULARY, _DIM)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)

    def norm(layer_norm: object, gain: float = 1.0) -> None:
        layer_norm.gamma = np.full(_DIM, gain, np.float32)
        layer_norm.beta = np.zeros(_DIM, np.float32)

    def linear(layer: object, n_out: int, n_in: int, *, is_mute: bool = False) -> None:
        layer.weight = np.zeros((n_out, n_in), np.float32) if is_mute else small(n_out, n_in)
        layer.bias = np.zeros(n_out, np.float32)

    def feed_forward(layer: object, *, is_mute: bool) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 4 * _DIM, _DIM)
        linear(layer.linear_1, _DIM, 4 * _DIM, is_mute=is_mute)

    encoder = spec.encoder
    encoder.conv1.weight, encoder.conv1.bias = small(_DIM, 80, 3), np.zeros(_DIM, np.float32)
    encoder.conv2.weight, encoder.conv2.bias = small(_DIM, _DIM, 3), np.zeros(_DIM, np.float32)
    encoder.position_encodings.encodings = small(1500, _DIM)
    norm(encoder.layer_norm)
    for layer in encoder.layer:
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * _DIM, _DIM)
        linear(layer.self_attention.linear[1], _DIM, _DIM)
        feed_forward(layer.ffn, is_mute=False)

    decoder = spec.decoder
    decoder.embeddings.weight = embeddings
    decoder.projection.weight = embeddings
    says = np.tile(embeddings[_END], (_N_POSITIONS, 1))
    says[0] = embeddings[_FIRST_LANGUAGE]
    spoken = [_FIRST_TIME, *(ids[piece] for piece in pieces), _FIRST_TIME + round(end_s / 0.02)]
    says[2 : 2 + len(spoken)] = embeddings[spoken]
    decoder.position_encodings.encodings = (says * 20).astype(np.float32)
    norm(decoder.layer_norm, gain=6.0)
    for layer in decoder.layer:
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * _DIM, _DIM)
        linear(layer.self_attention.linear[1], _DIM, _DIM, is_mute=True)
        norm(layer.attention.layer_norm)
        linear(layer.attention.linear[0], _DIM, _DIM)
        linear(layer.attention.linear[1], 2 * _DIM, _DIM)
        linear(layer.attention.linear[2], _DIM, _DIM, is_mute=True)
        feed_forward(layer.ffn, is_mute=True)

    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = list(range(_FIRST_LANGUAGE, _TRANSLATE))
    spec.config.alignment_heads = [[0, 0], [0, 1]]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.optimize(quantization=None)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    _write_tokenizer(folder, tokens)


def _tokens(pieces: Sequence[str]) -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers.pre_tokenizers import ByteLevel

    text = list(dict.fromkeys([*sorted(ByteLevel.alphabet()), *pieces]))
    tokens = [*text, *(f"unused{index}" for index in range(_END - len(text)))]
    # CTranslate2 takes a model for multilingual if its vocabulary holds the empty text.
    tokens[-1] = ""
    tokens += [_SPECIAL.get(index, "") for index in range(_END, _FIRST_TIME)]
    # English comes first, as in the published vocabulary.
    languages = ["en", *(code for code in _LANGUAGE_CODES if code != "en")]
    for offset in range(_TRANSLATE - _FIRST_LANGUAGE):
        tokens[_FIRST_LANGUAGE + offset] = f"<|{languages[offset]}|>"
    tokens += [f"<|{index * 0.02:.2f}|>" for index in range(_N_VOCABULARY - _FIRST_TIME)]
    return tokens


def _write_tokenizer(folder: Path, tokens: Sequence[str]) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    tokenizer = Tokenizer(BPE(vocab={t: i for i, t in enumerate(tokens[:_END])}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in tokens[_END:]])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"feature_size": 80, "sampling_rate": SAMPLE_RATE_HZ, "hop_length": 160}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def write_wav(path: Path, samples: np.ndarray, rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    """Write mono samples (-1 to 1) as 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def tone(seconds: float, hertz: float = 220.0) -> np.ndarray:
    """A quiet tone (float32) at 16 kHz."""
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def make_study(
    root: Path,
    files: Mapping[str, str | bytes],
    *,
    settings: str = "",
    recordings: Sequence[str] = ("rec01.mp4", "rec02.mp4"),
) -> Study:
    """A study of empty videos with `files` under annotations/ and `settings` in study.toml.

    A recording is written as its file name, or as "file name,recording_id".
    """
    rows = [name if "," in name else f"{name}," for name in recordings]
    contents: dict[str, str | bytes] = {
        "metadata/children.csv": "experiment,child_id,child_dob\nx,c1,\n",
        "metadata/recordings.csv": "child_id,recording_filename,recording_id\n"
        + "".join(f"c1,{row}\n" for row in rows),
        "study.toml": settings,
        **{f"recordings/raw/{row.split(',')[0]}": "" for row in rows},
        **{f"annotations/{name}": content for name, content in files.items()},
    }
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_study(root)


def whisper_json(*rows: tuple[float, float, str]) -> str:
    """Whisper's JSON of (start, end, text) rows, in seconds, without words."""
    segments = [{"start": start, "end": end, "text": text} for start, end, text in rows]
    return json.dumps({"segments": segments, "language": "en"})
