"""A study of two short films in two states, `OLD` and `NEW`, that differ in every stage.

One film has a transcript and one is heard by the small speech model; scores have the plain setting
and one with nouns and hubs, so that shards of every kind are made. The tests leave the second out.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import av

from pipeline.demo.study_writer import write_demo_study

OLD, NEW = "old", "new"
_FILMS = ("C01_01", "C02_01")
_MAX_TINY = 4
_SECONDS = 12
_TRANSCRIPT = Path("annotations/whisperx/raw/C01_01.json")
_SETTINGS = """\
[study]
name = "Small"
default_permission = "media"

[speech]
source = "auto"
model = "demo-whisper"
language = "en"
vad_threshold = 0.3

[model]
name = "demo-clip"
weights = ""

[align]
settings = ["nouns+hub"]

[frames]
fps = {fps}
"""
_FPS = {OLD: 0.2, NEW: 0.25}


@dataclass(frozen=True, slots=True)
class SmallStudy:
    """A study's folder whose given files can be those of either state."""

    root: Path

    @property
    def derived(self) -> Path:
        return self.root / "derived"

    def become(self, state: str) -> None:
        """Give the study the files of OLD or NEW; what was derived stays."""
        _write(self.root / "study.toml", _SETTINGS.format(fps=_FPS[state]))
        kept = self.root / "given" / f"{state}.json"
        _write(self.root / _TRANSCRIPT, kept.read_text(encoding="utf-8"))

    def reset(self, derived: Path | None) -> None:
        """Put a copy of `derived` in the place of what was derived; None: nothing."""
        shutil.rmtree(self.derived, ignore_errors=True)
        if derived is not None:
            shutil.copytree(derived, self.derived)


def write_small_study(folder: Path, demo: Path | None, n_films: int = 2) -> SmallStudy:
    """Make the study in `folder`, from a tiny demo study where one is given."""
    films = _FILMS[:n_films]
    source = demo
    if source is None or len(list((source / "recordings" / "raw").glob("*.mp4"))) > _MAX_TINY:
        source = folder.with_name(f"{folder.name}-source")
        write_demo_study(source, scale="tiny")
    (folder / "metadata").mkdir(parents=True)
    shutil.copy2(source / "metadata" / "children.csv", folder / "metadata")
    for film in films:
        path = Path("recordings", "raw", f"{film}.mp4")
        _cut(source / path, folder / path)
    recordings = (source / "metadata" / "recordings.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in recordings[1:] if any(film in line for film in films)]
    _write(folder / "metadata" / "recordings.csv", "\n".join((recordings[0], *kept)) + "\n")
    metannots = (source / _TRANSCRIPT).parents[1] / "metannots.yml"
    said = (source / _TRANSCRIPT).read_text(encoding="utf-8")
    _write(folder / _TRANSCRIPT.parents[1] / "metannots.yml", metannots.read_text())
    _write(folder / "given" / f"{OLD}.json", said.replace("apple", "ball"))
    _write(folder / "given" / f"{NEW}.json", said)
    study = SmallStudy(folder)
    study.become(OLD)
    return study


def twin(study: SmallStudy, folder: Path) -> SmallStudy:
    """The same study in another folder, without what was derived."""
    shutil.copytree(study.root, folder, ignore=shutil.ignore_patterns("derived"))
    return SmallStudy(folder)


def _cut(source: Path, target: Path) -> None:
    """The beginning of a film, as it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is not None and packet.dts * packet.time_base < _SECONDS:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)


def _write(path: Path, text: str) -> None:
    """Write a given file; its time of change is always the same, as its content decides."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_600_000_000, 1_600_000_000))
