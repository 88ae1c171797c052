"""Which image-text models there are, fetching one, and checking one before it scores anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.config import ModelSettings
from pipeline.errors import CoviewError, ModelError
from pipeline.vision.model_files import (
    CONFIG_FILE,
    DEMO_MODEL,
    cached_weights,
    check_pair,
    demo_folder,
)
from pipeline.vision.open_clip_import import import_open_clip

_KIND = "image-text"
_RECOMMENDED = (
    ("ViT-B-32-quickgelu", "openai", "the model of Tan et al. 2025; the default"),
    ("ViT-B-16-quickgelu", "openai", "finer patches, about 4 times slower"),
    ("ViT-L-14-quickgelu", "openai", "larger, about 20 times slower"),
    ("ViT-B-32", "laion2b_s34b_b79k", "other training data: scores do not compare with openai's"),
)


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One line of the list of models."""

    kind: str
    name: str
    weights: str
    is_here: bool
    note: str


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One finding about a model."""

    subject: str
    message: str
    is_ok: bool


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What loading a model and trying it showed."""

    lines: tuple[CheckLine, ...]

    @property
    def is_ok(self) -> bool:
        return all(line.is_ok for line in self.lines)


def list_models(cache_dir: str = "") -> list[KnownModel]:
    """The shipped model, recommended ones, and whatever else open_clip knows that is cached."""
    import_open_clip()
    from open_clip.pretrained import list_pretrained

    models = [
        KnownModel(
            _KIND,
            DEMO_MODEL,
            "",
            (demo_folder() / CONFIG_FILE).is_file(),
            "small, comes with Coview; for the demo only",
        )
    ]
    for name, weights, note in _RECOMMENDED:
        is_here = cached_weights(name, weights, cache_dir) is not None
        models.append(KnownModel(_KIND, name, weights, is_here, note))
    listed = {(model.name, model.weights) for model in models}
    for name, weights in list_pretrained():
        if (name, weights) in listed or cached_weights(name, weights, cache_dir) is None:
            continue
        try:
            check_pair(name, weights)
        except ModelError:
            # The files serve the QuickGELU twin of this architecture, listed on its own.
            continue
        models.append(KnownModel(_KIND, name, weights, True, ""))
    return models


def fetch_model(name: str, weights: str, cache_dir: str = "") -> Path:
    """Download a model's weights into the cache and return their file. Uses the network.

    Raises ModelError when the pair is unknown, does not fit together, or cannot be downloaded.
    """
    import_open_clip()
    from open_clip.pretrained import download_pretrained, get_pretrained_cfg

    check_pair(name, weights)
    try:
        downloaded: str = download_pretrained(
            get_pretrained_cfg(name, weights), cache_dir=cache_dir or None
        )
    except (OSError, RuntimeError, ValueError) as problem:
        raise ModelError(
            f"{name} with the weights {weights!r} could not be downloaded.",
            hint="Check the network of this machine and try again, or copy the model's folder "
            "from another machine and set model.name to it.",
        ) from problem
    return Path(downloaded)


def check_model(
    settings: ModelSettings, study_root: Path, device: str, dev_bench: Path | None = None
) -> ModelCheck:
    """Load the model, try it on generated pictures and sentences, and on dev-bench if given.

    Never raises a CoviewError: what cannot be loaded or read is a line of the check.
    """
    from pipeline.vision.model_trials import dev_bench_lines, facts, trials
    from pipeline.vision.open_clip_model import OpenClipModel

    try:
        model = OpenClipModel(settings, study_root, device)
    except CoviewError as problem:
        return ModelCheck((CheckLine("loading", str(problem), False),))
    lines = [*facts(model), *trials(model)]
    if dev_bench is not None:
        try:
            lines.extend(dev_bench_lines(model, dev_bench))
        except CoviewError as problem:
            lines.append(CheckLine("dev-bench", str(problem), False))
    return ModelCheck(tuple(lines))
