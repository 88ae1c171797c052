"""Ask the text encoder, which runs as a process of its own (see `text_server`)."""

from __future__ import annotations

import atexit
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import ModelError
from pipeline.own_folder import OWN_FOLDER
from pipeline.records import Float32Array, ModelRef
from pipeline.vision.text_server import MAX_TEXTS

START_S = 180.0
ANSWER_S = 60.0
_NO_START = "The text encoder could not be started."
_CHECK = "See what is wrong with: python -m pipeline models check --study STUDY"


class TextEncoder:
    """The text side of a study's model. Starts its process when first asked; any thread may ask.

    The process ends by itself after some minutes without a question and is started again when
    one comes.
    """

    def __init__(self, study_root: Path, idle_s: float | None = None) -> None:
        self._root = study_root
        self._idle = [] if idle_s is None else [str(idle_s)]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()
        self._loaded = ("", "")
        atexit.register(self.close)

    def embed(self, text: str, model: ModelRef) -> tuple[float, ...]:
        """Unit vector of a sentence, by the model that scored the store.

        Raises ModelError when the study's model is not on this machine, or is not `model`.
        """
        return tuple(self._vectors([text], model)[0])

    def embed_texts(self, texts: Sequence[str], model: ModelRef) -> Float32Array:
        """Unit vectors float32 (n, dim) of n >= 1 texts, none of them empty.

        They are asked for in parts, between which others get their turn. Raises as `embed`.
        """
        parts = [
            np.array(self._vectors(texts[start : start + MAX_TEXTS], model), np.float32)
            for start in range(0, len(texts), MAX_TEXTS)
        ]
        return np.concatenate(parts)

    def _vectors(self, texts: Sequence[str], model: ModelRef) -> list[list[float]]:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            if self._loaded != (model.scorer, model.revision):
                scorer, _ = self._loaded
                raise ModelError(
                    f"The frames of this store were embedded by {model.scorer}; study.toml now "
                    f"names {'other weights of it' if scorer == model.scorer else scorer}.",
                    hint="Run the study again, or set [model] back to what the store was made by.",
                )
            content = self._ask(texts)
            if content is None:
                # It ended, having been idle, between the look and the question.
                self._start()
                content = self._ask(texts) or {"error": "The text encoder gave no answer."}
        vectors = content.get("vectors")
        if not isinstance(vectors, list):
            raise ModelError(str(content.get("error")), hint=str(content.get("hint", "")))
        return vectors

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()

    def _start(self) -> None:
        self.close()
        command = [sys.executable, "-m", "pipeline.vision.text_server", str(self._root.resolve())]
        process = subprocess.Popen(
            [*command, *self._idle],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=OWN_FOLDER,
        )
        self._process, self._lines = process, queue.Queue()
        threading.Thread(target=_read, args=(process, self._lines), daemon=True).start()
        content = self._take(START_S) or {"error": _NO_START, "hint": _CHECK}
        if "error" in content:
            self.close()
            raise ModelError(str(content["error"]), hint=str(content.get("hint", "")))
        self._loaded = (str(content.get("scorer")), str(content.get("revision")))

    def _ask(self, texts: Sequence[str]) -> dict[str, object] | None:
        """The answer to a question; None when the process has ended."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"texts": list(texts)}) + "\n")
            process.stdin.flush()
        except OSError:
            return None
        return self._take(ANSWER_S)

    def _take(self, timeout_s: float) -> dict[str, object] | None:
        """What the process says next; None when it ended or said nothing in time."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            line = ""
        if not line:
            self.close()
            return None
        content = json.loads(line)
        assert isinstance(content, dict)
        return content


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The text side of a model behind an encoder: as much of it as scoring texts needs."""

    encoder: TextEncoder
    ref: ModelRef

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors float32 (n, dim) of n texts; ModelError as `TextEncoder.embed`."""
        return self.encoder.embed_texts(texts, self.ref)


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    """Pass on what the process writes; "" at its end."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put("")
