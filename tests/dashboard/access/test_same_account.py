"""On a shared machine, the dashboard without sign-in is for the account that started it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from dashboard.access.same_account import account_of, is_another_account

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="no accounts by number")

PROC = Path("/proc/net")
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
ROW = "   1: {} {} {} 00000000:00000000 00:00000000 00000000 {:>5}        0 1 1 0 100 0 0 10 0\n"
PEER, SERVER = ("127.0.0.1", 45_825), ("127.0.0.1", 8_501)
ENDS = ("0100007F:B301", "0100007F:2135")
little = pytest.mark.skipif(sys.byteorder != "little", reason="the table is written for these")


def table(folder: Path, *, account: int, state: str = "01", ends: tuple[str, str] = ENDS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tcp").write_text(HEADER + ROW.format(*ends, state, account))
    return folder


@little
@pytest.mark.parametrize(("more", "is_refused"), [(0, False), (1, True)])
def test_only_the_own_account_gets_in(tmp_path: Path, more: int, is_refused: bool):
    proc = table(tmp_path, account=os.getuid() + more)
    assert is_another_account(PEER, SERVER, proc) is is_refused


@little
def test_root_may_look_anyhow(tmp_path: Path):
    assert not is_another_account(PEER, SERVER, table(tmp_path, account=0))


@little
def test_a_row_of_a_closed_or_another_connection_says_nothing(tmp_path: Path):
    for proc in (
        table(tmp_path / "a", account=4_321, state="06"),
        table(tmp_path / "b", account=4_321, ends=(ENDS[1], ENDS[0])),
        tmp_path / "none",
    ):
        assert account_of(PEER, SERVER, proc) is None
        assert not is_another_account(PEER, SERVER, proc)


@pytest.mark.parametrize("peer", [None, ("testclient", 50_000), ("", 0)])
def test_a_peer_that_is_no_address_is_not_told_apart(peer: tuple[str, int] | None):
    assert not is_another_account(peer, SERVER)


@pytest.mark.skipif(not (PROC / "tcp").is_file(), reason="only Linux tells")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_real_connection_is_known_for_this_accounts(family: socket.AddressFamily):
    host = "127.0.0.1" if family is socket.AF_INET else "::1"
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("this machine has no such address")
    with listening, socket.create_connection(listening.getsockname()[:2]) as calling:
        taken, peer = listening.accept()
        with taken:
            found = account_of(peer[:2], taken.getsockname()[:2], PROC)
            assert found == os.getuid()
            assert calling.getsockname()[:2] == peer[:2]
