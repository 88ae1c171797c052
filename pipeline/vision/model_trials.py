"""Trying a loaded model on generated pictures and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.records import Float32Array
from pipeline.vision.dev_bench import agrees, known_result, score_dev_bench
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.registry import CheckLine

_SENTENCES = ("look at the dog", "a red ball", "where are your shoes?", "no", "we go outside now")
_N_PICTURES = 5
_SAME = 1e-3
_COLLAPSED = 0.999


def facts(model: OpenClipModel) -> Iterator[CheckLine]:
    """What the model says of itself."""
    ref = model.ref
    millions = model.n_parameters / 1e6
    yield CheckLine(
        "model", f"{ref.scorer}: {ref.name} {ref.weights}, {millions:.1f} M parameters", True
    )
    yield CheckLine("fingerprint", ref.revision, True)
    yield CheckLine("dimensions", f"pictures and texts both have {ref.dim}", True)
    yield CheckLine("preprocessing", ref.preprocess, True)
    mode = model.preprocessing.resize_mode
    if mode != "shortest":
        yield CheckLine(
            "preprocessing",
            f"the model was trained with {mode!r}; Coview's centre crop resizes the short side",
            True,
        )
    yield CheckLine("precision", ref.precision, True)
    if ref.default_threshold is None:
        yield CheckLine(
            "threshold", "none is known for this model; choose one from your own ratings", True
        )
    else:
        source = ref.threshold_source or "no source given"
        yield CheckLine("threshold", f"{ref.default_threshold:g} ({source})", True)


def trials(model: OpenClipModel) -> Iterator[CheckLine]:
    """Unit length, repeatability, and different vectors for different inputs."""
    pictures = generated_pictures(model.ref.image_size_px)
    images, texts = model.embed_images(pictures), model.embed_texts(_SENTENCES)
    for subject, vectors in (("pictures", images), ("texts", texts)):
        worst = float(np.abs(np.linalg.norm(vectors, axis=1) - 1.0).max())
        yield CheckLine(
            f"{subject}: unit length",
            f"at most {worst:.1e} off" if worst < _SAME else f"off by {worst:.2g}",
            bool(worst < _SAME),
        )
        farthest = _lowest_cosine(vectors)
        yield CheckLine(
            f"{subject}: told apart",
            f"lowest cosine between two different ones {farthest:.4f}",
            farthest < _COLLAPSED,
        )
    alone = np.concatenate([model.embed_images([picture]) for picture in pictures])
    one_by_one = np.concatenate([model.embed_texts([text]) for text in _SENTENCES])
    moved = max(float(np.abs(alone - images).max()), float(np.abs(one_by_one - texts).max()))
    limit = _SAME if model.ref.precision == "fp32" else 10 * _SAME
    yield CheckLine(
        "alone or in a batch", f"vectors differ by at most {moved:.1e}", bool(moved < limit)
    )


def dev_bench_lines(model: OpenClipModel, folder: Path) -> Iterator[CheckLine]:
    """Scores on dev-bench's looking-while-listening items, against known values if there are."""
    result, known = score_dev_bench(folder, model), known_result(model.ref)
    text = (
        f"{result.n_correct} of {result.n_pairs} pairs correct; mean cosine "
        f"{result.mean_target:.4f} target, {result.mean_foil:.4f} foil; first pair "
        f"{result.first_target:.4f} and {result.first_foil:.4f}"
    )
    if known is None:
        yield CheckLine("dev-bench", f"{text} (no known values for this model)", True)
        return
    yield CheckLine(
        "dev-bench",
        f"{text}; known: {known.n_correct} of {known.n_pairs}, {known.mean_target:.4f}, "
        f"{known.mean_foil:.4f}, {known.first_target:.4f}, {known.first_foil:.4f}",
        agrees(result, known),
    )


def generated_pictures(size_px: int) -> list[UInt8Array]:
    """Smooth seeded pictures uint8 (3, size_px, size_px), all different."""
    rng = np.random.default_rng(1)
    down, across = np.mgrid[0:size_px, 0:size_px] / size_px
    pictures = []
    for _ in range(_N_PICTURES):
        waves = [
            128 + 120 * np.sin(2 * np.pi * (a * down + b * across + c))
            for a, b, c in rng.uniform(-3, 3, (3, 3))
        ]
        pictures.append(np.stack(waves).astype(np.uint8))
    return pictures


def _lowest_cosine(vectors: Float32Array) -> float:
    return float((vectors @ vectors.T).min())
