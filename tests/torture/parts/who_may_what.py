"""Everybody asks for everything, in every way, and gets what the table says."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from tests.torture import Count, Plan
from tests.torture.access.attacks import hostile_counts
from tests.torture.access.house import House, write_house
from tests.torture.access.matrix import link_counts, matrix_count, record_count
from tests.torture.access.server import Served, real_server
from tests.torture.access.sign_ins import OidcSignIns, ProxySignIns, SignIns
from tests.torture.access.thread_server import thread_server

TITLE = "Who may what"
WEIGHT = 1.5


def run(plan: Plan) -> Iterator[Count]:
    """With the dashboard's routes alone at the small size, else with the whole server."""
    house = write_house(plan.folder / "study", has_pages=not plan.small)
    rng = random.Random(plan.seed)
    begun_s = time.monotonic()
    if plan.small:
        house.let_in("proxy")
        with thread_server(house) as served:
            yield from _asked(served, house, ProxySignIns(), rng, n=10, until_s=None)
        return
    house.let_in("proxy")
    with real_server(house, plan.folder) as served:
        until_s = begun_s + plan.seconds * 0.35
        yield from _asked(served, house, ProxySignIns(), rng, n=600, until_s=until_s)
    with OidcSignIns.at(house) as signed_in:
        house.let_in("oidc")
        with real_server(house, plan.folder, signed_in.port) as served:
            until_s = begun_s + plan.seconds * 0.75
            yield from _asked(served, house, signed_in, rng, n=600, until_s=until_s)


def _asked(
    served: Served,
    house: House,
    signed_in: SignIns,
    rng: random.Random,
    *,
    n: int,
    until_s: float | None,
) -> Iterator[Count]:
    signed_in.begin(served)
    yield from matrix_count(served, house, signed_in, until_s=until_s)
    has_pages = until_s is not None
    yield from hostile_counts(served, house, signed_in, rng, n=n, has_pages=has_pages)
    yield from link_counts(served, house, signed_in)
    yield record_count(house)
