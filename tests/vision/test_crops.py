from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.records import Crop
from pipeline.vision.crop_boxes import boxes, crop_box, multi_crop_boxes, n_sub_crops
from pipeline.vision.crops import model_inputs

SIDES = st.integers(16, 4000)


def _picture(width: int, height: int) -> np.ndarray:
    """Smooth shapes with some detail, as a camera gives."""
    rng = np.random.default_rng(width * height)
    coarse = Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8))
    smooth = np.array(coarse.resize((width, height), Image.Resampling.BICUBIC), float)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def _open_clip_pixels(picture: np.ndarray, size: int, resize_mode: str) -> np.ndarray:
    from open_clip.transform import image_transform

    transform = image_transform(
        size, is_train=False, mean=(0.0,) * 3, std=(1.0,) * 3, resize_mode=resize_mode
    )
    return np.asarray(transform(Image.fromarray(picture))) * 255.0


@pytest.mark.parametrize("size", [(1080, 1920), (1920, 1080), (480, 640), (321, 240), (640, 360)])
@pytest.mark.parametrize(
    ("crop", "resize_mode"),
    [(Crop.CENTER, "shortest"), (Crop.SQUASH, "squash"), (Crop.PAD, "longest")],
)
def test_crops_equal_what_open_clip_makes(
    size: tuple[int, int], crop: Crop, resize_mode: str
) -> None:
    picture = _picture(*size)
    ours = model_inputs(picture, (crop,), 224)[crop][0]
    assert ours.shape == (3, 224, 224)
    assert ours.dtype == np.uint8
    assert _psnr(ours, _open_clip_pixels(picture, 224, resize_mode)) >= 45


def test_pad_shows_the_whole_frame_between_equal_black_bars() -> None:
    picture = np.full((1280, 720, 3), 200, np.uint8)
    (padded,) = model_inputs(picture, (Crop.PAD,), 224)[Crop.PAD]
    assert np.all(padded[:, :, :49] == 0)
    assert np.all(padded[:, :, -49:] == 0)
    assert np.all(padded[:, :, 49:-49] == 200)


@pytest.mark.parametrize("size", [(360, 640), (640, 360), (400, 400), (360, 1000)])
def test_multi_crop_inputs_show_what_its_boxes_say(size: tuple[int, int]) -> None:
    width, height = size
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    picture = np.stack([across * 255 / width, down * 255 / height, 0 * down], 2).astype(np.uint8)
    inputs = model_inputs(picture, (Crop.MULTI,), 64)[Crop.MULTI]
    for pixels, box in zip(inputs, multi_crop_boxes(width, height), strict=True):
        left, top = box.left_px * 255 / width, box.top_px * 255 / height
        right = (box.left_px + box.width_px) * 255 / width
        bottom = (box.top_px + box.height_px) * 255 / height
        assert abs(float(pixels[0, :, 0].mean()) - left) < 5
        assert abs(float(pixels[0, :, -1].mean()) - right) < 5
        assert abs(float(pixels[1, 0].mean()) - top) < 5
        assert abs(float(pixels[1, -1].mean()) - bottom) < 5


def test_the_middle_of_the_multi_crop_is_the_centre_crop_itself() -> None:
    inputs = model_inputs(_picture(300, 500), (Crop.CENTER, Crop.MULTI), 64)
    assert inputs[Crop.CENTER][0] is inputs[Crop.MULTI][1]
    assert multi_crop_boxes(300, 500)[1] == crop_box(Crop.CENTER, 300, 500)


@given(SIDES, SIDES)
def test_boxes_lie_in_the_frame_and_multi_covers_it_up_to_three_to_one(
    width: int, height: int
) -> None:
    for crop in Crop:
        for box in boxes(crop, width, height):
            assert box.left_px >= 0
            assert box.top_px >= 0
            assert box.left_px + box.width_px <= width
            assert box.top_px + box.height_px <= height
        assert len(boxes(crop, width, height)) == n_sub_crops(crop)
    if max(width, height) <= 3 * min(width, height) - 2:
        seen = np.zeros(max(width, height), bool)
        for box in multi_crop_boxes(width, height):
            start = max(box.left_px, box.top_px)
            seen[start : start + box.width_px] = True
        assert seen.all()


def test_the_multi_crop_has_no_single_box() -> None:
    with pytest.raises(ValueError, match="several boxes"):
        crop_box(Crop.MULTI, 100, 100)


def test_crop_boxes_load_neither_torch_nor_av() -> None:
    code = (
        "import sys, pipeline.vision.crop_boxes as c; "
        "assert not {'torch', 'av', 'open_clip', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_sampling_and_the_stage_load_torch_only_when_they_work() -> None:
    code = (
        "import sys, pipeline.vision.sampling, pipeline.vision.stage, pipeline.vision.registry, "
        "pipeline.vision.open_clip_model, pipeline.vision.probe; "
        "assert not {'torch', 'av', 'open_clip', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
