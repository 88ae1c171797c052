"""Published shares of highly aligned utterances, and when one's own may stand beside them.

Tan et al. 2025 (arXiv 2511.18824): OpenAI's CLIP ViT-B/32, centre crop, maximum over the frames
during the utterance, .24 or more.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import ModelRef


@dataclass(frozen=True, slots=True)
class PublishedShare:
    """A published share (0-1) at or above a threshold, and where it was published."""

    threshold: float
    share: float
    text: str


PUBLISHED_SHARE = 0.1264
PUBLISHED_THRESHOLD = 0.24
PUBLISHED_SWEEP = (
    PublishedShare(0.24, 0.1264, "Tan et al. 2025"),
    PublishedShare(0.24, 0.129, "BabyView 2025.2"),
    PublishedShare(0.26, 0.019, "BabyView 2025.2"),
    PublishedShare(0.28, 0.0033, "BabyView 2025.2"),
    PublishedShare(0.24, 0.076, "SAYCam S"),
    PublishedShare(0.24, 0.049, "SAYCam Y"),
    PublishedShare(0.24, 0.044, "SAYCam A"),
)
PUBLISHED_WORD_ERROR_RATE = 0.35
"""Of distil-large-v3 on head-camera speech (Tan et al. 2025)."""
PUBLISHED_SETTING = ("center", "strict", "max", "raw")
"""Crop, window, statistic and scale of the published shares."""


@dataclass(frozen=True, slots=True)
class PublishedSlope:
    """A published estimate with its 95 % interval."""

    estimate: float
    low: float
    high: float
    text: str


PUBLISHED_CHOICE_SLOPE = PublishedSlope(18.5, 14.0, 23.1, "Tan et al. 2025")
"""Log-odds of a right choice of four per unit of cosine: a logistic mixed model with raters and
items as random effects."""


@dataclass(frozen=True, slots=True)
class PublishedAccuracy:
    """Share of right choices of four in another task, to see one's own beside."""

    accuracy: float
    text: str


PUBLISHED_VOCABULARY = (
    PublishedAccuracy(0.59, "4 years"),
    PublishedAccuracy(0.72, "7 years"),
    PublishedAccuracy(0.74, "10 years"),
    PublishedAccuracy(0.94, "adults"),
)
"""People of these ages in a visual vocabulary task with four pictures."""
_MODELS = ("ViT-B-32", "ViT-B-32-quickgelu")


def is_published_model(model: ModelRef) -> bool:
    """Whether cosines of this model can be compared with the published ones."""
    is_plain = model.scorer == model.base
    return is_plain and model.name in _MODELS and model.weights == "openai"


_RECALL_SYSTEMS = (
    *("wav2clip-frozen", "wav2clip", "audioclip", "slava-a-and-v", "slava-av2", "slava-av3"),
    "audio-visual",
)
PUBLISHED_RECALL: dict[tuple[str, str], dict[str, float]] = {
    row: dict(zip(_RECALL_SYSTEMS, values, strict=False))
    for row, values in (
        (("visual", "visual captions"), (0.84, 0.82, 0.69, 0.81, 0.83, 0.81)),
        (("visual", "audio captions"), (0.26, 0.29, 0.29, 0.30, 0.29, 0.29)),
        (("visual", "audio-visual captions"), (0.86, 0.86, 0.75, 0.85, 0.89, 0.86)),
        (("visual", "audio"), (0.22, 0.27, 0.45, 0.52, 0.40, 0.50, 0.50)),
        (("audio", "audio captions"), (0.35, 0.40, 0.36, 0.37, 0.33, 0.34)),
        (("audio", "visual captions"), (0.27, 0.29, 0.26, 0.32, 0.32, 0.33)),
        (("audio", "audio-visual captions"), (0.41, 0.41, 0.37, 0.40, 0.44, 0.45)),
    )
}
"""What is searched and by what -> system -> recall at 10 among the 200 test clips of AVCaps."""
PUBLISHED_RECALL_NOTE = (
    "Published: recall at 10 on AVCaps, of systems of the same make, among its 200 test clips; "
    "their intervals are about ± 7 points wide. Optimiser and number of epochs were not published."
)
