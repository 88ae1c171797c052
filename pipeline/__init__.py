"""The offline half of Coview: recordings in, a store of alignment scores out."""

from pipeline.offline import inherit

inherit()
