"""The objects of the toy world: words that children say and understand early."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectWord:
    """A noun that a scene can show and a sentence can name.

    ``category`` follows the sections of parent-report vocabulary checklists; ``emoji`` is the
    single code point whose drawing stands for the word in every sprite design.
    """

    word: str
    category: str
    emoji: str


_EMOJI_BY_CATEGORY = {
    "animals": {
        "dog": "🐶",
        "cat": "🐱",
        "bunny": "🐰",
        "cow": "🐮",
        "horse": "🐴",
        "pig": "🐷",
        "duck": "🦆",
        "fish": "🐟",
        "frog": "🐸",
        "monkey": "🐵",
        "elephant": "🐘",
        "turtle": "🐢",
        "butterfly": "🦋",
        "chicken": "🐔",
        "penguin": "🐧",
    },
    "vehicles": {
        "car": "🚗",
        "bus": "🚌",
        "train": "🚂",
        "boat": "⛵",
        "airplane": "✈",
        "bicycle": "🚲",
    },
    "toys": {"ball": "⚽", "balloon": "🎈", "doll": "🪆", "drum": "🥁", "kite": "🪁"},
    "food": {
        "apple": "🍎",
        "banana": "🍌",
        "bread": "🍞",
        "cheese": "🧀",
        "cookie": "🍪",
        "egg": "🥚",
        "cake": "🎂",
        "carrot": "🥕",
        "pizza": "🍕",
        "strawberry": "🍓",
        "watermelon": "🍉",
        "milk": "🥛",
    },
    "clothing": {"shoe": "👟", "hat": "👒", "sock": "🧦", "pants": "👖", "dress": "👗"},
    "household": {
        "cup": "☕",
        "spoon": "🥄",
        "key": "🔑",
        "chair": "🪑",
        "phone": "☎",
        "book": "📖",
        "clock": "⏰",
        "door": "🚪",
        "scissors": "✂",
        "umbrella": "☂",
        "toothbrush": "🪥",
        "box": "📦",
    },
    "outside": {"tree": "🌳", "flower": "🌻", "moon": "🌙", "star": "⭐", "house": "🏠"},
    "body": {"hand": "✋", "foot": "🦶"},
}

OBJECT_WORDS: tuple[ObjectWord, ...] = tuple(
    ObjectWord(word=word, category=category, emoji=emoji)
    for category, emoji_by_word in _EMOJI_BY_CATEGORY.items()
    for word, emoji in emoji_by_word.items()
)

_WORD_NAMES = tuple(entry.word for entry in OBJECT_WORDS)


def word_names() -> tuple[str, ...]:
    """The words alone, in the order of the sprite sheets."""
    return _WORD_NAMES
