"""Checks of the machine and of a study, for people who ask why something does not work."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import CoviewError
from pipeline.study import Study, open_study

_LOW_SPACE_BYTES = 5 << 30
_PACKAGES = ("streamlit", "torch", "open_clip_torch", "faster-whisper", "av", "duckdb", "plotly")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: good, a note, or bad (something will not work)."""

    verdict: Literal["good", "note", "bad"]
    subject: str
    message: str


def examine(study_root: Path | None) -> list[Finding]:
    """Look at Python, packages, decoders, device, disk, and the study if one is named."""
    findings = [*_machine(), *_packages(), _codecs(), _device()]
    if study_root is None:
        findings.append(_space(Path.cwd()))
        return findings
    try:
        study = open_study(study_root)
    except CoviewError as problem:
        findings.append(Finding("bad", "study", str(problem)))
        return findings
    findings.append(_space(study.root))
    findings.extend(_study(study))
    return findings


def _machine() -> Iterator[Finding]:
    version = platform.python_version()
    verdict: Literal["good", "bad"] = "good" if sys.version_info >= (3, 10) else "bad"
    yield Finding(verdict, "Python", version)
    yield Finding("good", "machine", f"{platform.system()}, {os.cpu_count()} processor cores")


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding("good", name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding("bad", name, "not installed; run: make setup")


def _codecs() -> Finding:
    import av

    missing = [name for name in ("libx264", "aac") if name not in av.codecs_available]
    if missing:
        return Finding("bad", "PyAV", f"cannot write {', '.join(missing)}; clips will not play")
    return Finding("good", "PyAV", f"{av.__version__}, reads and writes H.264 and AAC")


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("good", "GPU", torch.cuda.get_device_name(0))
    return Finding("note", "GPU", "none usable; models run on the processor")


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    verdict: Literal["good", "bad"] = "good" if free > _LOW_SPACE_BYTES else "bad"
    return Finding(verdict, "disk", f"{free / (1 << 30):.0f} GiB free")


def _study(study: Study) -> Iterator[Finding]:
    yield Finding(
        "good",
        "study",
        f"{study.name}: {len(study.children)} children, {len(study.recordings)} recordings",
    )
    for failure in study.failures:
        yield Finding("bad", failure.recording_id, f"{failure.message} {failure.hint}")
    for notice in study.notices:
        yield Finding("note", "metadata", notice.message)
    if not os.access(study.root, os.W_OK):
        yield Finding("bad", "study", "its folder cannot be written to")
    yield _image_text_model(study)
    yield _transcripts(study)


def _image_text_model(study: Study) -> Finding:
    from pipeline.vision.open_clip_model import OpenClipModel

    try:
        ref = OpenClipModel(study.settings.model, study.root, "cpu").ref
    except CoviewError as problem:
        return Finding("bad", "model", str(problem))
    return Finding("good", "model", f"{ref.scorer}, revision {ref.revision}, {ref.dim} dimensions")


def _transcripts(study: Study) -> Finding:
    from pipeline.speech.index import transcript_inputs

    try:
        index = transcript_inputs(study)
    except CoviewError as problem:
        return Finding("bad", "transcripts", str(problem))
    n_without = sum(index.transcript_for(r.recording_id) is None for r in study.recordings)
    if not n_without:
        return Finding("good", "transcripts", "one for every recording")
    return Finding(
        "note",
        "transcripts",
        f"none for {n_without} recording(s); these are transcribed with "
        f"{study.settings.speech.model}",
    )
