"""What people say in the toy world: sentences that name one object, and sentences that name none.

A sentence is written the way a speech recogniser writes it: one capital, one closing mark. All
sentences that name nothing are free of concrete nouns, so whatever they score is chance.
"""

from __future__ import annotations

import random

from pipeline.demo.chance import pick

_MASS_WORDS = frozenset({"bread", "cheese", "milk", "honey", "rice", "popcorn", "soap", "water"})
_PLURAL_WORDS = frozenset({"glasses", "grapes", "jeans", "pants", "scissors", "shorts"})
_COUNTED = ("another", "a nice", "a pretty", "a little")
_SINGULAR = (*_COUNTED, " is ", "is ", "'s ", "this ", "that ", "does ", "it ")
_AN_BEFORE_CONSONANT = ("hour", "honest")
_A_BEFORE_VOWEL = ("unicorn", "uniform", "ukulele", "unicycle", "ewe", "one")

# {a} is the word with its article, {word} the bare word.
NAMING_CARRIERS: tuple[str, ...] = (
    "look, {a}!",
    "look at the {word}!",
    "look, there's the {word}.",
    "do you see the {word}?",
    "can you see the {word}?",
    "where's the {word}?",
    "where did the {word} go?",
    "there's {a}!",
    "here's the {word}.",
    "here is your {word}.",
    "is that {a}?",
    "that's {a}.",
    "this is {a}.",
    "what a nice {word}!",
    "what a pretty {word}.",
    "it's {a}!",
    "wow, {a}!",
    "I see {a}.",
    "you found the {word}!",
    "did you find the {word}?",
    "can you find the {word}?",
    "can you say {word}?",
    "say {word}.",
    "show me the {word}.",
    "point to the {word}.",
    "give me the {word}, please.",
    "do you want the {word}?",
    "do you like the {word}?",
    "you like that {word}, don't you?",
    "are you looking at the {word}?",
    "let's get the {word}.",
    "let's go and find the {word}.",
    "I like your {word}.",
    "that's my {word}.",
    "that's not {a}.",
    "whose {word} is this?",
    "who has the {word}?",
    "is it your {word}?",
    "bring me the {word}.",
    "put the {word} over there.",
    "put the {word} down, okay?",
    "don't throw the {word}, please.",
    "be gentle with the {word}.",
    "careful with that {word}.",
    "let me hold the {word}.",
    "you can have the {word} later.",
    "what does the {word} do?",
    "I think it's {a}.",
    "we need the {word} now.",
    "another {word}, wow!",
    "we saw {a} yesterday, remember?",
    "this {word} is really big.",
    "such a little {word}.",
    "mommy likes the {word}.",
    "daddy wants the {word} too.",
)

EMPTY_SENTENCES: tuple[str, ...] = (
    "oh yeah.",
    "come here, sweetie.",
    "what are you doing?",
    "good job!",
    "all done?",
    "are you okay?",
    "uh oh!",
    "let's go.",
    "no, no, no.",
    "yes, you can.",
    "what do you think?",
    "I love you.",
    "that was so funny.",
    "wait a minute.",
    "hold on, sweetie.",
    "one more time.",
    "are you all finished?",
    "do you want some help?",
    "let me help you.",
    "there you go.",
    "here we go again.",
    "thank you so much.",
    "you did it!",
    "how about this one?",
    "is that good?",
    "that's too loud.",
    "what happened?",
    "oh my goodness.",
    "you're so silly.",
    "I know, I know.",
    "say please.",
    "come on, let's try again.",
    "do you want to come over here?",
    "where are you going?",
    "be careful, okay?",
    "slow down.",
    "easy, easy.",
    "not right now, sweetie.",
    "maybe later.",
    "we have to go soon.",
    "are you tired?",
    "did you sleep well?",
    "that's enough now.",
    "okay, your turn.",
    "now it's my turn.",
    "ready, set, go!",
    "one, two, three!",
    "do it again!",
    "I'm right here.",
    "what did you say?",
    "tell me more.",
    "is that right?",
    "yeah, I think so too.",
    "that's what I thought.",
    "don't worry about it.",
    "we'll do that tomorrow.",
    "are you ready?",
    "so good, so good.",
    "let's see what's next.",
    "why are you laughing?",
    "did that hurt?",
    "it's all right.",
    "almost there.",
    "you're getting so big!",
    "who's there?",
    "hi there, sweetie.",
    "how are you feeling?",
    "well, let's think about it.",
    "I don't know yet.",
    "it was here before, wasn't it?",
    "shall we start over?",
    "stay with me, please.",
    "just a little bit more.",
    "not in there.",
    "over here, look.",
    "sit down, please.",
    "up, up, up!",
    "that's better.",
)

CHILD_NAMING_CARRIERS: tuple[str, ...] = (
    "{word}!",
    "{word}.",
    "{word}?",
    "more {word}.",
    "my {word}!",
    "that {word}.",
    "want {word}.",
    "{word} there.",
    "see {word}?",
    "bye {word}.",
    "hi {word}!",
    "no {word}!",
    "where {word}?",
    "big {word}!",
    "{word} gone.",
    "oh, {word}.",
)

CHILD_EMPTY_SENTENCES: tuple[str, ...] = (
    "no!",
    "mine!",
    "more!",
    "uh oh.",
    "all done.",
    "mama!",
    "dada.",
    "yeah.",
    "want that.",
    "me do it.",
    "up!",
    "what's that?",
    "go, go!",
    "hi!",
    "bye bye.",
    "look!",
    "this one.",
    "oh no!",
    "again!",
    "my turn.",
    "no want it.",
    "there!",
    "wow!",
    "okay.",
)


def with_article(word: str) -> str:
    """The word as one would introduce it: "a ball", "an apple", "some milk"."""
    if word in _MASS_WORDS or word in _PLURAL_WORDS:
        return f"some {word}"
    if word.startswith(_AN_BEFORE_CONSONANT):
        return f"an {word}"
    if word[0] in "aeiou" and not word.startswith(_A_BEFORE_VOWEL):
        return f"an {word}"
    return f"a {word}"


def naming_sentence(word: str, rng: random.Random) -> str:
    """A caregiver's sentence that names `word` and nothing else one could see."""
    unfit: tuple[str, ...] = ()
    if word in _MASS_WORDS:
        unfit = _COUNTED
    elif word in _PLURAL_WORDS:
        unfit = _SINGULAR
    fitting = tuple(carrier for carrier in NAMING_CARRIERS if _agrees(carrier, unfit))
    return _filled(pick(fitting, rng), word)


def empty_sentence(rng: random.Random) -> str:
    """A caregiver's sentence in which nothing visible is named."""
    return _capitalised(pick(EMPTY_SENTENCES, rng))


def child_naming_sentence(word: str, rng: random.Random) -> str:
    """A child's one or two words, one of them `word`."""
    return _filled(pick(CHILD_NAMING_CARRIERS, rng), word)


def child_empty_sentence(rng: random.Random) -> str:
    """A child's one to three words that name nothing visible."""
    return _capitalised(pick(CHILD_EMPTY_SENTENCES, rng))


def _agrees(carrier: str, unfit: tuple[str, ...]) -> bool:
    """False for a carrier whose grammar does not suit the word ("another milk", "this pants")."""
    return not any(part in carrier.replace("let's", "lets") for part in unfit)


def _filled(carrier: str, word: str) -> str:
    return _capitalised(carrier.format(word=word, a=with_article(word)))


def _capitalised(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
