from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import TimeSpan, Utterance
from pipeline.speech.ids import with_ids
from pipeline.speech.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Look, a BALL!", ["look", "a", "ball"]),
        ("Don't, 'cause the dogs' uh-oh--", ["don't", "cause", "the", "dogs", "uh-oh"]),
        ("It’s 3.5 or 1,000.", ["it's", "3.5", "or", "1,000"]),
        ("Où est l’éléphant ?", ["où", "est", "l'éléphant"]),
        ("Wo ist die Straße? ÄPFEL", ["wo", "ist", "die", "straße", "äpfel"]),
        ("गेंद कहाँ है?", ["गेंद", "कहाँ", "है"]),
        ("  ... ♪ -- ", []),
        ("ball.Look", ["ball", "look"]),
    ],
)
def test_tokens_are_words_in_lower_case_without_punctuation(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


def test_a_letter_and_its_accent_count_as_one_letter() -> None:
    assert tokenize("caf\u0065\u0301") == tokenize("caf\u00e9") == ["caf\u00e9"]


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_the_fast_way_for_plain_text_gives_what_the_general_way_gives(text: str) -> None:
    assert tokenize(text) == tokenize(text + " é")[:-1]


@given(st.text())
def test_tokens_hold_no_spaces_and_are_stable(text: str) -> None:
    tokens = tokenize(text)
    assert all(token and not any(c.isspace() for c in token) for token in tokens)
    assert tokenize(" ".join(tokens)) == tokens


def _utterance(onset_ms: int, text: str, offset_ms: int = 9_000) -> Utterance:
    return Utterance("", "rec01", TimeSpan(onset_ms, offset_ms), text)


def test_ids_do_not_depend_on_the_order_or_on_other_utterances() -> None:
    some = [_utterance(100, "look"), _utterance(50, "no"), _utterance(100, "ball")]
    named = with_ids(some)
    assert [u.text for u in named] == ["no", "ball", "look"]
    assert with_ids(some[::-1]) == named
    more = with_ids([*some, _utterance(0, "first")])
    assert {u.text: u.utterance_id for u in named}.items() <= {
        u.text: u.utterance_id for u in more
    }.items()


def test_exact_duplicates_stay_two_utterances_with_two_ids() -> None:
    named = with_ids([_utterance(0, "look!")] * 3)
    assert len({u.utterance_id for u in named}) == 3
    assert with_ids([_utterance(0, "look!")])[0].utterance_id == named[0].utterance_id


def test_the_same_words_elsewhere_have_other_ids() -> None:
    other = Utterance("", "rec02", TimeSpan(0, 9_000), "look!")
    ids = {u.utterance_id for u in (*with_ids([_utterance(0, "look!")]), *with_ids([other]))}
    ids |= {with_ids([_utterance(1, "look!")])[0].utterance_id}
    ids |= {with_ids([_utterance(0, "look!", 9_001)])[0].utterance_id}
    assert len(ids) == 4
    assert all(len(i) == 12 and int(i, 16) >= 0 for i in ids)


def test_an_id_is_the_same_on_every_machine() -> None:
    assert with_ids([_utterance(0, "Schau, ein Äpfel!")])[0].utterance_id == "9ab45ecb56c5"
