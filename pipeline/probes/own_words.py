"""Words of our own list; see `pipeline.own_words`."""

from pipeline.own_words import OWN_LIST, PARTS, PICTURABLE

__all__ = ["OWN_LIST", "PARTS", "PICTURABLE"]
