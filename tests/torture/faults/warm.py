"""Imported by the server that runs are forked from: what each of them would load again.

Nothing here may start a thread, as threads do not outlive a fork.
"""

from __future__ import annotations

import faster_whisper
import numba
import onnxruntime  # type: ignore[import-untyped]
import open_clip
import pandas as pd
import pyarrow.pandas_compat
import pyarrow.parquet
import scipy.special
import simplemma
import torch
import torchvision.transforms

import __main__
import pipeline.align.kernels
import pipeline.align.stage
import pipeline.cli_output
import pipeline.engine.runner
import pipeline.speech.stage
import pipeline.speech.transcriber
import pipeline.vision.loading
import pipeline.vision.open_clip_model
import pipeline.vision.sampling
import pipeline.vision.stage
import pipeline.vision.text_tower
import pipeline.vision.variant_texts

__all__ = [
    "faster_whisper",
    "onnxruntime",
    "open_clip",
    "pd",
    "pipeline",
    "pyarrow",
    "scipy",
    "torch",
    "torchvision",
]

__main__.__file__ = __file__
"""Or DuckDB would take the server for a place where somebody types, and print progress bars."""
simplemma.lemmatize("dogs", lang="en")
numba.njit(lambda x: x + 1)(1)
