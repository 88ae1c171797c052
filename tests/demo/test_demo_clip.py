"""The demo CLIP model: loaded as any open_clip model, and able to tell what is in view."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

import numpy as np
import pytest

import pipeline.demo
from pipeline.demo.clip_card import Recipe, new_scenes
from pipeline.demo.clip_measures import (
    CutMeasure,
    area_under_curve,
    best_threshold,
    measure,
)
from pipeline.demo.demo_clip import EMBED_DIM, IMAGE_SIZE_PX, FolderModel
from pipeline.demo.scenes import HELD_OUT_DESIGN, TRAINING_DESIGNS, Backdrop, Placement, render
from pipeline.demo.sentences import empty_sentence, naming_sentence
from pipeline.demo.training_scenes import CUTS, Box, cut_scene, part_inside
from pipeline.demo.training_texts import NO_WORD, sample_texts
from pipeline.demo.vocabulary import word_names

FOLDER = Path(pipeline.demo.__file__).parent / "models" / "demo-clip"
WIDTH_PX, HEIGHT_PX = 270, 480


def _refuse(*_: object) -> None:
    raise AssertionError("something asked for the network")


@pytest.fixture(scope="module")
def model() -> FolderModel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _refuse)
        return FolderModel(FOLDER)


@pytest.fixture(scope="module")
def edge_cuts() -> tuple[np.ndarray, np.ndarray]:
    """Cuts of 60 frames whose one object lies at the top or bottom, and the objects' indices."""
    rng = np.random.default_rng(4100)
    images, words = [], []
    for index in range(60):
        word = int(rng.integers(len(word_names())))
        design = TRAINING_DESIGNS[index % 2]
        y = 0.095 if rng.random() < 0.5 else 0.905
        placement = Placement(word_names()[word], design, float(rng.uniform(0.25, 0.75)), y, 0.34)
        frame = render(Backdrop(4200 + index // 4, "bedroom"), float(index), [placement], 270, 480)
        images.append(cut_scene(frame, [placement], IMAGE_SIZE_PX, rng).images)
        words.append(word)
    return np.stack(images), np.array(words)


@pytest.fixture(scope="module")
def threshold() -> float:
    return float(json.loads((FOLDER / "coview_model.json").read_text())["default_threshold"])


@pytest.fixture(scope="module")
def seen(model: FolderModel, threshold: float) -> dict[str, CutMeasure]:
    scenes = new_scenes(TRAINING_DESIGNS, 5101, 100)
    return {m.cut: m for m in measure(model, scenes, 5101, threshold)}


def test_the_model_loads_through_open_clip_and_is_small() -> None:
    import open_clip
    import torch
    from safetensors.torch import load_file

    weights = FOLDER / "open_clip_model.safetensors"
    assert weights.stat().st_size < 10_000_000
    state = load_file(str(weights))
    assert {t.dtype for t in state.values() if t.is_floating_point()} == {torch.float16}
    network, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{FOLDER}")
    tokens = open_clip.get_tokenizer(f"local-dir:{FOLDER}")(["Look, a ball!"])
    assert tokens.shape == (1, 77)
    assert network.encode_text(tokens).shape == (1, EMBED_DIM)
    from PIL import Image

    pixels = preprocess(Image.new("RGB", (WIDTH_PX, HEIGHT_PX)))
    assert pixels.shape == (3, IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    assert network.eval().encode_image(pixels[None]).shape == (1, EMBED_DIM)


def test_the_centre_cut_is_what_open_clip_makes_of_a_frame() -> None:
    import open_clip
    from PIL import Image

    from pipeline.demo.demo_clip import as_input

    _, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{FOLDER}")
    frame = render(Backdrop(9, "kitchen"), 2.0, [], WIDTH_PX, HEIGHT_PX)
    ours = as_input(cut_scene(frame, [], IMAGE_SIZE_PX, np.random.default_rng(0)).images)[0]
    assert float((preprocess(Image.fromarray(frame)) - ours).abs().mean()) < 0.05


def test_seen_designs_are_told_apart_on_new_scenes_in_every_cut(
    seen: dict[str, CutMeasure],
) -> None:
    assert set(seen) == set(CUTS)
    assert seen["center"].auc > 0.98
    assert seen["pad"].auc > 0.95
    assert seen["squash"].auc > 0.95
    assert seen["square"].auc > 0.97
    assert seen["center"].recall_at_1 > 0.8


def test_the_design_never_seen_is_above_chance(model: FolderModel) -> None:
    results = measure(model, new_scenes((HELD_OUT_DESIGN,), 5102, 60), 5102)
    assert results[0].auc > 0.65


def test_an_object_outside_the_centre_crop_is_seen_only_by_the_padded_frame(
    model: FolderModel, edge_cuts: tuple[np.ndarray, np.ndarray]
) -> None:
    images, words = edge_cuts
    rng = random.Random(3)
    texts = model.embed_texts([naming_sentence(word, rng) for word in word_names()])
    is_shown = np.arange(len(word_names())) == words[:, None]
    auc_by_cut = {}
    for row, cut in enumerate(CUTS[:2]):
        cosines = model.embed_images(images[:, row]) @ texts.T
        auc_by_cut[cut] = area_under_curve(cosines[is_shown], cosines[~is_shown])
    assert auc_by_cut["pad"] > 0.93
    assert auc_by_cut["center"] < 0.7


def test_sentences_that_name_nothing_score_low_and_alike_on_all_frames(
    model: FolderModel, edge_cuts: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    rng = random.Random(8)
    empty = model.embed_texts([empty_sentence(rng) for _ in range(20)])
    naming = model.embed_texts([naming_sentence(word, rng) for word in word_names()])
    padded = model.embed_images(edge_cuts[0][:, 1])
    empty_cosines, naming_cosines = padded @ empty.T, padded @ naming.T
    assert (empty_cosines > threshold).mean() < 0.05
    assert empty_cosines.std(axis=0).mean() < 0.5 * naming_cosines.std(axis=0).mean()


def test_the_threshold_divides_present_from_absent_and_from_nothing_named(
    seen: dict[str, CutMeasure],
) -> None:
    assert seen["center"].hit_rate > 0.85
    assert seen["center"].false_alarm_rate < 0.05
    assert seen["center"].empty_alarm_rate < 0.05


def test_words_the_model_never_met_hardly_change_a_sentence(model: FolderModel) -> None:
    plain, odd, other = model.embed_texts(
        ["Look at the ball.", "Look at the gargantuan ball.", "Look at the duck."]
    )
    assert plain @ odd > 0.9
    assert plain @ other < 0.5


def test_the_model_card_states_what_the_shipped_files_are() -> None:
    card = (FOLDER / "README.md").read_text()
    record = json.loads((FOLDER / "coview_model.json").read_text())
    assert f"`default_threshold` is {record['default_threshold']:.2f}" in card
    assert record["threshold_source"]
    assert f"{(FOLDER / 'open_clip_model.safetensors').stat().st_size / 1e6:.1f} MB" in card
    assert f"{len(word_names())} objects" in card
    assert HELD_OUT_DESIGN in card


def test_a_cut_without_the_object_is_no_positive() -> None:
    top = Placement("dog", "noto", 0.5, 0.1, 0.34)
    middle = Placement("cup", "noto", 0.5, 0.5, 0.4)
    frame = render(Backdrop(1, "street"), 0.0, [top, middle], WIDTH_PX, HEIGHT_PX)
    shown = cut_scene(frame, [top, middle], 96, np.random.default_rng(0)).shown
    dog, cup = word_names().index("dog"), word_names().index("cup")
    assert shown[:3, dog].tolist() == [0, 1, 1]
    assert shown[:3, cup].tolist() == [1, 1, 1]
    assert np.nansum(shown[:3]) == 5


def test_an_object_cut_in_half_is_neither_present_nor_absent() -> None:
    half = Placement("dog", "noto", 0.5, 0.22, 0.4)
    assert part_inside(half, Box(0, 105, 270, 375), 270, 480) == pytest.approx(0.5, abs=0.02)
    frame = render(Backdrop(1, "street"), 0.0, [half], WIDTH_PX, HEIGHT_PX)
    shown = cut_scene(frame, [half], 96, np.random.default_rng(0)).shown
    assert np.isnan(shown[0, word_names().index("dog")])


def test_training_texts_name_the_word_they_are_labelled_with() -> None:
    batch = sample_texts(1, 21, random.Random(5))
    assert (batch.named == NO_WORD).sum() == 21
    for sentence, index in zip(batch.sentences, batch.named.tolist(), strict=True):
        heard = "".join(c if c.isalpha() else " " for c in sentence.lower()).split()
        named = {word for word in word_names() if word in heard}
        assert named == (set() if index == NO_WORD else {word_names()[index]}), sentence


def test_the_area_under_the_curve_counts_pairs() -> None:
    present = np.array([0.9, 0.5, 0.5], dtype=np.float32)
    absent = np.array([0.5, 0.1], dtype=np.float32)
    assert area_under_curve(present, absent) == pytest.approx((2 + 1.5 + 1.5) / 6)


def test_the_best_threshold_also_keeps_out_sentences_that_name_nothing() -> None:
    present = np.array([0.9, 0.8, 0.7], dtype=np.float32)
    absent = np.array([0.1, 0.2], dtype=np.float32)
    unnamed = np.array([0.5, 0.4], dtype=np.float32)
    assert 0.2 <= best_threshold(present, absent, absent) < 0.21
    assert 0.5 <= best_threshold(present, absent, unnamed) < 0.51


def test_a_written_model_gives_the_vectors_of_the_trained_one(tmp_path: Path) -> None:
    import torch

    from pipeline.demo.clip_trainer import Trainer
    from pipeline.demo.demo_clip import as_input, write_model

    recipe = Recipe(seed=3, text_steps=4)
    trainer = Trainer(recipe)
    trainer.sort_sentences()
    write_model(trainer.model, trainer.table, tmp_path)
    loaded = FolderModel(tmp_path)
    texts = ["Look at the ball.", "Where's the dog?", "Oh yeah.", "A zyzzyva!"]
    images = np.random.default_rng(0).integers(0, 255, (3, 96, 96, 3)).astype(np.uint8)
    with torch.inference_mode():
        text_vectors = trainer.model.encode_text(trainer.table.tokens(texts), normalize=True)
        image_vectors = trainer.model.eval().encode_image(as_input(images), normalize=True)
    np.testing.assert_allclose(loaded.embed_texts(texts), text_vectors.numpy(), atol=0.01)
    np.testing.assert_allclose(loaded.embed_images(images), image_vectors.numpy(), atol=0.01)
