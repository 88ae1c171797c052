"""What the store knows of the words of a study."""

from __future__ import annotations

import duckdb

from pipeline.own_words import OWN_LIST
from pipeline.parts_of_speech import FUNCTION
from pipeline.word_knowledge import SCALE_TOP, VISUAL_FROM, WordKnowledge


def read_knowledge(
    con: duckdb.DuckDBPyConnection, default_language: str = ""
) -> tuple[WordKnowledge, str]:
    """Parts of speech, visual words and counts, and in words where they come from.

    Concreteness on another scale than 1 to 5 is not used. Where the norms know no noun, or no
    concreteness, the own list of English words stands in.
    """
    parts = {
        str(lemma): str(part)
        for lemma, part in con.execute(
            "SELECT lemma, part_of_speech FROM parts_of_speech"
        ).fetchall()
    }
    sources = {
        str(source)
        for (source,) in con.execute(
            "SELECT DISTINCT source FROM parts_of_speech WHERE part_of_speech <> $function",
            {"function": FUNCTION},
        ).fetchall()
    }
    has_parts = any(part == "noun" for part in parts.values())
    rated = con.execute(
        """WITH scales AS (
               SELECT source FROM word_norms WHERE lower(norm) = 'concreteness'
               GROUP BY source HAVING max(value) <= $top AND min(value) >= 1)
           SELECT lemma, avg(value), string_agg(DISTINCT source, ', ' ORDER BY source)
           FROM word_norms JOIN scales USING (source)
           WHERE lower(norm) = 'concreteness' GROUP BY lemma""",
        {"top": SCALE_TOP},
    ).fetchall()
    visual = frozenset(str(lemma) for lemma, value, _ in rated if value >= VISUAL_FROM)
    counts = {
        (str(token), str(language)): int(n) for token, language, n in _counts(con, default_language)
    }
    raw = WordKnowledge(parts, visual, {}, default_language)
    by_code: dict[tuple[str, str], int] = {}
    for (token, named), n in counts.items():
        key = (token, raw.language(named))
        by_code[key] = by_code.get(key, 0) + n
    knowledge = WordKnowledge(
        parts,
        visual,
        by_code,
        default_language,
        is_own_parts=not has_parts,
        is_own_visual=not rated,
    )
    said = "Parts of speech: " + (", ".join(sorted(sources)) if has_parts else OWN_LIST)
    rating_sources = sorted({str(source) for _, _, source in rated})
    said += ". Visual words: " + (
        f"concreteness of {VISUAL_FROM:g} or more in {', '.join(rating_sources)}."
        if rated
        else f"{OWN_LIST}."
    )
    return knowledge, said


def _counts(
    con: duckdb.DuckDBPyConnection, default_language: str
) -> list[tuple[object, object, int]]:
    return con.execute(
        """SELECT i.token, coalesce(nullif(u.language, ''), $default), count(*)
           FROM word_index i JOIN utterances u USING (utterance_number) GROUP BY ALL""",
        {"default": default_language},
    ).fetchall()
