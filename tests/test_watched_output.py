"""What a watched command prints is its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_watched_process_prints_no_bars_of_duckdbs(tmp_path: Path) -> None:
    from pipeline import __main__ as command

    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").touch()
    (tmp_path / "pipeline" / "__main__.py").write_text(
        "def main():\n"
        "    import duckdb\n"
        "    query = \"SELECT current_setting('enable_progress_bar')\"\n"
        "    print(duckdb.connect().execute(query).fetchone()[0])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", command._AGAIN, str(tmp_path), "run"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "False\n"
