"""Which shards belong to which settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.engine.plan import make_plan
from pipeline.errors import SettingsError
from pipeline.store.layout import Stage
from pipeline.study import open_study
from tests.fakes import MODEL


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "children.csv").write_text("child_id,child_dob\nC1,2024-01-01\n")
    (tmp_path / "metadata" / "recordings.csv").write_text(
        "child_id,recording_filename,date_iso\nC1,a.mp4,2025-01-01\n"
    )
    return tmp_path


def fingerprints(root: Path, settings: str) -> dict[Stage, str]:
    (root / "study.toml").write_text(settings, encoding="utf-8")
    plan = make_plan(open_study(root), MODEL)
    return {stage: plan.folder(stage).fingerprint for stage in Stage}


def test_key_frames_are_other_frames_and_exact_ones_the_usual(root: Path) -> None:
    usual = fingerprints(root, "")
    assert fingerprints(root, '[frames]\nmode = "exact"\n') == usual
    keyframes = fingerprints(root, '[frames]\nmode = "keyframes"\n')
    assert keyframes[Stage.VISION] != usual[Stage.VISION]
    assert keyframes[Stage.SPEECH] == usual[Stage.SPEECH]


def test_an_unknown_mode_is_refused_with_those_there_are(root: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        fingerprints(root, '[frames]\nmode = "some"\n')
    assert "frames.mode" in caught.value.message
    assert "exact, keyframes" in caught.value.hint
