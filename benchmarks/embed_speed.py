"""How near are frames and embeddings of recordings to the model's forward pass alone?

    python -m benchmarks.embed_speed                                    # tiny model, small pictures
    python -m benchmarks.embed_speed --full --repeats 3 --write         # ViT-B-32, 1080p

Several ways in turn on the same video, in one process: the forward pass alone on squares that are
ready; Coview's stage (decode, crop, thumbnail, embed) with one crop and with four, in the format
that the machine computes fastest and in fp32; the stage's decoding and resizing alone; and a plain
loop (OpenCV reading every frame, open_clip's transform through PIL, one picture at a time in fp32).
The weights are random: what they cost does not depend on their values. Then utterances: equal texts
once and each cut after its end, against all of them padded to the model's context.

Prints CPU and wall time. Exits with 1 when vectors differ by more than 1e-3 in cosine from the
plain loop's or cut texts by more than 1e-6, or, with --full, when the stage takes more than 1.15
times the forward pass (wall), less than 11 times less CPU than the plain loop, or cut texts save
less than 9 times the time.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.embed_speed_ways import (
    ALL,
    ONE,
    Spent,
    Vectors,
    forward,
    loaded,
    padded_texts,
    plain_loop,
    preparing,
    random_model,
    rounds,
    squares_of,
    stage,
    utterances,
)
from benchmarks.frames_speed_films import FULL_FILMS, SMALL_FILMS, make_film
from benchmarks.results import Result, record

if TYPE_CHECKING:
    from pipeline.vision.loading import ClipNetwork
    from pipeline.vision.open_clip_model import OpenClipModel

TABLE = Path(__file__).with_suffix(".md")
COMMAND = "python -m benchmarks.embed_speed --full --write"
N_UTTERANCES = 512
MAX_WALL, MIN_CPU_GAIN, MIN_TEXT_GAIN = 1.15, 11.0, 9.0
MAX_COSINE_LOSS, MAX_TEXT_DIFFERENCE = 1e-3, 1e-6
PLAIN = "OpenCV, PIL, batches of 1, fp32, centre"


@dataclass(frozen=True, slots=True)
class Finding:
    """Lines of the page, and results with their limits."""

    lines: list[str]
    results: list[Result]


def main() -> int:
    """Run the comparison; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed_speed", description=__doc__)
    parser.add_argument("--full", action="store_true", help="ViT-B-32 on 1080p")
    parser.add_argument("--repeats", type=int, default=3, help="the least of so many rounds counts")
    parser.add_argument("--folder", type=Path, help="keep the video here and use it again")
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    options = parser.parse_args()
    timed = (FULL_FILMS if options.full else SMALL_FILMS)[0]
    if options.full:
        timed = replace(timed, n_repeats=2 * timed.n_repeats)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        video = make_film(timed, folder).path
        weights = Path(scratch) / "model"
        plain = random_model(weights, is_full=options.full)
        fast, exact = loaded(weights, options.precision), loaded(weights, "fp32")
        width, height = timed.film.size
        title = f"H.264 {width} x {height}, {timed.film.megabits:.0f} Mbit/s, groups of 15"
        images = _images(video, title, fast, exact, plain, options.repeats)
        texts = _texts(exact, fast, plain, options.repeats)
    results = images.results + texts.results
    missed = [
        f"{result.measure}: {result.value:.3g}, wanted {result.limit:g}"
        for result in results
        if result.headroom < 1 and (options.full or result.measure in EXACTNESS)
    ]
    verdict = [f"- Missed: {line}" for line in missed] or ["No target was missed."]
    lines = [*images.lines, "", *texts.lines, "", *verdict]
    print("\n".join(lines))
    if options.write:
        title = "# Embeddings: the stage against the forward pass alone"
        made = f"`{COMMAND}` writes this page."
        TABLE.write_text("\n".join([title, "", made, "", *lines, ""]), encoding="utf-8")
        record(results)
    return int(bool(missed))


def _images(
    video: Path,
    title: str,
    fast: OpenClipModel,
    exact: OpenClipModel,
    plain: ClipNetwork,
    n_rounds: int,
) -> Finding:
    size_px = fast.ref.image_size_px
    one, all_squares = squares_of(video, size_px, ONE), squares_of(video, size_px, ALL)
    n, fastest = len(one), fast.ref.precision
    ways: dict[str, Callable[[], Vectors]] = {
        f"forward pass alone, {fastest}, centre": lambda: forward(fast, one),
        f"Coview's stage, {fastest}, centre": lambda: stage(video, fast, ONE),
        f"forward pass alone, {fastest}, four crops (5 squares)": lambda: forward(
            fast, all_squares
        ),
        f"Coview's stage, {fastest}, four crops": lambda: stage(video, fast, ALL),
    }
    if fastest != "fp32":
        ways["forward pass alone, fp32, centre"] = lambda: forward(exact, one)
        ways["Coview's stage, fp32, centre"] = lambda: stage(video, exact, ONE)
    ways["its decoding and resizing alone, centre"] = lambda: preparing(video, size_px, ONE)
    ways[PLAIN] = lambda: plain_loop(video, plain, fast)
    fast.embed_images(one[:8])
    exact.embed_images(one[:8])
    spent = rounds(ways, n_rounds, once=(PLAIN,))
    size = f"{n} frames of {title}"
    results = _image_results(spent, fastest, size)
    lines = [
        f"{size}; {fast.n_parameters / 1e6:.0f} million parameters, {os.cpu_count()} cores; least "
        f"of {n_rounds} rounds, the plain loop of one.",
        "",
        "| way | CPU ms a frame | wall ms a frame |",
        "|---|---|---|",
        *(
            f"| {way} | {1000 * cost.cpu_s / n:.1f} | {1000 * cost.wall_s / n:.1f} |"
            for way, cost in spent.items()
        ),
        "",
        *_told(results),
        "",
        _bound(spent, fastest, n),
    ]
    return Finding(lines, results)


def _image_results(spent: Mapping[str, Spent], fastest: str, size: str) -> list[Result]:
    def ratio(precision: str, crops: str, more: str = "") -> float:
        alone = spent[f"forward pass alone, {precision}, {crops}{more}"]
        return spent[f"Coview's stage, {precision}, {crops}"].wall_s / alone.wall_s

    def wall(precision: str, crops: str, more: str = "") -> Result:
        return Result(
            "Embeddings",
            f"wall time of frames and embeddings, {precision}, {crops}",
            ratio(precision, crops, more),
            "times",
            MAX_WALL,
            False,
            "the forward pass alone",
            size,
            COMMAND,
        )

    ours, loop = spent[f"Coview's stage, {fastest}, centre"], spent[PLAIN]
    cosines = (ours.vectors * loop.vectors[: len(ours.vectors)]).sum(axis=1)
    results = [wall(fastest, "centre"), wall(fastest, "four crops", " (5 squares)")]
    if fastest != "fp32":
        results.append(wall("fp32", "centre"))
    return [
        *results,
        Result(
            "Embeddings",
            "CPU time saved from film to vectors",
            loop.cpu_s / ours.cpu_s,
            "times",
            MIN_CPU_GAIN,
            True,
            "OpenCV, PIL and batches of 1",
            size,
            COMMAND,
        ),
        Result(
            "Embeddings",
            VECTORS_DIFFER,
            max(0.0, float(1 - cosines.min())),
            "of cosine",
            MAX_COSINE_LOSS,
            False,
            "the plain loop in fp32",
            size,
            COMMAND,
        ),
    ]


VECTORS_DIFFER = "largest loss of a frame's vector"
TEXTS_DIFFER = "largest difference of a text's vector"
EXACTNESS = (VECTORS_DIFFER, TEXTS_DIFFER)


def _bound(spent: Mapping[str, Spent], fastest: str, n: int) -> str:
    """What the cores allow when none ever waits."""
    n_cores = os.cpu_count() or 1
    forward_ms = 1000 * spent[f"forward pass alone, {fastest}, centre"].cpu_s / n
    wall_ms = 1000 * spent[f"forward pass alone, {fastest}, centre"].wall_s / n
    prepared_ms = 1000 * spent["its decoding and resizing alone, centre"].cpu_s / n
    stage_ms = 1000 * spent[f"Coview's stage, {fastest}, centre"].wall_s / n
    least = (forward_ms + prepared_ms) / n_cores
    what = "decoding" if prepared_ms > forward_ms else "the model"
    return (
        f"With one crop in {fastest} most of the work is {what}: {prepared_ms:.0f} CPU ms a frame "
        f"to decode and resize, {forward_ms:.0f} for the model. {n_cores} cores that never wait "
        f"need {least:.0f} ms for both, {least / wall_ms:.2f} times the forward pass alone; the "
        f"stage needs {stage_ms:.0f}."
    )


def _texts(exact: OpenClipModel, fast: OpenClipModel, plain: ClipNetwork, n_rounds: int) -> Finding:
    said = utterances(N_UTTERANCES)
    unique = list(dict.fromkeys(said))
    faster = f"equal texts once, cut, {fast.ref.precision}"
    for model in (exact, fast):
        model.embed_texts(unique[:8])
    spent = rounds(
        {
            "padded, as in open_clip's README": lambda: padded_texts(plain, unique),
            "cut after the end": lambda: exact.embed_texts(unique),
            "equal texts once, cut": lambda: exact.embed_texts(said),
            faster: lambda: fast.embed_texts(said),
        },
        n_rounds,
    )
    padded, cut, once = (list(spent.values()))[:3]
    padded_all_s = padded.cpu_s * len(said) / len(unique)
    size = f"{len(said)} utterances of four words on average, {len(unique)} different"
    command = COMMAND
    results = [
        Result(
            "Embeddings",
            measure,
            value,
            unit,
            limit,
            is_more,
            "open_clip, padded, fp32",
            size,
            command,
        )
        for measure, value, unit, limit, is_more in (
            ("CPU time saved on different texts", padded.cpu_s / cut.cpu_s, "times", 9.0, True),
            ("CPU time saved on utterances", padded_all_s / once.cpu_s, "times", math.nan, True),
            (
                TEXTS_DIFFER,
                float(np.abs(padded.vectors - cut.vectors).max()),
                "",
                MAX_TEXT_DIFFERENCE,
                False,
            ),
        )
    ]
    lines = [
        f"{size}.",
        "",
        "| way | CPU ms an utterance |",
        "|---|---|",
        f"| {'padded, as in open_clip’s README'} | {1000 * padded.cpu_s / len(unique):.1f} |",
        f"| cut after the end | {1000 * cut.cpu_s / len(unique):.1f} |",
        f"| equal texts once, cut | {1000 * once.cpu_s / len(said):.1f} |",
        f"| {faster} | {1000 * spent[faster].cpu_s / len(said):.2f} |",
        "",
        *_told(results),
    ]
    return Finding(lines, results)


def _told(results: list[Result]) -> list[str]:
    """One line for each result."""
    lines = []
    for result in results:
        sign = "≥" if result.more_is_better else "≤"
        wanted = "" if math.isnan(result.limit) else f" (wanted {sign} {result.limit:g})"
        found = f"{result.value:.3g} {result.unit}".strip()
        lines.append(f"- {result.measure}, against {result.against}: {found}{wanted}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
