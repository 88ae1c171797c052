"""How near are frames and embeddings of recordings to the model's forward pass alone?

    python -m benchmarks.embed_speed                                    # tiny model, small pictures
    python -m benchmarks.embed_speed --full --write                     # ViT-B-32, 1080p

Three ways in turn, on the same videos: the forward pass alone on squares that are ready; Coview's
stage (decode, crop, thumbnail, embed), with one crop and with four; and a plain loop (OpenCV
reading every frame, open_clip's transform through PIL, one picture at a time in fp32). The weights
are random: what they cost does not depend on their values. Then utterances: each text cut after its
end against padded to the model's context.

Prints CPU and wall time. Exits with 1 when vectors differ by more than 1e-3 in cosine from the
plain loop's or cut texts by more than 1e-6, or, with --full, when the stage takes more than 1.15
times the forward pass (wall), less than 11 times less CPU than the plain loop, or cut texts save
less than 9 times the time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.frames_speed_films import FULL_FILMS, SMALL_FILMS, make_film
from pipeline.config import FrameSettings, ModelSettings
from pipeline.records import Crop
from pipeline.vision.crops import model_inputs
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.probe import probe_media
from pipeline.vision.sampling import open_frames
from pipeline.vision.stage import embed_recording

if TYPE_CHECKING:
    from pipeline.vision.loading import ClipNetwork

TABLE = Path(__file__).with_suffix(".md")
FULL_MODEL = "ViT-B-32-quickgelu"
SMALL_CFG = {
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
N_TEXTS = 256
MAX_WALL, MIN_CPU_GAIN, MIN_TEXT_GAIN = 1.15, 11.0, 9.0
MAX_COSINE_LOSS, MAX_TEXT_DIFFERENCE = 1e-3, 1e-6
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU (all threads) and wall seconds of one way, and the centre crop's vectors (n, dim)."""

    cpu_s: float
    wall_s: float
    vectors: Vectors


def main() -> int:
    """Run the comparison; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed_speed", description=__doc__)
    parser.add_argument("--full", action="store_true", help="ViT-B-32 on 1080p")
    parser.add_argument("--folder", type=Path, help="keep the videos here and use them again")
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        video = make_film((FULL_FILMS if options.full else SMALL_FILMS)[0], folder).path
        weights = Path(scratch) / "model"
        plain = _random_model(weights, options.full)
        fast, exact = (
            OpenClipModel(
                ModelSettings(name=str(weights), weights="", precision=precision), weights, "cpu"
            )
            for precision in (options.precision, "fp32")
        )
        text, missed = _images(video, fast, plain, options.full)
        texts, texts_missed = _texts(exact, plain, options.full)
    print(text, texts, "", *(f"Missed: {line}" for line in missed + texts_missed), sep="\n")
    if options.write:
        lines = [f"- Missed: {line}" for line in missed + texts_missed]
        TABLE.write_text(
            "# Embeddings: the stage against the forward pass alone\n\n"
            "`python -m benchmarks.embed_speed --full --write` writes this page.\n\n"
            + "\n".join([text, "", texts, "", *(lines or ["No target was missed."])])
            + "\n",
            encoding="utf-8",
        )
    return int(bool(missed + texts_missed))


def _images(
    video: Path, fast: OpenClipModel, plain: ClipNetwork, is_full: bool
) -> tuple[str, list[str]]:
    size_px = fast.ref.image_size_px
    one, four = (Crop.CENTER,), tuple(Crop)
    inputs = {
        crops: [
            model_inputs(frame.image, crops, size_px)
            for frame in open_frames(video, None, 1000.0).frames()
        ]
        for crops in (one, four)
    }
    n = len(inputs[one])

    def forward(crops: Sequence[Crop]) -> Vectors:
        squares = [entry[crop][0] for entry in inputs[tuple(crops)] for crop in crops]
        if Crop.MULTI in crops:
            # The middle square of the multi crop is the centre crop: five pictures, not six.
            squares += [entry[Crop.MULTI][2] for entry in inputs[tuple(crops)]]
        return fast.embed_images(squares)

    def stage(crops: Sequence[Crop]) -> Vectors:
        source, media = open_frames(video, None, 1000.0), probe_media(video)
        found = embed_recording("R", source, media, fast, FrameSettings(), crops, batch_size=64)
        return found.vectors(Crop.CENTER)[:, 0]

    fast.embed_images(inputs[one][0][Crop.CENTER] * 64)
    ways: dict[str, Callable[[], Vectors]] = {
        "forward pass alone, centre": lambda: forward(one),
        "Coview's stage, centre": lambda: stage(one),
        "forward pass alone, all crops (5 squares)": lambda: forward(four),
        "Coview's stage, all crops": lambda: stage(four),
        "OpenCV, PIL, batches of 1, centre": lambda: _plain_loop(video, plain, fast),
    }
    spent = {way: _timed(run) for way, run in ways.items()}
    alone, ours, alone_four, ours_four, loop = spent.values()
    lines = [
        f"{n} frames of {video.stem}, {fast.ref.precision}, {fast.n_parameters / 1e6:.0f} million "
        "parameters.",
        "",
        "| way | CPU ms a frame | wall ms a frame |",
        "|---|---|---|",
        *(
            f"| {way} | {1000 * cost.cpu_s / n:.1f} | {1000 * cost.wall_s / n:.1f} |"
            for way, cost in spent.items()
        ),
        "",
        f"Wall: stage / forward {ours.wall_s / alone.wall_s:.2f}, with all crops "
        f"{ours_four.wall_s / alone_four.wall_s:.2f}. CPU: plain loop / stage "
        f"{loop.cpu_s / ours.cpu_s:.1f}.",
    ]
    cosines = (ours.vectors * loop.vectors[: len(ours.vectors)]).sum(axis=1)
    lines.append(f"Least cosine between the stage's and the plain loop's: {cosines.min():.5f}.")
    missed: list[str] = []
    if 1 - cosines.min() > MAX_COSINE_LOSS:
        missed.append(f"a vector differs by {1 - cosines.min():.1g} in cosine")
    if is_full and ours.wall_s / alone.wall_s > MAX_WALL:
        missed.append(f"the stage takes {ours.wall_s / alone.wall_s:.2f} times the forward pass")
    if is_full and ours_four.wall_s / alone_four.wall_s > MAX_WALL:
        missed.append(f"four crops take {ours_four.wall_s / alone_four.wall_s:.2f} times theirs")
    if is_full and loop.cpu_s / ours.cpu_s < MIN_CPU_GAIN:
        missed.append(f"{loop.cpu_s / ours.cpu_s:.1f} times less CPU than the plain loop")
    return "\n".join(lines), missed


def _plain_loop(video: Path, network: ClipNetwork, model: OpenClipModel) -> Vectors:
    """As a first script would do it."""
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


def _texts(exact: OpenClipModel, plain: ClipNetwork, is_full: bool) -> tuple[str, list[str]]:
    """Utterances of 2 to 12 words, cut after their end against padded as open_clip's README does.

    Both in fp32 and in one batch, so that only the cut makes a difference.
    """
    import open_clip
    import torch

    sentence = "look the red ball where did you put your shoes big dog over there baby milk"
    words = sentence.split()
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, rng.integers(2, 13))) + f" {n}" for n in range(N_TEXTS)]
    tokens = open_clip.tokenize(texts)
    exact.embed_texts(texts[:8])

    def padded() -> Vectors:
        with torch.inference_mode():
            features = plain.encode_text(tokens)
        vectors: Vectors = torch.nn.functional.normalize(features, dim=1).numpy()
        return vectors

    whole, cut = _timed(padded), _timed(lambda: exact.embed_texts(texts))
    gain = whole.cpu_s / cut.cpu_s
    difference = float(np.abs(whole.vectors - cut.vectors).max())
    missed: list[str] = []
    if difference > MAX_TEXT_DIFFERENCE:
        missed.append(f"cut texts differ by {difference:.1g}")
    if is_full and gain < MIN_TEXT_GAIN:
        missed.append(f"cut texts take {gain:.1f} times less CPU time than padded ones")
    n = len(texts)
    return (
        f"Texts (fp32): padded {1000 * whole.cpu_s / n:.1f}, cut {1000 * cut.cpu_s / n:.1f} CPU ms "
        f"each, {gain:.1f} times less; largest difference {difference:.1g}."
    ), missed


def _timed(run: Callable[[], Vectors]) -> Spent:
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    vectors = run()
    return Spent(time.process_time() - cpu_s, time.perf_counter() - wall_s, vectors)


def _random_model(folder: Path, is_full: bool) -> ClipNetwork:
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


if __name__ == "__main__":
    sys.exit(main())
