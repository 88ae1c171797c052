"""The ways of embedding a recording's frames and texts that `embed_speed` compares."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.config import FrameSettings, ModelSettings
from pipeline.records import Crop
from pipeline.vision.crops import model_inputs
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.prepared_frames import Preparation, prepared_frames
from pipeline.vision.probe import probe_media
from pipeline.vision.sampling import open_frames
from pipeline.vision.stage import embed_recording

if TYPE_CHECKING:
    from pipeline.vision.loading import ClipNetwork

Vectors = NDArray[np.float32]
ONE, ALL = (Crop.CENTER,), tuple(Crop)
STEP_MS = 1000.0
BATCH = 64
FULL_MODEL = "ViT-B-32-quickgelu"
SMALL_CFG: dict[str, object] = {
    "embed_dim": 64,
    "vision_cfg": {
        "image_size": 64,
        "layers": 4,
        "width": 128,
        "head_width": 32,
        "patch_size": 16,
    },
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 128,
        "heads": 4,
        "layers": 4,
    },
}


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU (all threads) and wall seconds of one way: the least of its rounds; its vectors."""

    cpu_s: float
    wall_s: float
    vectors: Vectors


def rounds(
    ways: Mapping[str, Callable[[], Vectors]], n_rounds: int, once: Sequence[str] = ()
) -> dict[str, Spent]:
    """Each way in turn, over and over, so that what else the machine does hits all alike.

    The ways named in `once` are slow and run in the first round alone.
    """
    least: dict[str, Spent] = {}
    for number in range(n_rounds):
        for way, run in ways.items():
            if number and way in once:
                continue
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            vectors = run()
            spent = Spent(time.process_time() - cpu_s, time.perf_counter() - wall_s, vectors)
            best = least.get(way, spent)
            least[way] = Spent(
                min(best.cpu_s, spent.cpu_s), min(best.wall_s, spent.wall_s), vectors
            )
    return least


def squares_of(video: Path, size_px: int, crops: Sequence[Crop]) -> list[NDArray[np.uint8]]:
    """All squares that the stage gives to the model; the multi crop's middle one is the centre."""
    squares: list[NDArray[np.uint8]] = []
    for frame in open_frames(video, None, STEP_MS).frames():
        seen: set[int] = set()
        for images in model_inputs(frame.image, crops, size_px).values():
            squares += [image for image in images if id(image) not in seen]
            seen |= {id(image) for image in images}
    return squares


def forward(model: OpenClipModel, squares: Sequence[NDArray[np.uint8]]) -> Vectors:
    """The model alone, as it is commonly run: batch after batch on all of torch's threads."""
    return np.concatenate(
        [
            model.embed_images(squares[start : start + BATCH])
            for start in range(0, len(squares), BATCH)
        ]
    )


def stage(video: Path, model: OpenClipModel, crops: Sequence[Crop]) -> Vectors:
    """Coview's vision stage on one video; vectors of the centre crop."""
    source, media = open_frames(video, None, STEP_MS), probe_media(video)
    found = embed_recording("R", source, media, model, FrameSettings(), crops, batch_size=BATCH)
    return found.vectors(Crop.CENTER)[:, 0]


def preparing(video: Path, size_px: int, crops: Sequence[Crop]) -> Vectors:
    """What the stage does without the model, in one thread: decode, crop, thumbnail."""
    preparation = Preparation(crops, size_px, FrameSettings().thumbnail_px)
    n = sum(1 for _ in prepared_frames(open_frames(video, None, STEP_MS), preparation, 1))
    return np.zeros((n, 0), np.float32)


def plain_loop(video: Path, network: ClipNetwork, model: OpenClipModel) -> Vectors:
    """As a first script would do it: OpenCV reads every frame, then open_clip as in its README."""
    import cv2
    import open_clip
    import torch
    from PIL import Image

    size_px, colours = model.ref.image_size_px, model.preprocessing
    transform = open_clip.image_transform(
        size_px, is_train=False, mean=colours.mean, std=colours.std
    )
    capture = cv2.VideoCapture(str(video))
    rows: list[Vectors] = []
    n = 0
    rate = round(capture.get(cv2.CAP_PROP_FPS))
    while True:
        is_read, image = capture.read()
        if not is_read:
            return np.concatenate(rows)
        if n % rate == 0:
            picture = Image.fromarray(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8))
            pixels: torch.Tensor = transform(picture)
            with torch.inference_mode():
                features = network.encode_image(pixels.unsqueeze(0))
            rows.append(torch.nn.functional.normalize(features, dim=1).numpy())
        n += 1


WORDS = tuple(
    word
    for line in (
        "you the a it that what do is this to and i we go there no look want see your here can on",
        "one put oh mommy ball baby dog book down up like come get little big more eat good red",
        "car where shoe milk are not in me all gone with them play let find nice right now bath",
    )
    for word in line.split()
)


def utterances(n: int) -> list[str]:
    """`n` utterances said to a child, four words long on average; short ones are said often."""
    rng = np.random.default_rng(0)
    lengths = np.minimum(1 + rng.poisson(3.2, n), 20)
    weights = 1.0 / np.arange(1, len(WORDS) + 1)
    return [
        " ".join(rng.choice(WORDS, length, p=weights / weights.sum())) + rng.choice(["", ".", "?"])
        for length in lengths
    ]


def padded_texts(network: ClipNetwork, texts: Sequence[str]) -> Vectors:
    """As in open_clip's README: each text padded to the model's context, in batches."""
    import open_clip
    import torch

    rows: list[Vectors] = []
    for start in range(0, len(texts), BATCH):
        tokens = open_clip.tokenize(list(texts[start : start + BATCH]))
        with torch.inference_mode():
            features = network.encode_text(tokens)
        rows.append(torch.nn.functional.normalize(features, dim=1).numpy())
    return np.concatenate(rows)


def random_model(folder: Path, *, is_full: bool) -> ClipNetwork:
    """A model with random weights, also saved into `folder` as open_clip saves its own."""
    import open_clip
    import torch
    from open_clip.model import CLIP
    from safetensors.torch import save_file

    cfg = dict(open_clip.get_model_config(FULL_MODEL) if is_full else SMALL_CFG)
    torch.manual_seed(0)
    network = CLIP(**cfg).eval()
    folder.mkdir(parents=True)
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()},
        str(folder / "open_clip_model.safetensors"),
    )
    colours = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    content = {"model_cfg": cfg, "preprocess_cfg": colours}
    (folder / "open_clip_config.json").write_text(json.dumps(content), encoding="utf-8")
    plain: ClipNetwork = network
    return plain


def loaded(folder: Path, precision: str) -> OpenClipModel:
    """The saved model as the pipeline loads it."""
    settings = ModelSettings(name=str(folder), weights="", precision=precision)
    return OpenClipModel(settings, folder, "cpu")
