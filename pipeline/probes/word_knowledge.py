"""What is known of words; see `pipeline.word_knowledge`."""

from pipeline.word_knowledge import SCALE_TOP, VISUAL_FROM, WordFacts, WordKnowledge

__all__ = ["SCALE_TOP", "VISUAL_FROM", "WordFacts", "WordKnowledge"]
