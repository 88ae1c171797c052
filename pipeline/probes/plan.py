"""Which texts are compared for one utterance: all its variants, or why one cannot be made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.carriers import CARRIERS, STEM, filled
from pipeline.noun_texts import first_noun, is_plural
from pipeline.probes import perturbations
from pipeline.probes.changes import Change
from pipeline.probes.draws import stream
from pipeline.probes.material import ProbeUtterance
from pipeline.probes.perturbations import Impossible, Tokens
from pipeline.probes.settings import ProbeSettings
from pipeline.word_knowledge import WordFacts, WordKnowledge


@dataclass(frozen=True, slots=True)
class Variant:
    """A text made of an utterance, or the `reason` why there is none (then `text` is "").

    `number` counts draws, words left out, words added (k) or carriers. `word`: the word that was
    left out, or the noun that was put into a carrier.
    """

    change: Change
    number: int
    text: str
    word: str = ""
    reason: str = ""


def variants_of(
    utterance: ProbeUtterance, knowledge: WordKnowledge, settings: ProbeSettings
) -> list[Variant]:
    """Every variant of an utterance. Draws depend on the seed and the utterance's ids alone."""
    tokens = tuple(word.token for word in utterance.words)
    return [
        Variant(Change.RAW, 0, utterance.text),
        Variant(Change.PLAIN, 0, " ".join(tokens)),
        *_shuffles(utterance, settings),
        *_removals(utterance),
        *_swaps(utterance, knowledge, settings),
        _made(
            Change.PHOTO_OF_NOUN,
            0,
            perturbations.photo_of_noun(utterance.words, utterance.language),
        ),
        *_left_out(utterance),
        *_curves(utterance, knowledge, settings),
        *_templates(utterance, knowledge, settings),
    ]


def _made(change: Change, number: int, tokens: Tokens | Impossible, word: str = "") -> Variant:
    if isinstance(tokens, Impossible):
        return Variant(change, number, "", word, tokens.reason)
    return Variant(change, number, " ".join(tokens), word)


def _drawn(
    utterance: ProbeUtterance, settings: ProbeSettings, change: Change, number: int
) -> tuple[int, str, str, str, int]:
    return (
        settings.seed,
        utterance.recording_id,
        utterance.utterance_id,
        change.value,
        number,
    )


def _shuffles(utterance: ProbeUtterance, settings: ProbeSettings) -> Iterator[Variant]:
    for change, shuffle in perturbations.SHUFFLES.items():
        for number in range(settings.n_draws):
            rng = stream(*_drawn(utterance, settings, change, number))
            found = _made(change, number, shuffle(utterance.words, rng))
            yield found
            if found.reason:
                break


def _removals(utterance: ProbeUtterance) -> Iterator[Variant]:
    for change, remove in perturbations.REMOVALS.items():
        yield _made(change, 0, remove(utterance.words))


def _swaps(
    utterance: ProbeUtterance, knowledge: WordKnowledge, settings: ProbeSettings
) -> Iterator[Variant]:
    for change, part in perturbations.SWAPS.items():
        for number in range(settings.n_draws):
            rng = stream(*_drawn(utterance, settings, change, number))
            tokens = perturbations.swapped(
                utterance.words, part, knowledge, utterance.language, utterance.said_near, rng
            )
            yield _made(change, number, tokens)
            if isinstance(tokens, Impossible):
                break


def _left_out(utterance: ProbeUtterance) -> Iterator[Variant]:
    found = perturbations.left_out(utterance.words)
    if isinstance(found, Impossible):
        yield _made(Change.WORD_LEFT_OUT, 0, found)
        return
    for number, tokens in enumerate(found):
        word = utterance.words[number].token
        yield _made(Change.WORD_LEFT_OUT, number, tokens, word)


def _curves(
    utterance: ProbeUtterance, knowledge: WordKnowledge, settings: ProbeSettings
) -> Iterator[Variant]:
    """A stem and the first k words of a list, for k from 0."""
    reason = _no_template(utterance)
    lists: dict[Change, tuple[str, ...]] = {}
    if not reason:
        most = settings.most_added
        own = [word.token for word in utterance.words if word.is_object]
        present = tuple(dict.fromkeys((*own, *utterance.nearby)))[:most]
        lists = {
            Change.PRESENT_ADDED: present,
            Change.ABSENT_ADDED: absent_words(utterance, knowledge, settings, most),
            Change.FUNCTION_ADDED: _function_words(utterance, knowledge, settings),
        }
    for change in (Change.PRESENT_ADDED, Change.ABSENT_ADDED, Change.FUNCTION_ADDED):
        added = lists.get(change, ())
        if not added:
            yield Variant(change, 0, "", reason=reason or perturbations.NO_OTHER_WORD)
            continue
        for k in range(len(added) + 1):
            yield Variant(change, k, " ".join((STEM, *added[:k])), word=added[k - 1] if k else "")


def _templates(
    utterance: ProbeUtterance, knowledge: WordKnowledge, settings: ProbeSettings
) -> Iterator[Variant]:
    reason = _no_template(utterance)
    noun = first_noun(utterance.words)
    absent = () if reason else absent_words(utterance, knowledge, settings, 1)
    for change, word in (
        (Change.CARRIER_PRESENT, noun),
        (
            Change.CARRIER_ABSENT,
            knowledge.word(absent[0], utterance.language) if absent else None,
        ),
    ):
        if reason or word is None:
            yield Variant(change, 0, "", reason=reason or perturbations.NO_OTHER_WORD)
            continue
        for number, sentence in enumerate(carrier_sentences(word)):
            yield Variant(change, number, sentence, word.token)


def carrier_sentences(word: WordFacts) -> list[str]:
    """The carriers with a noun in each, in their order."""
    return [filled(carrier, word.token, is_plural=is_plural(word)) for carrier in CARRIERS]


def absent_words(
    utterance: ProbeUtterance, knowledge: WordKnowledge, settings: ProbeSettings, n: int
) -> tuple[str, ...]:
    """Object nouns of the study that nobody said near the utterance, at most n, drawn."""
    said = utterance.said_near | {word.lemma for word in utterance.words}
    others = [
        word
        for word in knowledge.vocabulary(utterance.language, "noun", is_visual=True)
        if word not in said
    ]
    return _some(others, n, utterance, settings, Change.ABSENT_ADDED)


def _function_words(
    utterance: ProbeUtterance, knowledge: WordKnowledge, settings: ProbeSettings
) -> tuple[str, ...]:
    words = knowledge.vocabulary(utterance.language, "function word", is_visual=False)
    return _some(words, settings.most_added, utterance, settings, Change.FUNCTION_ADDED)


def _some(
    words: Sequence[str],
    n: int,
    utterance: ProbeUtterance,
    settings: ProbeSettings,
    change: Change,
) -> tuple[str, ...]:
    rng = stream(*_drawn(utterance, settings, change, 0))
    order = rng.permutation(len(words))[:n]
    return tuple(words[int(place)] for place in order)


def _no_template(utterance: ProbeUtterance) -> str:
    """Why an utterance has no curve and no carrier sentences; "" if it has."""
    if utterance.language not in ("en", ""):
        return perturbations.NOT_ENGLISH
    return "" if utterance.has_object else "no noun is known to name something visible"
