"""Settings are read whole or refused with the nearest fix."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.config import Settings, load_settings
from pipeline.errors import SettingsError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "study.toml")
    assert settings == Settings()
    assert settings.model.name == "ViT-B-32-quickgelu"
    assert settings.model.weights == "openai"
    assert settings.study.default_permission == "scores_only"


def test_values_are_taken_over_and_others_keep_their_default(tmp_path: Path) -> None:
    text = "[frames]\nfps = 2\n[speech]\ntranscripts = ['its']\n[align]\nthreshold = 0.26\n"
    settings = load_settings(written(tmp_path, text))
    assert settings.frames.fps == 2.0
    assert settings.frames.step_ms == 500.0
    assert settings.speech.transcripts == ["its"]
    assert settings.align.threshold == 0.26
    assert settings.align.null_draws == 100


@pytest.mark.parametrize(
    ("text", "named", "fix"),
    [
        ("[frame]\nfps = 1\n", "[frame]", "frames"),
        ("[frames]\nfsp = 1\n", "frames.fsp", "fps"),
        ("[frames]\nfps = 'one'\n", "frames.fps", "a number"),
        ("[frames]\nfps = 0\n", "frames.fps", "0.1 to 30"),
        ("[align]\ncrops = ['pad']\n", "center", "align.crops"),
        ("[align]\ncrops = ['center', 'oval']\n", "oval", "squash"),
        ("[align]\nnull_draws = true\n", "align.null_draws", "whole number"),
        ("[speech]\nsource = 'guess'\n", "speech.source", "whisper"),
        ("frames = 3\n", "frames", "[frames]"),
        ("[frames\n", "TOML", "line"),
    ],
)
def test_a_wrong_setting_is_refused_naming_it_and_the_fix(
    tmp_path: Path, text: str, named: str, fix: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(written(tmp_path, text))
    assert "study.toml" in caught.value.message
    assert named in caught.value.message
    assert fix in caught.value.hint


def test_equal_settings_give_equal_json() -> None:
    assert Settings().to_json() == Settings().to_json()
    assert '"fps": 1.0' in Settings().to_json()


def test_the_settings_page_lists_every_key_with_its_default() -> None:
    text = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    documented: dict[tuple[str, str], str] = {}
    section = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[1].startswith("`"):
            section = cells[0].strip("`[]") or section
            documented[(section, cells[1].strip("`"))] = cells[2].strip("`")
    known = {
        (section, key): value
        for section, values in asdict(Settings()).items()
        for key, value in values.items()
    }
    assert set(documented) == set(known)
    described = {("study", "name"), ("align", "crops"), ("align", "threshold")}
    for key, value in known.items():
        if key not in described:
            assert documented[key] == json.dumps(value), key
