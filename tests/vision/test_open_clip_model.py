from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from pipeline.config import ModelSettings
from pipeline.errors import ModelError
from pipeline.records import Crop
from pipeline.vision.crops import model_inputs
from pipeline.vision.model_files import find_model
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.text_tower import batches_of_like_length
from tests.vision.conftest import MODEL_CFG, write_model

TEXTS = ["look at the dog", "no", "a red ball on the table, do you want it?", "no"]


def _load(folder: Path, root: Path = Path("/"), precision: str = "auto") -> OpenClipModel:
    return OpenClipModel(ModelSettings(str(folder), "", precision=precision), root, "cpu")


def _pictures(n: int, size: int = 32) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 255, (3, size, size), np.uint8) for _ in range(n)]


def test_vectors_equal_those_of_open_clip_itself(
    tiny_model: OpenClipModel, tiny_folder: Path
) -> None:
    theirs, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tiny_folder}")
    theirs.eval()
    tokenize = open_clip.get_tokenizer(f"local-dir:{tiny_folder}")
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 255, (60, 90, 3), np.uint8))
    picture = picture.resize((900, 600), Image.Resampling.BICUBIC)
    with torch.inference_mode():
        texts = theirs.encode_text(tokenize(TEXTS), normalize=True).numpy()
        image = theirs.encode_image(preprocess(picture)[None], normalize=True).numpy()
    assert np.allclose(tiny_model.embed_texts(TEXTS), texts, atol=1e-5)
    inputs = model_inputs(np.array(picture), (Crop.CENTER,), 32)[Crop.CENTER]
    cosine = float((tiny_model.embed_images(inputs) @ image.T)[0, 0])
    assert cosine > 0.9999


def test_rows_are_unit_vectors_in_the_order_asked_for(tiny_model: OpenClipModel) -> None:
    texts = tiny_model.embed_texts(TEXTS)
    images = tiny_model.embed_images(_pictures(5))
    for vectors, n in ((texts, 4), (images, 5)):
        assert vectors.shape == (n, 32)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert np.array_equal(texts[1], texts[3])
    for row, text in enumerate(TEXTS):
        assert np.allclose(tiny_model.embed_texts([text])[0], texts[row], atol=1e-5)
    assert np.allclose(tiny_model.embed_images(_pictures(5)[3:4])[0], images[3], atol=1e-5)


def test_no_images_and_no_texts_give_no_rows(tiny_model: OpenClipModel) -> None:
    assert tiny_model.embed_images([]).shape == (0, 32)
    assert tiny_model.embed_texts([]).shape == (0, 32)


def test_an_empty_text_is_refused(tiny_model: OpenClipModel) -> None:
    with pytest.raises(ValueError, match="empty text"):
        tiny_model.embed_texts(["a dog", "  "])


def test_texts_longer_than_the_context_are_counted(tiny_model: OpenClipModel) -> None:
    fitting, one_too_many = " ".join(["dog"] * 75), " ".join(["dog"] * 76)
    assert tiny_model.n_truncated(["dog", fitting, one_too_many, one_too_many + " dog"]) == 2
    assert tiny_model.n_truncated([]) == 0
    assert tiny_model.embed_texts([one_too_many]).shape == (1, 32)


CUSTOM = {**MODEL_CFG, "custom_text": True}


@pytest.mark.parametrize(
    ("model_cfg", "is_cut"),
    [
        (MODEL_CFG, True),
        (CUSTOM, True),
        ({**CUSTOM, "text_cfg": {**MODEL_CFG["text_cfg"], "proj_bias": True}}, True),
        (
            {
                **CUSTOM,
                "text_cfg": {**MODEL_CFG["text_cfg"], "pool_type": "eos", "eos_id": 49407},
            },
            True,
        ),
        ({**CUSTOM, "text_cfg": {**MODEL_CFG["text_cfg"], "no_causal_mask": True}}, False),
        ({**CUSTOM, "text_cfg": {**MODEL_CFG["text_cfg"], "pool_type": "last"}}, False),
        ({**CUSTOM, "text_cfg": {**MODEL_CFG["text_cfg"], "embed_cls": True}}, False),
    ],
)
def test_padding_is_cut_where_that_changes_nothing_and_kept_where_it_would(
    tmp_path: Path, model_cfg: dict[str, object], is_cut: bool
) -> None:
    model = _load(write_model(tmp_path / "m", model_cfg))
    assert model.cuts_text_padding is is_cut
    network, _, _ = open_clip.create_model_and_transforms(f"local-dir:{tmp_path / 'm'}")
    tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path / 'm'}")(TEXTS)
    with torch.inference_mode():
        whole = network.eval().encode_text(tokens, normalize=True).numpy()
    assert np.allclose(model.embed_texts(TEXTS), whole, atol=1e-5)


def test_the_reference_names_everything_that_changes_a_vector(tiny_model: OpenClipModel) -> None:
    ref = tiny_model.ref
    assert (ref.scorer, ref.name, ref.dim, ref.image_size_px) == ("tiny-clip", "tiny-clip", 32, 32)
    assert (ref.default_threshold, ref.threshold_source) == (0.31, "made up for tests")
    assert ref.precision == "fp32"
    assert "mean 0.5000" in ref.preprocess
    assert len(ref.revision) == 16


def test_the_revision_changes_with_weights_and_configuration_alone(tmp_path: Path) -> None:
    def revision(folder: Path, precision: str = "auto") -> str:
        settings = ModelSettings(str(folder), "", precision=precision)
        return find_model(settings, tmp_path).revision

    first = write_model(tmp_path / "first")
    shutil.copytree(first, tmp_path / "second")
    assert revision(tmp_path / "second") == revision(first, "bf16")
    assert revision(write_model(tmp_path / "third", seed=1)) != revision(first)
    config = first / "open_clip_config.json"
    before = revision(first)
    content = json.loads(config.read_text())
    content["model_cfg"]["quick_gelu"] = True
    config.write_text(json.dumps(content))
    assert revision(first) != before


def test_a_folder_relative_to_the_study_is_found(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "mine")
    settings = ModelSettings("models/mine", "", scorer="my name")
    model = OpenClipModel(settings, tmp_path, "cpu")
    assert model.ref.scorer == "my name"
    assert model.ref.default_threshold is None


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_chosen_precision_is_used_and_gives_nearly_the_same_vectors(
    tiny_folder: Path, tiny_model: OpenClipModel, precision: str
) -> None:
    model = _load(tiny_folder, precision=precision)
    assert model.ref.precision == precision
    assert model.ref.revision == tiny_model.ref.revision
    images, texts = model.embed_images(_pictures(3)), model.embed_texts(TEXTS)
    assert images.dtype == np.float32
    assert np.allclose(np.linalg.norm(images, axis=1), 1.0, atol=1e-5)
    assert np.sum(images * tiny_model.embed_images(_pictures(3)), axis=1).min() > 0.999
    assert np.sum(texts * tiny_model.embed_texts(TEXTS), axis=1).min() > 0.999


def test_a_big_model_takes_a_fast_format_only_if_its_vectors_stay(tmp_path: Path) -> None:
    from pipeline.vision import precision
    from pipeline.vision.loading import load_model

    folder = write_model(tmp_path / "m")
    network, tokenize = load_model(find_model(ModelSettings(str(folder), ""), tmp_path))
    tokens = tokenize(TEXTS)
    cast = load_model(find_model(ModelSettings(str(folder), ""), tmp_path))[0].to(torch.bfloat16)
    assert precision.precision_agreement(network, cast, tokens, 32) > precision.MIN_COSINE
    for parameter in cast.parameters():
        parameter.data *= 1.0 + 0.5 * torch.rand_like(parameter)
    assert precision.precision_agreement(network, cast, tokens, 32) < precision.MIN_COSINE
    for parameter in cast.parameters():
        parameter.data *= float("inf")
    assert np.isnan(precision.precision_agreement(network, cast, tokens, 32))


def _without_config(folder: Path) -> None:
    (folder / "open_clip_config.json").unlink()


def _without_weights(folder: Path) -> None:
    (folder / "open_clip_model.safetensors").unlink()


def _with_other_shapes(folder: Path) -> None:
    config = folder / "open_clip_config.json"
    content = json.loads(config.read_text())
    content["model_cfg"]["vision_cfg"]["width"] = 32
    config.write_text(json.dumps(content))


def _with_damaged_weights(folder: Path) -> None:
    weights = folder / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])


def _with_damaged_config(folder: Path) -> None:
    (folder / "open_clip_config.json").write_text("{")


def _with_foreign_config(folder: Path) -> None:
    (folder / "open_clip_config.json").write_text("{}")


def _with_oblong_input(folder: Path) -> None:
    content = json.loads(json.dumps(MODEL_CFG))
    content["vision_cfg"]["image_size"] = [32, 64]
    write_model(folder, content)


def _with_a_wrong_threshold(folder: Path) -> None:
    (folder / "coview_model.json").write_text('{"default_threshold": "high"}')


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without_config, "has no open_clip_config.json"),
        (_without_weights, "holds no weights"),
        (_with_other_shapes, "do not fit together or are damaged"),
        (_with_damaged_weights, "do not fit together or are damaged"),
        (_with_damaged_config, "is not valid JSON"),
        (_with_foreign_config, "has no model_cfg"),
        (_with_oblong_input, "does not see square images"),
        (_with_a_wrong_threshold, "default_threshold is 'high'"),
    ],
)
def test_a_wrong_folder_is_refused_with_a_reason_and_a_fix(
    tmp_path: Path, spoil: object, words: str
) -> None:
    folder = write_model(tmp_path / "broken")
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(ModelError, match=words) as caught:
        _load(folder)
    assert caught.value.hint
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    ("name", "weights", "words", "hint"),
    [
        ("ViT-B-32", "openai", "another activation", "ViT-B-32-quickgelu"),
        ("ViT-B-32-quikgelu", "openai", "There is no model", "Did you mean ViT-B-32-quickgelu"),
        ("ViT-B-32-quickgelu", "openia", "no weights 'openia'", "Did you mean openai"),
        ("ViT-B-32-quickgelu", "openai", "not on this machine", "models fetch ViT-B-32-quickgelu"),
        ("models/none", "", "no model folder models/none", "relative to the study"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_right_one(
    tmp_path: Path, name: str, weights: str, words: str, hint: str
) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        find_model(ModelSettings(name, weights, cache_dir=str(tmp_path)), tmp_path)
    assert hint in caught.value.hint


def test_weights_in_the_cache_are_found_and_carry_the_published_threshold(tmp_path: Path) -> None:
    commit = "0" * 40
    repository = tmp_path / "models--timm--vit_base_patch32_clip_224.openai"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    (snapshot / "open_clip_model.safetensors").write_bytes(b"weights")
    files = find_model(ModelSettings(cache_dir=str(tmp_path)), tmp_path)
    assert files.checkpoint == snapshot / "open_clip_model.safetensors"
    assert files.scorer == "ViT-B-32-quickgelu/openai"
    assert files.default_threshold == 0.24
    assert files.threshold_source == "Tan et al. 2025 scripts"


def test_texts_are_encoded_beside_texts_of_like_length() -> None:
    lengths = [3] * 10 + [4] * 30 + [5] * 70 + [9] * 5
    batches = list(batches_of_like_length(lengths, 50))
    # Ten are too few for a pass of their own; seventy too many for one.
    assert batches == [(0, 40), (40, 90), (90, 115)]
    assert list(batches_of_like_length([7] * 120, 50)) == [(0, 50), (50, 100), (100, 120)]
    assert list(batches_of_like_length([], 50)) == []


def test_code_that_a_models_folder_asks_to_run_is_not_run(tmp_path: Path) -> None:
    """transformers runs a tokenizer's own code where the configuration beside it says so."""
    pytest.importorskip("transformers")
    folder = write_model(tmp_path / "model")
    mark = tmp_path / "it ran"
    config = folder / "open_clip_config.json"
    content = json.loads(config.read_text())
    content["model_cfg"]["text_cfg"] |= {
        "hf_tokenizer_name": "own",
        "tokenizer_kwargs": {"trust_remote_code": True},
    }
    config.write_text(json.dumps(content))
    own = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(own))
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w')\nclass Own: pass\n")
    with pytest.raises(ModelError):
        OpenClipModel(ModelSettings(str(folder), ""), tmp_path, "cpu").embed_texts(["a dog"])
    assert not mark.exists()
