"""A study of very many very short recordings: one tiny video and one transcript, linked."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

from pipeline.demo.study_writer import write_demo_study
from pipeline.study import open_study

_SETTINGS = """
[speech]
source = "import"
[model]
name = "demo-clip"
weights = ""
"""


def write_many_recordings(root: Path, n_recordings: int, n_children: int) -> None:
    """Write a study of `n_recordings` links to the shortest recording of the tiny demo study,
    spread over `n_children`; every transcript is a file of its own."""
    source = root.with_name(root.name + "-demo")
    write_demo_study(source, scale="tiny")
    study = open_study(source)
    first = study.recordings[0]
    video = study.media_file(first)
    assert video is not None
    transcript = next((source / "annotations").rglob(f"{first.recording_id}.json"))
    videos = root / video.parent.relative_to(source)
    transcripts = root / transcript.parent.relative_to(source)
    for folder in (videos, transcripts, root / "metadata"):
        folder.mkdir(parents=True)
    (root / "study.toml").write_text(_SETTINGS, encoding="utf-8")
    with (source / "metadata" / "recordings.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    with (root / "metadata" / "recordings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        for number in range(n_recordings):
            name = f"R{number:06d}"
            child = f"C{number % n_children:04d}"
            writer.writerow({**row, "child_id": child, "recording_filename": f"{name}.mp4"})
            os.link(video, videos / f"{name}.mp4")
            shutil.copy(transcript, transcripts / f"{name}.json")
    with (source / "metadata" / "children.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    with (root / "metadata" / "children.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows({**row, "child_id": f"C{n:04d}"} for n in range(n_children))
