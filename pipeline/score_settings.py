"""Further settings of the study's score: which text is compared, and whether hubs are taken out.

Each setting is a scorer of its own in the store, so that whatever shows or compares scorers works
with it. study.toml names settings as "nouns+hub"; the scorer is then called demo-clip~nouns~hub,
because a plus means a space in a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

HUB = "hub"


class TextVariant(str, Enum):
    """Which text of an utterance is compared with the frames."""

    RAW = "raw"
    NOUNS = "nouns"
    PHOTO = "photo"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    TextVariant.RAW: "as transcribed",
    TextVariant.NOUNS: "nouns only",
    TextVariant.PHOTO: "a photo of a NOUN",
}
HUB_LABEL = "hub-corrected"
MADE_TEXTS = (TextVariant.NOUNS, TextVariant.PHOTO)
"""Texts that are made from the words of an utterance, where they can be."""


@dataclass(frozen=True, slots=True)
class ScorerSetting:
    """How words and frames are compared. The default is the plain cosine of the transcript."""

    text: TextVariant = TextVariant.RAW
    is_hub_corrected: bool = False

    @property
    def name(self) -> str:
        """As study.toml names it: hub, nouns, nouns+hub; "" for the plain one."""
        return "+".join(self._parts())

    @property
    def label(self) -> str:
        """What is special about it: "nouns only, hub-corrected"; "" for the plain one."""
        text = self.text.label if self.text in MADE_TEXTS else ""
        hub = HUB_LABEL if self.is_hub_corrected else ""
        return ", ".join(part for part in (text, hub) if part)

    def scorer(self, base: str) -> str:
        """Name of the scorer that compares so with the model of the scorer `base`."""
        return "~".join((base, *self._parts()))

    def _parts(self) -> tuple[str, ...]:
        text = (self.text.value,) if self.text in MADE_TEXTS else ()
        return (*text, HUB) if self.is_hub_corrected else text


PLAIN = ScorerSetting()
SETTINGS: tuple[ScorerSetting, ...] = (
    ScorerSetting(TextVariant.RAW, True),
    ScorerSetting(TextVariant.NOUNS),
    ScorerSetting(TextVariant.PHOTO),
    ScorerSetting(TextVariant.NOUNS, True),
    ScorerSetting(TextVariant.PHOTO, True),
)
"""All settings but the plain one."""

SETTING_NAMES = tuple(setting.name for setting in SETTINGS)


def settings_named(names: list[str]) -> tuple[ScorerSetting, ...]:
    """The settings of these names, each once, always in the same order."""
    return tuple(setting for setting in SETTINGS if setting.name in names)
