"""What the open store says about itself, for exports and the page Provenance."""

from __future__ import annotations

from dataclasses import replace

from dashboard import data
from dashboard.data import StoreHandle
from dashboard.queries.exporting import facts
from pipeline.exchange.facts import StoreFacts
from pipeline.people.thresholds import with_chosen


def store_facts(store: StoreHandle) -> StoreFacts:
    """The store's facts, with the thresholds that people gave its models."""
    known = data.load(store, facts)
    return replace(known, models=with_chosen(known.models, store.thresholds))
