"""`python -m benchmarks`: every benchmark at a small size, one after the other.

Each is a command of its own; its --help tells how to run it at full size.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the benchmarks; the exit code is 1 when one of them missed its targets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--study", type=Path, default=Path("demo-study"), help="the demo study")
    study = parser.parse_args().study
    commands = [
        ["coverage", "--studies", "60", "--null-studies", "40"],
        ["scores_speed"],
        ["frames_exact", "--size", "360p", "--seconds", "20"],
        ["frames_speed", "--films", "h264_1080p_gop15", "h264_uneven_turned"],
        ["preprocess_speed"],
        ["embed_speed"],
        ["pages_speed"],
        ["charts_speed"],
        ["sentence_speed"],
        ["export_speed", "--utterances", "20000", "--recordings", "80"],
        ["import_speed", "--utterances", "20000"],
        ["mixed_speed"],
        ["sound_invariants"],
        ["rating_load", "--seconds", "20", "--kills", "3"],
        ["probe_truth", "--planted", "6", "--deaf", "12"],
        ["psychometric_coverage", "--studies", "10"],
        ["publish_speed", "--recordings", "200"],
        ["transcribe_speed"],
        ["run_memory"],
        ["ray_scaling", "--recordings", "6", "--rounds", "1"],
    ]
    if (study / "truth.csv").is_file():
        commands[:0] = [["demo_truth", str(study)], ["sound_truth", str(study)]]
        commands.append(["face_blur", str(study)])
    else:
        print(f"No demo study at {study}: run `make demo` first to check it against its truth.")
    is_missed = False
    for name, *arguments in commands:
        print(f"\n== {name} ==", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        is_missed |= subprocess.run(command, check=False).returncode != 0
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
