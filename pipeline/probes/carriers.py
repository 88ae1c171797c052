"""Sentences into which a noun is put; see `pipeline.carriers`."""

from pipeline.carriers import CARRIERS, PHOTO, STEM, article, filled, with_article

__all__ = ["CARRIERS", "PHOTO", "STEM", "article", "filled", "with_article"]
