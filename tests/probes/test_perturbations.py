"""Changes of an utterance do what their names say, or say why not."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.planted_probe import knowledge
from pipeline.carriers import CARRIERS, filled
from pipeline.parts_of_speech import FUNCTION
from pipeline.probes import perturbations as p
from pipeline.probes.changes import Change
from pipeline.probes.draws import stream
from pipeline.probes.material import ProbeUtterance
from pipeline.probes.perturbations import Impossible
from pipeline.probes.plan import variants_of
from pipeline.probes.settings import ProbeSettings
from pipeline.tokens import tokenize
from pipeline.word_knowledge import WordFacts, WordKnowledge

_PARTS = {
    **dict.fromkeys(("dog", "ball", "apple", "egg", "tree", "idea"), "noun"),
    **dict.fromkeys(("see", "throw", "eat"), "verb"),
    **dict.fromkeys(("red", "big"), "adjective"),
}
_KNOWN = WordKnowledge(
    _PARTS,
    frozenset(("dog", "ball", "apple", "egg", "tree")),
    {(word, "en"): 10 for word in (*_PARTS, "dogs", "trees", "the", "you", "is")},
    "en",
)


def _words(text: str, language: str = "en") -> tuple[WordFacts, ...]:
    return tuple(_KNOWN.word(token, language) for token in tokenize(text))


def _utterance(text: str, language: str = "en") -> ProbeUtterance:
    words = _words(text, language)
    return ProbeUtterance("r", "u", "c", 0, 1_000, text, language, words, 2.0, 0.2, 0.1)


def _of(text: str, change: Change, language: str = "en") -> list[str]:
    found = variants_of(_utterance(text, language), _KNOWN, ProbeSettings())
    return [variant.text or variant.reason for variant in found if variant.change is change]


@pytest.mark.parametrize("change", list(p.SHUFFLES))
def test_a_shuffle_keeps_the_words_and_changes_their_order(change: Change) -> None:
    text = "do you see the big red dog and the ball"
    for number in range(30):
        shuffled = p.SHUFFLES[change](_words(text), stream(1, "x", number))
        assert not isinstance(shuffled, Impossible)
        assert Counter(shuffled) == Counter(text.split())
        assert list(shuffled) != text.split()


def test_only_nouns_and_adjectives_move_or_only_the_others() -> None:
    words = _words("do you see the big red dog and the ball")
    movable = {4, 5, 6, 9}
    for number in range(20):
        names = p.nouns_adjectives_shuffled(words, stream(1, number))
        others = p.others_shuffled(words, stream(1, number))
        assert not isinstance(names, Impossible)
        assert not isinstance(others, Impossible)
        for place, word in enumerate(words):
            if place not in movable:
                assert names[place] == word.token
            else:
                assert others[place] == word.token


def test_trigrams_stay_whole_or_keep_their_places() -> None:
    words = _words("do you see the big red dog and the ball")
    for number in range(20):
        within = p.within_trigrams_shuffled(words, stream(1, number))
        whole = p.trigrams_shuffled(words, stream(1, number))
        assert not isinstance(within, Impossible)
        assert not isinstance(whole, Impossible)
        assert set(within[:3]) == {"do", "you", "see"}
        assert set(within[3:6]) == {"the", "big", "red"}
        assert "do you see" in " ".join(whole)
        assert "the big red" in " ".join(whole)


def test_words_are_removed_by_what_they_are() -> None:
    words = _words("do you see the red dog")
    assert p.no_function_words(words) == ("see", "red", "dog")
    assert p.nouns_only(words) == ("dog",)
    assert p.no_nouns(words) == ("do", "you", "see", "the", "red")
    assert p.left_out(words[:2]) == [("you",), ("do",)]


def test_what_cannot_be_changed_says_why() -> None:
    assert _of("Dog!", Change.WORDS_SHUFFLED) == ["fewer than two different words"]
    assert _of("no no no", Change.WORDS_SHUFFLED) == ["fewer than two different words"]
    assert _of("Dog!", Change.NOUNS_ONLY) == ["nothing but nouns"]
    assert _of("you see", Change.NOUNS_ONLY) == ["no word is known to be a noun"]
    assert _of("see dog", Change.NO_FUNCTION_WORDS) == ["no function word"]
    assert _of("you", Change.NO_FUNCTION_WORDS) == ["nothing but function words"]
    assert _of("see the dog", Change.ADJECTIVE_SWAPPED) == ["no word is known to be an adjective"]
    assert _of("Dog!", Change.WORD_LEFT_OUT) == ["a single word"]
    assert _of("mira el dog", Change.PHOTO_OF_NOUN, "es") == [p.NOT_ENGLISH]
    assert _of("mira el dog", Change.CARRIER_PRESENT, "es") == [p.NOT_ENGLISH]


def test_every_change_gives_a_text_or_a_reason() -> None:
    for text in ("Look, an apple!", "Dog!", "no no", "the dogs see an idea", "es una casa"):
        found = variants_of(_utterance(text), _KNOWN, ProbeSettings())
        assert {variant.change for variant in found} == set(Change)
        assert all(bool(variant.text) != bool(variant.reason) for variant in found)


def test_a_swapped_noun_is_another_of_its_kind_and_its_article_follows() -> None:
    swapped = set(_of("do you see an apple", Change.NOUN_SWAPPED))
    for text in swapped:
        *_, article, noun = text.split()
        assert noun in {"dog", "ball", "egg", "tree"}
        assert article == ("an" if noun == "egg" else "a")
    assert _of("the dogs", Change.NOUN_SWAPPED)[0] == "the trees"
    assert _of("an idea", Change.NOUN_SWAPPED) == ["the study has no other such word"]


def test_a_replacement_is_about_as_frequent_and_never_one_said_near() -> None:
    nouns = [f"noun{place}" for place in range(60)]
    counts = {(noun, "xx"): 2**place for place, noun in enumerate(nouns)}
    known = WordKnowledge(dict.fromkeys(nouns, "noun"), frozenset(nouns), counts, "xx")
    word = known.word("noun30", "xx")
    avoid = frozenset({"noun29", "noun31"})
    found = {known.replacement(word, "xx", avoid, stream(1, draw)) for draw in range(200)}
    near = {f"noun{place}" for place in (25, 26, 27, 28, 32, 33, 34, 35, 24, 36)}
    assert found == near


def test_draws_depend_on_the_seed_and_the_ids_and_on_nothing_else() -> None:
    text = "do you see the big red dog and the ball"
    first, again = _of(text, Change.WORDS_SHUFFLED), _of(text, Change.WORDS_SHUFFLED)
    assert first == again
    assert len(set(first)) > 1
    other = variants_of(_utterance(text), _KNOWN, ProbeSettings(seed=2))
    assert first != [v.text for v in other if v.change is Change.WORDS_SHUFFLED]


def test_function_words_are_told_without_norms_and_own_words_stand_in_for_them() -> None:
    bare = WordKnowledge({}, frozenset(), {}, "en", is_own_parts=True, is_own_visual=True)
    assert bare.word("the", "en").part == FUNCTION
    assert bare.word("dogs", "en").is_object
    assert not bare.word("dogs", "es").is_object
    assert not WordKnowledge({}, frozenset(), {}, "en").word("dog", "en").is_noun


def test_carriers_are_twelve_sentences_with_the_right_article() -> None:
    assert len(set(CARRIERS)) == 12
    assert filled("a photo of {a}", "apple") == "a photo of an apple"
    assert filled("a photo of {a}", "milk") == "a photo of some milk"
    assert filled("look at {the}", "dogs", is_plural=True) == "look at the dogs"


def test_the_planted_world_knows_its_words() -> None:
    assert knowledge().word("dog", "en").is_object
