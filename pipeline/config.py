"""Settings of a study: frozen values read from study.toml, stored with what they produced.

Every key has a default, so study.toml may be missing. An unknown key is refused with the nearest
known name, because a misspelt setting that is silently ignored gives wrong results.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Union, get_args, get_origin, get_type_hints

from pipeline.errors import SettingsError
from pipeline.records import FrameMode
from pipeline.schema import CROPS, NULL_DRAWS
from pipeline.score_settings import SETTING_NAMES, ScorerSetting, settings_named

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Value = Union[str, int, float, bool, None, "list[str]", "dict[str, str]"]


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(f"{name} is {value}.", hint=f"Choose {low} to {high}.")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}.", hint=f"Choose one of: {', '.join(allowed)}.")


@dataclass(frozen=True, slots=True)
class StudySettings:
    """[study]: who and what."""

    name: str = ""
    default_permission: str = "scores_only"

    def __post_init__(self) -> None:
        _one_of(
            "study.default_permission",
            self.default_permission,
            ("media", "excerpts", "scores_only"),
        )


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """[speech]: where utterances come from.

    source: "auto" imports a transcript where one lies under annotations/ and transcribes the
    rest; "import" never transcribes; "whisper" always does. `model` is a faster-whisper name, a
    hub id, or a folder (relative to the study); `cache_dir` is where fetched files lie.
    `split_pause_ms` of 0 does not cut at pauses. `check_voice` also listens to recordings whose
    transcript is imported, to flag text where nobody is heard. `reference` names sets that are
    kept to compare with (the command wer) and are never the study's own transcripts.
    """

    source: str = "auto"
    transcripts: list[str] = field(default_factory=list)
    reference: list[str] = field(default_factory=list)
    model: str = "distil-large-v3"
    cache_dir: str = ""
    language: str = ""
    beam_size: int = 5
    batch_size: int = 8
    compute_type: str = "default"
    vad: bool = True
    vad_threshold: float = 0.5
    audio_track: int = 0
    split_sentences: bool = True
    split_pause_ms: int = 0
    multilingual: bool = False
    check_voice: bool = False
    rttm_labels: dict[str, str] = field(default_factory=dict)
    tiers: dict[str, str] = field(default_factory=dict)
    skip_bad_rows: bool = False

    def __post_init__(self) -> None:
        _one_of("speech.source", self.source, ("auto", "import", "whisper"))
        _in_range("speech.beam_size", self.beam_size, 1, 20)
        _in_range("speech.batch_size", self.batch_size, 1, 256)
        _in_range("speech.audio_track", self.audio_track, 0, 31)
        _in_range("speech.vad_threshold", self.vad_threshold, 0.05, 0.95)
        _in_range("speech.split_pause_ms", self.split_pause_ms, 0, 60_000)


@dataclass(frozen=True, slots=True)
class SpeakersSettings:
    """[speakers]: another program that says who speaks.

    `command` is run on recordings without a speaker file; {wav_dir} and {out_dir} in it are the
    folder of their sound and the folder it leaves RTTM files in.
    """

    command: str = ""


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """[frames]: the sampling grid and the thumbnails kept for the dashboard.

    `mode`: "exact" takes the frame nearest to each grid time, "keyframes" the nearest key frame
    with its own time.
    """

    fps: float = 1.0
    thumbnail_px: int = 240
    mode: str = "exact"

    def __post_init__(self) -> None:
        _in_range("frames.fps", self.fps, 0.1, 30.0)
        _in_range("frames.thumbnail_px", self.thumbnail_px, 64, 1024)
        _one_of("frames.mode", self.mode, tuple(mode.value for mode in FrameMode))

    @property
    def step_ms(self) -> float:
        return 1000.0 / self.fps


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """[model]: the image-text model that scores.

    `name` is an open_clip architecture with `weights` a tag it knows ("openai"), or "demo-clip"
    (shipped), or a folder holding open_clip_config.json and weights (relative to the study);
    for the last two `weights` stays empty. `cache_dir` is where hub files lie.
    """

    name: str = "ViT-B-32-quickgelu"
    weights: str = "openai"
    precision: str = "auto"
    cache_dir: str = ""
    batch_size: int = 64
    scorer: str = ""

    def __post_init__(self) -> None:
        _one_of("model.precision", self.precision, ("auto", "fp32", "bf16", "fp16"))
        _in_range("model.batch_size", self.batch_size, 1, 4096)


@dataclass(frozen=True, slots=True)
class AlignSettings:
    """[align]: the matched null, utterances that hold no frame, and further score settings.

    `settings`: any of hub, nouns, photo, nouns+hub, photo+hub; each is a scorer of its own.
    """

    crops: list[str] = field(default_factory=lambda: list(CROPS))
    null_draws: int = NULL_DRAWS
    seed: int = 1
    sub_second: str = "null"
    threshold: float | None = None
    settings: list[str] = field(default_factory=list)

    @property
    def score_settings(self) -> tuple[ScorerSetting, ...]:
        """The further settings, each once, always in the same order."""
        return settings_named(self.settings)

    def __post_init__(self) -> None:
        for name in self.settings:
            if name not in SETTING_NAMES:
                raise SettingsError(
                    f"align.settings has the unknown setting {name!r}.",
                    hint=_nearest(name, SETTING_NAMES),
                )
        for crop in self.crops:
            _one_of("align.crops", crop, CROPS)
        if "center" not in self.crops:
            raise SettingsError('align.crops lacks "center".', hint='Add "center" to align.crops.')
        _in_range("align.null_draws", self.null_draws, 10, 10_000)
        _one_of("align.sub_second", self.sub_second, ("null", "nearest"))
        if self.threshold is not None:
            _in_range("align.threshold", self.threshold, -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """[publish]: how many builds of the store are kept."""

    keep_builds: int = 2

    def __post_init__(self) -> None:
        _in_range("publish.keep_builds", self.keep_builds, 1, 100)


@dataclass(frozen=True, slots=True)
class ClipsSettings:
    """[clips]: how much room cut clips may take, the ones unused longest go first; and how many
    lines a clip has at most, counted along the shorter side of the picture."""

    cache_gb: float = 2.0
    lines: int = 540

    def __post_init__(self) -> None:
        _in_range("clips.cache_gb", self.cache_gb, 0.1, 100_000)
        _in_range("clips.lines", self.lines, 64, 4_320)


_SHOWN_IN = ("viewing", "rating", "exports")
_ROLES_WITH_MEDIA = ("viewer", "admin")


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """[privacy]: where faces are hidden, how, and from whom not: a courtesy, not anonymisation.

    `blur_faces`: any of viewing (clips and frames on the pages), rating (pictures of trials) and
    exports (clips that leave). `face_blur`: "spots" leaves a few coarse spots of colour of a face,
    "solid" one colour. `clear_for`: roles that see faces while viewing all the same.
    """

    blur_faces: list[str] = field(default_factory=lambda: ["exports"])
    face_blur: str = "spots"
    clear_for: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place in self.blur_faces:
            _one_of("privacy.blur_faces", place, _SHOWN_IN)
        for role in self.clear_for:
            _one_of("privacy.clear_for", role, _ROLES_WITH_MEDIA)
        _one_of("privacy.face_blur", self.face_blur, ("spots", "solid"))


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a study."""

    study: StudySettings = field(default_factory=StudySettings)
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    speakers: SpeakersSettings = field(default_factory=SpeakersSettings)
    frames: FrameSettings = field(default_factory=FrameSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    align: AlignSettings = field(default_factory=AlignSettings)
    publish: PublishSettings = field(default_factory=PublishSettings)
    clips: ClipsSettings = field(default_factory=ClipsSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)

    def to_json(self) -> str:
        """Settings as JSON with sorted keys; the same settings always give the same text.

        Without [privacy], which changes nothing that is computed.
        """
        content = asdict(self)
        del content["privacy"]
        return json.dumps(content, sort_keys=True)


def load_settings(path: Path) -> Settings:
    """Read study.toml; a missing file gives the defaults.

    Raises SettingsError for a file that is not TOML, an unknown key (naming the nearest known
    one), a value of the wrong type or out of range.
    """
    if not path.exists():
        return Settings()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(
            f"{path.name} is not valid TOML: {problem}.", hint="Mend that line of the file."
        ) from problem
    return settings_from_mapping(content, path.name)


def settings_from_mapping(content: Mapping[str, object], source: str) -> Settings:
    """Build settings from parsed TOML; `source` names the file in errors."""
    hints = _hints(Settings)
    sections = {f.name: hints[f.name] for f in fields(Settings)}
    chosen: dict[str, object] = {}
    for name, body in content.items():
        if name not in sections:
            raise _unknown(f"[{name}]", name, tuple(sections), source)
        if not isinstance(body, Mapping):
            raise SettingsError(
                f"{source}: {name} must be a section.", hint=f"Write [{name}] on its own line."
            )
        chosen[name] = _section(sections[name], body, name, source)
    return Settings(**chosen)  # type: ignore[arg-type]


@cache
def _hints(kind: type) -> Mapping[str, type]:
    """They never change, and looking them up takes longer than reading the file."""
    return get_type_hints(kind)


def _section(kind: type, body: Mapping[str, object], section: str, source: str) -> object:
    hints = _hints(kind)
    values: dict[str, object] = {}
    for key, value in body.items():
        if key not in hints:
            raise _unknown(f"{section}.{key}", key, tuple(hints), source)
        values[key] = _typed(hints[key], value, f"{section}.{key}", source)
    try:
        return kind(**values)
    except SettingsError as problem:
        raise SettingsError(f"{source}: {problem.message}", hint=problem.hint) from None


def _unknown(shown: str, key: str, known: tuple[str, ...], source: str) -> SettingsError:
    return SettingsError(f"{source}: unknown setting {shown}.", hint=_nearest(key, known))


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."


def _typed(hint: object, value: object, name: str, source: str) -> object:
    if get_origin(hint) is not None and type(None) in get_args(hint):
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if get_origin(hint) is list:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        expected = "a list of texts"
    elif get_origin(hint) is dict:
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return value
        expected = "a table of texts"
    elif isinstance(hint, type) and type(value) is hint:
        return value
    else:
        expected = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[
            hint  # type: ignore[index]
        ]
    raise SettingsError(f"{source}: {name} is {value!r}.", hint=f"It must be {expected}.")
