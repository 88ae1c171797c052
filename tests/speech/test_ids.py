from __future__ import annotations

from pipeline.records import TimeSpan, Utterance
from pipeline.speech.ids import with_ids


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
