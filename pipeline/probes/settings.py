"""What a probe was asked to do: frozen, written beside its results, part of their folder's name."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipeline.errors import SettingsError
from pipeline.probe_tables import PROBE_VERSION

CROPS = ("center", "pad", "squash")
"""Crops with one vector a frame; the multi crop has several and no single picture to speak of."""


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """`n_utterances` are drawn, `n_null` null windows for each, `n_draws` shuffles and swaps.

    `hit_z`: from this z on an utterance counts as matching what was in view. `most_added`: words
    of the k-word curves. What other matching utterances name within `present_ms` may be in view
    too; what anybody names within `said_ms` is never taken for a word of something absent.
    """

    n_utterances: int = 1_000
    seed: int = 1
    crop: str = "center"
    n_null: int = 16
    n_draws: int = 3
    hit_z: float = 1.0
    most_added: int = 4
    present_ms: int = 1_000
    said_ms: int = 10_000

    def __post_init__(self) -> None:
        if self.n_utterances < 1:
            raise SettingsError(
                f"The sample is {self.n_utterances} utterances.", hint="Choose 1 or more."
            )
        if self.crop not in CROPS:
            raise SettingsError(
                f"The probe cannot take the crop {self.crop!r}.",
                hint=f"Choose one of: {', '.join(CROPS)}.",
            )
        if self.n_null < 2 or self.n_draws < 1 or self.most_added < 1:
            raise SettingsError(
                "A probe needs at least two null windows, one draw and one added word.",
                hint="Choose larger numbers.",
            )

    def to_json(self) -> str:
        """Settings as JSON with sorted keys, the probe's version among them."""
        return json.dumps({**asdict(self), "version": PROBE_VERSION}, sort_keys=True)
