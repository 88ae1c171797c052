"""The dashboard's own routes behind its gate, over a real port, without Streamlit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.dashboard.access.guarded import HOST, SIGNER, Server
from tests.torture.access.asking import Asker
from tests.torture.access.house import House
from tests.torture.access.server import Served, offer_exports


@contextmanager
def thread_server(house: House) -> Iterator[Served]:
    """The routes, until the block ends."""
    server = Server(house.root, time.time)
    access = server.door.access()
    assert access is not None
    config = uvicorn.Config(
        server.app, host="127.0.0.1", port=0, log_level="critical", forwarded_allow_ips=""
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    port = int(running.servers[0].sockets[0].getsockname()[1])
    try:
        yield Served(Asker(port, HOST), SIGNER, offer_exports(server.desk, house.root, access))
    finally:
        running.should_exit = True
        thread.join(timeout=30)
