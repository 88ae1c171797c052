"""What do the squares that a model sees cost, and how close are they to open_clip's own?

    python -m benchmarks.preprocess_speed                    # a few frames
    python -m benchmarks.preprocess_speed --frames 40 --write

Prepares 1080p frames for a model of 224 pixels as open_clip does (its own transform, through PIL)
and as Coview does, on one thread each and in turn. CPU time is per frame, the median; PSNR compares
the 8-bit squares before normalising. Exits with 1 when Coview's centre square is less than four
times cheaper or further off than 70 dB, or all four crops cost more than open_clip's one square.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.numbered_films import Film, Image, write_film
from benchmarks.results import Result, record
from pipeline.records import Crop
from pipeline.vision.crops import model_inputs

SIZE_PX = 224
TABLE = Path(__file__).with_suffix(".md")
MIN_GAIN, MIN_PSNR_DB = 4.0, 70.0
Squares = list[NDArray[np.uint8]]


def main() -> int:
    """Run the comparison; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.preprocess_speed", description=__doc__
    )
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    frames = _frames(options.frames)
    ways: dict[str, Callable[[Image], Squares]] = {
        "open_clip's transform (PIL), centre": _open_clip_way(),
        "Coview, centre": lambda image: model_inputs(image, (Crop.CENTER,), SIZE_PX)[Crop.CENTER],
        "Coview, centre and multi (3 squares)": lambda image: _all(
            image, (Crop.CENTER, Crop.MULTI)
        ),
        "Coview, all four crops (5 squares)": lambda image: _all(image, tuple(Crop)),
    }
    cpu_ms: dict[str, list[float]] = {way: [] for way in ways}
    squares: dict[str, list[NDArray[np.uint8]]] = {way: [] for way in ways}
    for prepare in ways.values():
        prepare(frames[0])
    for frame in frames:
        for way, prepare in ways.items():
            started_s = time.process_time()
            made = prepare(frame)
            cpu_ms[way].append(1000 * (time.process_time() - started_s))
            squares[way].append(made[0])
    first, centre, _, everything = ways
    psnr_db = _psnr_db(squares[first], squares[centre])
    costs = {way: float(np.median(values)) for way, values in cpu_ms.items()}
    lines = ["| way | CPU ms a frame | times cheaper |", "|---|---|---|"]
    lines += [f"| {way} | {ms:.2f} | {costs[first] / ms:.1f} |" for way, ms in costs.items()]
    text = "\n".join([*lines, "", f"Coview's centre square against open_clip's: {psnr_db:.1f} dB."])
    print(text)
    if options.write:
        TABLE.write_text(
            "# Preprocessing: from a 1080p frame to the squares a model sees\n\n"
            f"`python -m benchmarks.preprocess_speed --frames {options.frames} --write` writes "
            f"this page. One thread.\n\n{text}\n",
            encoding="utf-8",
        )
        record(
            [
                _result("CPU time", costs[first] / costs[centre], "times less", MIN_GAIN, options),
                _result("fidelity", psnr_db, "dB", MIN_PSNR_DB, options),
            ]
        )
    is_met = (
        costs[first] / costs[centre] >= MIN_GAIN
        and psnr_db >= MIN_PSNR_DB
        and costs[everything] <= costs[first]
    )
    print("Nothing missed." if is_met else "Missed a target.")
    return int(not is_met)


def _result(
    measure: str, value: float, unit: str, limit: float, options: argparse.Namespace
) -> Result:
    return Result(
        "Preprocessing",
        measure,
        value,
        unit,
        limit,
        True,
        "open_clip's transform (PIL)",
        f"{options.frames} frames of 1920 x 1080, one thread",
        f"python -m benchmarks.preprocess_speed --frames {options.frames} --write",
    )


def _frames(n: int) -> list[Image]:
    """Frames 1920 x 1080 as they come out of a decoder."""
    from pipeline.vision.sampling import sampled_frames

    film = Film("frames", "libx264", (1920, 1080), {"preset": "ultrafast", "g": "5"}, 40.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.mp4"
        write_film(film, path, max(1, round(n / 6)))
        return [frame.image for frame in sampled_frames(path, 1000 / 6)][:n]


def _open_clip_way() -> Callable[[Image], Squares]:
    """open_clip's transform up to its normalising, which Coview leaves to the model's device."""
    import open_clip
    import torch
    from PIL import Image as Picture

    transform = open_clip.image_transform(
        SIZE_PX, is_train=False, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    )

    def prepare(image: Image) -> Squares:
        pixels: torch.Tensor = transform(Picture.fromarray(image))
        return [(pixels * 255).round().to(torch.uint8).numpy()]

    return prepare


def _all(image: Image, crops: tuple[Crop, ...]) -> Squares:
    return [
        square for squares in model_inputs(image, crops, SIZE_PX).values() for square in squares
    ]


def _psnr_db(expected: Squares, found: Squares) -> float:
    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(expected, found, strict=True)]
    error = float(np.mean(errors))
    return float(10 * np.log10(255.0**2 / error)) if error else float("inf")


if __name__ == "__main__":
    sys.exit(main())
