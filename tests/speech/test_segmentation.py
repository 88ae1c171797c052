from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import TimeSpan, Word
from pipeline.speech.segment import Segment, clean_text
from pipeline.speech.segmentation import sentences, split_segment


def _texts(text: str) -> list[str]:
    return [text[s.start : s.end] for s in sentences(text)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Look at the ball. Where is it? There!", ["Look at the ball.", "Where is it?", "There!"]),
        ("no mark at the end", ["no mark at the end"]),
        ("Mr. Bear is 3.5 feet. Dr. Who?", ["Mr. Bear is 3.5 feet.", "Dr. Who?"]),
        ('She said "Look!" Then she left.', ['She said "Look!"', "Then she left."]),
        ("Well... look at that.", ["Well... look at that."]),
        ("Well... Look at that.", ["Well...", "Look at that."]),
        ("Hm… yes… Okay.", ["Hm… yes…", "Okay."]),
        ("What?! No!!! Yes.", ["What?!", "No!!!", "Yes."]),
        ("That's letter B. Can you say B?", ["That's letter B.", "Can you say B?"]),
        ("Apples, pears etc. and plums. Mm.", ["Apples, pears etc. and plums.", "Mm."]),
        ("Apples etc. Then plums.", ["Apples etc.", "Then plums."]),
        ("no. no. no.", ["no.", "no.", "no."]),
        ("www.ball.com is a page", ["www.ball.com is a page"]),
        ("看球。它在哪里？好", ["看球。", "它在哪里？", "好"]),
        ("   ", []),
        ("...", ["..."]),
        ("Ready?Go", ["Ready?Go"]),
        ("  Yes.   No.  ", ["Yes.", "No."]),
    ],
)
def test_sentences_end_where_people_end_them(text: str, parts: list[str]) -> None:
    assert _texts(text) == parts


@given(st.text(alphabet=st.sampled_from("aB .!?…\"')。？ 3Mr,")))
def test_sentences_hold_every_character_but_the_spaces_around_them(text: str) -> None:
    found = sentences(text)
    covered = 0
    for sentence in found:
        assert text[covered : sentence.start].strip() == ""
        part = text[sentence.start : sentence.end]
        assert part
        assert part == part.strip()
        covered = sentence.end
    assert text[covered:].strip() == ""


def _timed(text: str, start_ms: int, end_ms: int, word_ms: int = 100) -> Segment:
    words = tuple(
        Word(word, TimeSpan(start_ms + i * 200, start_ms + i * 200 + word_ms))
        for i, word in enumerate(text.split())
    )
    return Segment(1, start_ms, end_ms, text, words=words)


def test_word_times_give_the_times_of_sentences() -> None:
    pieces = split_segment(_timed("Look here. Where is it?", 1_000, 2_100), by_sentence=True)
    assert [(p.segment.onset_ms, p.segment.offset_ms, p.segment.text) for p in pieces] == [
        (1_000, 1_300, "Look here."),
        (1_400, 2_100, "Where is it?"),
    ]
    assert [[w.text for w in p.segment.words] for p in pieces] == [
        ["Look", "here."],
        ["Where", "is", "it?"],
    ]
    assert all(p.is_split and p.has_word_times for p in pieces)


def test_without_word_times_the_time_is_shared_out_by_characters() -> None:
    segment = Segment(1, 1_000, 2_000, "Look. Where is the big dog?")
    pieces = split_segment(segment, by_sentence=True)
    # 5 and 21 characters of 26.
    assert [(p.segment.onset_ms, p.segment.offset_ms) for p in pieces] == [
        (1_000, 1_192),
        (1_192, 2_000),
    ]
    assert not any(p.has_word_times for p in pieces)
    assert [w.text for w in pieces[1].segment.words] == ["Where", "is", "the", "big", "dog?"]
    assert all(word.span is None for p in pieces for word in p.segment.words)


def test_a_sentence_whose_words_have_no_times_stays_with_its_neighbour() -> None:
    timed = Word("Look.", TimeSpan(0, 500))
    later = Word("Yes.", TimeSpan(900, 1_200))
    segment = Segment(1, 0, 1_500, "Look. 12. Yes.", words=(timed, Word("12."), later))
    pieces = split_segment(segment, by_sentence=True)
    assert [(p.segment.text, p.segment.onset_ms, p.segment.offset_ms) for p in pieces] == [
        ("Look. 12.", 0, 500),
        ("Yes.", 900, 1_500),
    ]
    first = Segment(1, 0, 1_500, "12. Look. Yes.", words=(Word("12."), timed, later))
    assert [p.segment.text for p in split_segment(first, by_sentence=True)] == [
        "12. Look.",
        "Yes.",
    ]


def test_sentences_of_one_segment_do_not_overlap_by_a_hair() -> None:
    words = (Word("Look.", TimeSpan(0, 520)), Word("There.", TimeSpan(500, 900)))
    pieces = split_segment(Segment(1, 0, 900, "Look. There.", words=words), by_sentence=True)
    assert [(p.segment.onset_ms, p.segment.offset_ms) for p in pieces] == [(0, 500), (500, 900)]


def test_words_that_the_text_does_not_hold_go_with_the_word_before() -> None:
    words = tuple(
        Word(text, TimeSpan(i * 100, i * 100 + 90))
        for i, text in enumerate(["I", "see", "twenty.", "Do", "you?"])
    )
    segment = Segment(1, 0, 500, "I see 20. Do you?", words=words)
    pieces = split_segment(segment, by_sentence=True)
    assert [[w.text for w in p.segment.words] for p in pieces] == [
        ["I", "see", "twenty."],
        ["Do", "you?"],
    ]
    assert [p.segment.onset_ms for p in pieces] == [0, 300]


def test_a_segment_too_short_to_share_out_stays_whole() -> None:
    pieces = split_segment(Segment(1, 10, 12, "A. B. C. D."), by_sentence=True)
    assert [p.segment.text for p in pieces] == ["A. B. C. D."]
    assert not pieces[0].is_split


def test_splitting_can_be_switched_off() -> None:
    pieces = split_segment(_timed("Look. Here.", 0, 900), by_sentence=False)
    assert [p.segment.text for p in pieces] == ["Look. Here."]
    assert not pieces[0].is_split
    assert pieces[0].has_word_times


def test_a_segment_without_times_is_refused() -> None:
    with pytest.raises(ValueError, match="no times"):
        split_segment(Segment(3, None, 100, "hi"), by_sentence=True)


_WORDS = st.lists(st.sampled_from(["Look.", "the", "ball?", "no", "Well...", "3.5"]), min_size=1)


@given(_WORDS, st.integers(0, 5_000), st.integers(1, 60_000), st.randoms())
def test_pieces_keep_all_text_and_words_and_have_length(words, onset_ms, length_ms, random) -> None:
    text = " ".join(words)
    spans = [
        TimeSpan(onset_ms + i, onset_ms + i + random.randint(1, 50))
        if random.random() < 0.7
        else None
        for i in range(len(words))
    ]
    given_words = tuple(Word(w, s) for w, s in zip(words, spans, strict=True))
    segment = Segment(1, onset_ms, onset_ms + length_ms, text, words=given_words)
    pieces = split_segment(segment, by_sentence=True)
    assert " ".join(p.segment.text for p in pieces) == text
    assert tuple(w for p in pieces for w in p.segment.words) == given_words
    for piece in pieces:
        assert piece.segment.onset_ms < piece.segment.offset_ms
    assert pieces[0].segment.onset_ms == onset_ms


def test_text_is_put_on_one_line_and_made_storable() -> None:
    assert clean_text(" a\nb\x00c\ud800 ") == "a b c\ufffd"
    assert clean_text("\ud83d\ude00") == "😀"
    clean_text("\ud800\udfff x \udc00").encode("utf-8")
