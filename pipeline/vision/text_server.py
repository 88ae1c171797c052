"""The text encoder as a process of its own: sentences in, vectors out.

`python -m pipeline.vision.text_server STUDY` loads the study's image-text model, writes one line
about it, then answers each line of its input: {"texts": [...]} with {"vectors": [[...], ...]}, or
with {"error": ..., "hint": ...}. It ends when its input ends, as it does when the process that
started it ends, and when nothing was asked for some minutes. So the dashboard itself never loads
a model.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

from pipeline.config import load_settings
from pipeline.errors import CoviewError
from pipeline.vision.image_text_model import ImageTextModel

IDLE_S = 300.0
MAX_TEXTS = 256
MAX_CHARACTERS = 1_000


def answer(model: ImageTextModel, line: str) -> dict[str, object]:
    """The answer to one line."""
    try:
        asked = json.loads(line)
    except json.JSONDecodeError:
        return {"error": "The request is not JSON.", "hint": ""}
    texts = asked.get("texts") if isinstance(asked, dict) else None
    if (
        not isinstance(texts, list)
        or not 0 < len(texts) <= MAX_TEXTS
        or not all(isinstance(text, str) and text.strip() for text in texts)
    ):
        return {"error": f"The request names no texts, or more than {MAX_TEXTS}.", "hint": ""}
    vectors = model.embed_texts([text[:MAX_CHARACTERS] for text in texts])
    return {"vectors": [[float(value) for value in row] for row in vectors]}


def serve(model: ImageTextModel, requests: TextIO, answers: TextIO, idle_s: float) -> None:
    """Answer lines until the input ends or nothing came for `idle_s` seconds."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in requests:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=idle_s)
        except queue.Empty:
            return
        if not line:
            return
        _write(answers, answer(model, line))


def main() -> int:
    """Load the model of the study, then serve. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    root = Path(sys.argv[1])
    idle_s = float(sys.argv[2]) if len(sys.argv) > 2 else IDLE_S
    try:
        from pipeline.vision.open_clip_model import OpenClipModel

        model = OpenClipModel(load_settings(root / "study.toml").model, root, "cpu")
    except CoviewError as problem:
        _write(answers, {"error": problem.message, "hint": problem.hint})
        return int(problem.exit_code)
    _write(answers, {"scorer": model.ref.scorer, "revision": model.ref.revision})
    serve(model, sys.stdin, answers, idle_s)
    answers.close()
    # Ending as usual would wait for the thread that reads, and for torch to tidy up.
    os._exit(0)


def _write(answers: TextIO, content: dict[str, object]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
