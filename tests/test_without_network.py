"""The tests themselves run where no other computer can be reached, if the system allows it."""

import os
import socket

import pytest

from tests.without_network import VARIABLE

pytestmark = pytest.mark.skipif(
    VARIABLE not in os.environ, reason="the network is on: run `make test` on Linux"
)
_NO_WAY = "Network is unreachable|Cannot assign requested address"


@pytest.mark.parametrize("host", ["192.0.2.1", "1.1.1.1", "2001:db8::1"])
def test_no_other_computer_can_be_reached(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as there, pytest.raises(OSError, match=_NO_WAY):
        there.connect((host, 443))


def test_this_computer_can() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
