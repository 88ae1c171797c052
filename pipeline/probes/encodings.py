"""Vectors of texts, each encoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.records import Float32Array

Encode = Callable[[Sequence[str]], Float32Array]
"""Texts -> unit vectors float32 (n, dim), as `ImageTextModel.embed_texts`."""

MOST_KEPT = 60_000


class TextEncodings:
    """What an encoder gave, remembered up to `most_kept` texts: carriers and words come often."""

    def __init__(self, encode: Encode, most_kept: int = MOST_KEPT) -> None:
        self._encode = encode
        self._most_kept = most_kept
        self._vectors: dict[str, Float32Array] = {}
        self.n_encoded = 0

    def of(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors float32 (n, dim) of n >= 1 texts; equal texts are encoded once."""
        missing = list(dict.fromkeys(text for text in texts if text not in self._vectors))
        fresh: dict[str, Float32Array] = {}
        if missing:
            fresh = dict(zip(missing, self._encode(missing), strict=True))
            self.n_encoded += len(missing)
            room = max(0, self._most_kept - len(self._vectors))
            self._vectors.update(list(fresh.items())[:room])
        return np.stack([fresh[t] if t in fresh else self._vectors[t] for t in texts])

    def save(self, path: Path) -> None:
        """Write what is remembered; see `load`."""
        import pyarrow as pa

        from pipeline.store.sealed_files import write_sealed_table

        if not self._vectors:
            return
        matrix = np.stack(list(self._vectors.values())).astype(np.float32)
        values = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])
        table = pa.table({"text": pa.array(list(self._vectors), pa.string()), "vector": values})
        write_sealed_table(path, table)

    def load(self, path: Path) -> None:
        """Remember the texts of a file that `save` wrote; nothing when there is none or it is
        damaged, for they can be encoded again."""
        from pipeline.store.sealed_files import read_sealed_table

        if not path.is_file():
            return
        try:
            table = read_sealed_table(path, columns=("text", "vector"))
        except (OSError, ValueError):
            return
        column = table["vector"].combine_chunks()
        matrix = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
        rows = matrix.reshape(table.num_rows, -1)
        self._vectors.update(zip(table["text"].to_pylist(), rows, strict=True))
