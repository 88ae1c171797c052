"""Words become search tokens in any language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tokens import tokenize


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
