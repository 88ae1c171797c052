"""From a model's name to its files on this machine. Nothing here downloads."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.config import ModelSettings
from pipeline.errors import ModelError
from pipeline.vision.open_clip_import import import_open_clip

DEMO_MODEL = "demo-clip"
CONFIG_FILE = "open_clip_config.json"
COVIEW_FILE = "coview_model.json"
PAPER_MODEL = ("ViT-B-32-quickgelu", "openai")
PAPER_THRESHOLD = 0.24
PAPER_THRESHOLD_SOURCE = "Tan et al. 2025 scripts"

_CHECKPOINTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
"""In the order in which open_clip itself looks for weights in a folder."""

_READ_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How the model's makers prepare an image: RGB mean and SD (0-1) and how it is resized."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str
    resize_mode: str


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where a model's files lie and what is known of it without loading them.

    `architecture` is open_clip's name, or "local-dir:FOLDER". `preprocessing` is None when the
    folder's own configuration says it.
    """

    scorer: str
    name: str
    weights: str
    architecture: str
    checkpoint: Path
    config: str
    preprocessing: Preprocessing | None
    default_threshold: float | None = None
    threshold_source: str = ""

    @property
    def folder(self) -> Path | None:
        """The folder of a local model."""
        prefix = "local-dir:"
        if not self.architecture.startswith(prefix):
            return None
        return Path(self.architecture[len(prefix) :])

    @property
    def revision(self) -> str:
        """Digest of the weights file and the configuration: what the vectors depend on."""
        stat = self.checkpoint.stat()
        weights = _file_digest(self.checkpoint, stat.st_size, stat.st_mtime_ns)
        return hashlib.sha256(f"{weights};{self.config}".encode()).hexdigest()[:16]


def find_model(settings: ModelSettings, study_root: Path) -> ModelFiles:
    """The files of the study's model.

    `settings.name` is "demo-clip", a folder (absolute or relative to the study), or an open_clip
    architecture whose weights lie in the cache.

    Raises ModelError when they are not there, the name is unknown, or the architecture computes
    with another activation than the weights were trained with.
    """
    if settings.name == DEMO_MODEL:
        return _folder_model(demo_folder(), settings)
    folder = (study_root / Path(settings.name).expanduser()).resolve()
    if folder.is_dir():
        return _folder_model(folder, settings)
    if any(sign in settings.name for sign in ("/", "\\")) or settings.name.startswith((".", "~")):
        raise ModelError(
            f"There is no model folder {settings.name}.",
            hint="Give the folder relative to the study, or in full.",
        )
    return _cached_model(settings)


def demo_folder() -> Path:
    """The folder of the small model that comes with Coview."""
    return Path(__file__).resolve().parent.parent / "demo" / "models" / DEMO_MODEL


def cached_weights(name: str, weights: str, cache_dir: str) -> Path | None:
    """The weights file of a known open_clip model in the cache, or None."""
    from huggingface_hub import try_to_load_from_cache

    import_open_clip()
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME
    from open_clip.pretrained import get_pretrained_cfg

    known: Mapping[str, str] = get_pretrained_cfg(name, weights)
    repository, _, file_name = known.get("hf_hub", "").rpartition("/")
    if repository:
        if file_name:
            safe = Path(file_name).with_suffix(".safetensors").name
            candidates = [safe, file_name] if file_name.endswith((".bin", ".pth")) else [file_name]
        else:
            candidates = [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]
        for candidate in candidates:
            found = try_to_load_from_cache(repository, candidate, cache_dir=cache_dir or None)
            if isinstance(found, str):
                return Path(found)
        return None
    downloads = Path(cache_dir) if cache_dir else Path.home() / ".cache" / "clip"
    path = downloads / known.get("url", "").rpartition("/")[2]
    return path if path.is_file() else None


def check_pair(name: str, weights: str) -> None:
    """Raise ModelError unless open_clip knows these weights of this architecture and they fit."""
    import_open_clip()
    from open_clip import list_models
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    architectures: list[str] = list_models()
    if name not in architectures:
        near = difflib.get_close_matches(name, [*architectures, DEMO_MODEL], n=1)
        raise ModelError(
            f"There is no model {name!r}.",
            hint=(f"Did you mean {near[0]}? " if near else "")
            + "See: python -m pipeline models list",
        )
    tags: list[str] = list_pretrained_tags_by_model(name)
    known = get_pretrained_cfg(name, weights)
    if not known:
        near = difflib.get_close_matches(weights, tags, n=1)
        raise ModelError(
            f"There are no weights {weights!r} for {name}.",
            hint=f"Did you mean {near[0]}?"
            if near
            else f"Known for it: {', '.join(tags) or 'none'}.",
        )
    if known.get("quick_gelu", False) and not _has_quick_gelu(name):
        raise ModelError(
            f"{name} computes with another activation (GELU) than the weights {weights!r} were "
            "trained with (QuickGELU), so its scores would be wrong.",
            hint=f'Use name = "{name}-quickgelu" with weights = "{weights}".',
        )


def _has_quick_gelu(name: str) -> bool:
    from open_clip import get_model_config

    return bool(get_model_config(name).get("quick_gelu", False))


def _cached_model(settings: ModelSettings) -> ModelFiles:
    import_open_clip()
    from open_clip import get_model_config
    from open_clip.pretrained import get_pretrained_cfg

    name, weights = settings.name, settings.weights
    check_pair(name, weights)
    checkpoint = cached_weights(name, weights, settings.cache_dir)
    if checkpoint is None:
        raise ModelError(
            f"The model {name} with the weights {weights!r} is not on this machine.",
            hint=f"Fetch it where there is a network: python -m pipeline models fetch {name} "
            f"{weights}. Or set model.name to a folder that holds {CONFIG_FILE} and the weights.",
        )
    known = get_pretrained_cfg(name, weights)
    is_paper_model = (name, weights) == PAPER_MODEL
    return ModelFiles(
        scorer=settings.scorer or f"{name}/{weights}",
        name=name,
        weights=weights,
        architecture=name,
        checkpoint=checkpoint,
        config=json.dumps(get_model_config(name), sort_keys=True),
        preprocessing=Preprocessing(
            mean=known["mean"],
            std=known["std"],
            interpolation=known["interpolation"],
            resize_mode=known["resize_mode"],
        ),
        default_threshold=PAPER_THRESHOLD if is_paper_model else None,
        threshold_source=PAPER_THRESHOLD_SOURCE if is_paper_model else "",
    )


def _folder_model(folder: Path, settings: ModelSettings) -> ModelFiles:
    config = folder / CONFIG_FILE
    if not config.is_file():
        raise ModelError(
            f"The model folder {folder.name} has no {CONFIG_FILE}.",
            hint="Name a folder that holds an open_clip model: its configuration and its weights.",
        )
    content = _json_object(config)
    if not isinstance(content.get("model_cfg"), dict):
        raise ModelError(
            f"{folder.name}/{CONFIG_FILE} has no model_cfg.",
            hint="Copy the file again from where the model was published.",
        )
    checkpoint = next(
        (folder / file for file in _CHECKPOINTS if (folder / file).is_file()),
        next(iter(sorted(folder.glob("*.safetensors"))), None),
    )
    if checkpoint is None:
        raise ModelError(
            f"The model folder {folder.name} holds no weights.",
            hint=f"Put {_CHECKPOINTS[0]} into it.",
        )
    threshold, source = _folder_threshold(folder)
    return ModelFiles(
        scorer=settings.scorer or folder.name,
        name=folder.name,
        weights=checkpoint.name,
        architecture=f"local-dir:{folder}",
        checkpoint=checkpoint,
        config=json.dumps(content, sort_keys=True),
        preprocessing=None,
        default_threshold=threshold,
        threshold_source=source,
    )


def _folder_threshold(folder: Path) -> tuple[float | None, str]:
    path = folder / COVIEW_FILE
    if not path.is_file():
        return None, ""
    content = _json_object(path)
    threshold = content.get("default_threshold")
    if threshold is not None and (
        isinstance(threshold, bool) or not isinstance(threshold, int | float)
    ):
        raise ModelError(
            f"{folder.name}/{COVIEW_FILE}: default_threshold is {threshold!r}.",
            hint="It must be a number, or left out.",
        )
    return (
        None if threshold is None else float(threshold),
        str(content.get("threshold_source", "")),
    )


def _json_object(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise ModelError(
            f"{path.parent.name}/{path.name} is not valid JSON: {problem}.",
            hint="Copy the file again from where the model was published.",
        ) from problem
    if not isinstance(content, dict):
        raise ModelError(
            f"{path.parent.name}/{path.name} is not a JSON object.",
            hint="Copy the file again from where the model was published.",
        )
    return content


@lru_cache(maxsize=8)
def _file_digest(path: Path, size: int, modified_ns: int) -> str:
    """Digest of a file; size and time of change are there to notice that it was replaced."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
