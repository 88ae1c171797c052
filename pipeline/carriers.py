"""Sentences of our own into which a noun is put: captions, and what is said to children."""

from __future__ import annotations

CARRIERS = (
    "a photo of {a}",
    "a picture of {a}",
    "a close-up of {a} on the floor",
    "a child playing with {a}",
    "{a} in a room",
    "there is {a} here",
    "look at {the}",
    "where did {the} go",
    "can you bring me {the}",
    "i do not want {the}",
    "we like {the} very much",
    "what is {the} doing",
)
"""Half describe a picture, half are as people talk; {a} and {the} are the noun with its article."""

PHOTO = 0
"""Which carrier is "a photo of a NOUN"."""

STEM = "look"
"""What the k-word curves begin with; it names nothing that can be seen."""

_MASS_WORDS = """
bread butter cheese coffee food fruit grass hair ice juice milk pasta rain rice sand snow soap soup
toast trash water wood yogurt
"""
_PLURAL_WORDS = "pajamas pants scissors shorts stairs glasses jeans"
_WITHOUT_A = frozenset((*_MASS_WORDS.split(), *_PLURAL_WORDS.split()))
_AN = ("hour", "honest")
_A = ("unicorn", "uniform", "ukulele", "unicycle", "ewe", "one", "used", "useful")


def filled(carrier: str, noun: str, *, is_plural: bool = False) -> str:
    """A carrier with a noun in it: "look at the dog"."""
    return carrier.format(a=with_article(noun, is_plural=is_plural), the=f"the {noun}")


def with_article(noun: str, *, is_plural: bool = False) -> str:
    """a ball, an apple, some milk, some balls."""
    if is_plural or noun in _WITHOUT_A:
        return f"some {noun}"
    return f"{article(noun)} {noun}"


def article(following: str) -> str:
    """ "a" or "an", whichever the following English word asks for."""
    if following.startswith(_AN):
        return "an"
    return "an" if following[:1] in "aeiou" and not following.startswith(_A) else "a"
