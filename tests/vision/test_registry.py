from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.config import ModelSettings
from pipeline.errors import MediaError, ModelError
from pipeline.records import Crop
from pipeline.vision.crops import model_inputs
from pipeline.vision.dev_bench import (
    PAPER_MODEL_RESULT,
    DevBenchResult,
    agrees,
    known_result,
    score_dev_bench,
)
from pipeline.vision.frame_folder import read_picture
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.registry import check_model, fetch_model, list_models

PAIRS = (
    ("ball", "images_a/ball.png", "images_a/shoe.png"),
    ("shoe", "images_a/shoe.png", "images_a/ball.png"),
    ("dog", "images_b/dog.jpg", "images_a/ball.png"),
)


@pytest.fixture
def dev_bench(tmp_path: Path) -> Path:
    folder = tmp_path / "dev-bench"
    items = folder / "assets" / "lex-lwl"
    rng = np.random.default_rng(4)
    for name in {name for row in PAIRS for name in row[1:]}:
        path = items / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (90, 120, 3), np.uint8)).save(path)
    with (items / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text1", "image1", "image2"))
        writer.writerows(PAIRS)
    return folder


def test_dev_bench_items_are_scored_pair_by_pair(
    dev_bench: Path, tiny_model: OpenClipModel
) -> None:
    cosines = []
    for word, *names in PAIRS:
        text = tiny_model.embed_texts([word])[0]
        for name in names:
            picture = read_picture(dev_bench / "assets" / "lex-lwl" / name)
            image = tiny_model.embed_images(model_inputs(picture, (Crop.CENTER,), 32)[Crop.CENTER])
            cosines.append(float(image[0] @ text))
    target, foil = np.array(cosines[::2]), np.array(cosines[1::2])
    result = score_dev_bench(dev_bench, tiny_model)
    assert result.n_pairs == 3
    assert result.n_correct == int((target > foil).sum())
    assert result.mean_target == pytest.approx(target.mean(), abs=1e-5)
    assert result.mean_foil == pytest.approx(foil.mean(), abs=1e-5)
    assert result.first_target == pytest.approx(100 * target[0], abs=1e-3)
    assert result.first_foil == pytest.approx(100 * foil[0], abs=1e-3)


def test_a_folder_that_is_no_dev_bench_is_refused(
    tmp_path: Path, dev_bench: Path, tiny_model: OpenClipModel
) -> None:
    with pytest.raises(ModelError, match=r"has no assets/lex-lwl/manifest\.csv"):
        score_dev_bench(tmp_path, tiny_model)
    (dev_bench / "assets" / "lex-lwl" / "images_b" / "dog.jpg").unlink()
    with pytest.raises(MediaError, match=r"images_b/dog\.jpg of dev-bench cannot be read"):
        score_dev_bench(dev_bench, tiny_model)


def test_known_values_are_held_against_the_right_model_only(tiny_model: OpenClipModel) -> None:
    from dataclasses import replace

    assert known_result(tiny_model.ref) is None
    paper = replace(tiny_model.ref, name="ViT-B-32-quickgelu", weights="openai")
    assert known_result(paper) == DevBenchResult(76, 75, 0.2780, 0.2014, 30.5236, 23.9230)
    near = replace(PAPER_MODEL_RESULT, first_target=30.60, mean_foil=0.2018)
    wrong_activation = replace(PAPER_MODEL_RESULT, mean_target=0.262, first_target=28.1)
    assert agrees(near, PAPER_MODEL_RESULT)
    assert not agrees(wrong_activation, PAPER_MODEL_RESULT)


def test_a_usable_model_passes_its_check(tiny_folder: Path, dev_bench: Path) -> None:
    check = check_model(ModelSettings(str(tiny_folder), ""), Path("/"), "cpu", dev_bench)
    assert check.is_ok
    subjects = [line.subject for line in check.lines]
    assert "dev-bench" in subjects
    assert "fingerprint" in subjects
    assert any("0.31 (made up for tests)" in line.message for line in check.lines)


def test_a_model_that_cannot_tell_pictures_apart_fails_its_check(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from tests.vision.conftest import write_model

    folder = write_model(tmp_path / "blind")
    weights = str(folder / "open_clip_model.safetensors")
    tensors = load_file(weights)
    tensors["visual.conv1.weight"] = torch.zeros_like(tensors["visual.conv1.weight"])
    save_file(tensors, weights)
    check = check_model(ModelSettings(str(folder), ""), tmp_path, "cpu")
    assert not check.is_ok
    assert [line.subject for line in check.lines if not line.is_ok] == ["pictures: told apart"]


def test_a_model_that_is_not_there_is_a_failed_line(tmp_path: Path) -> None:
    check = check_model(ModelSettings(cache_dir=str(tmp_path)), tmp_path, "cpu")
    assert not check.is_ok
    assert "models fetch ViT-B-32-quickgelu openai" in check.lines[0].message


def test_the_list_names_the_shipped_and_the_default_model(tmp_path: Path) -> None:
    models = {(model.name, model.weights): model for model in list_models(str(tmp_path))}
    assert ("demo-clip", "") in models
    default = ModelSettings()
    assert not models[(default.name, default.weights)].is_here


def test_a_wrong_pair_is_not_even_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="another activation"):
        fetch_model("ViT-B-32", "openai", str(tmp_path))
    with pytest.raises(ModelError, match="There is no model"):
        fetch_model("ViT-B-33", "openai", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
