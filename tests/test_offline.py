"""A process that stays offline reaches this computer and no other, and so do its children."""

import subprocess
import sys

import pytest

from pipeline.offline import is_here

START = "from pipeline.offline import OfflineError, stay_offline; import socket\n"
TRY = """
def tried(call):
    try:
        call()
    except OfflineError:
        return "refused"
    except OSError as problem:
        return "asked"
    return "done"
tcp = lambda: socket.create_connection(("192.0.2.1", 80), timeout=0.2).close()
name = lambda: socket.getaddrinfo("example.org", 443)
udp = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))
server = socket.create_server(("127.0.0.1", 0))
here = lambda: socket.create_connection(server.getsockname(), timeout=5).close()
local = lambda: socket.getaddrinfo("localhost", 80)
print(*[tried(call) for call in (tcp, name, udp, here, local)])
"""


def told_by(code: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return run.stdout.split()


def test_other_computers_are_refused_and_this_one_is_not() -> None:
    code = START + "stay_offline()\n" + TRY
    assert told_by(code) == ["refused", "refused", "refused", "done", "done"]


def test_processes_that_it_starts_stay_offline_too() -> None:
    child = "import pipeline\nfrom pipeline.offline import OfflineError\nimport socket\n" + TRY
    code = START + (
        "import subprocess, sys\nstay_offline()\n"
        f"subprocess.run([sys.executable, '-c', {child!r}], check=True)\n"
    )
    assert told_by(code) == ["refused", "refused", "refused", "done", "done"]


def test_only_a_named_computer_may_be_looked_up() -> None:
    code = (
        START
        + "stay_offline(['login.invalid'])\n"
        + TRY
        + "print(tried(lambda: socket.getaddrinfo('login.invalid', 443)))"
    )
    tcp, name, _, here, local, allowed = told_by(code)
    assert (name, here, local, allowed) == ("refused", "done", "done", "asked")
    assert tcp == "asked"


def test_hub_libraries_are_told_to_stay_offline() -> None:
    code = START + (
        "import os; stay_offline()\n"
        "from huggingface_hub import constants\n"
        "print(constants.HF_HUB_OFFLINE, constants.HF_HUB_DISABLE_TELEMETRY,"
        " os.environ['TRANSFORMERS_OFFLINE'], os.environ['RAY_USAGE_STATS_ENABLED'])"
    )
    assert told_by(code) == ["True", "True", "1", "0"]


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("LOCALHOST", True),
        ("0.0.0.0", True),
        ("192.168.1.4", False),
        ("8.8.8.8", False),
        ("127.0.0.1.example.org", False),
        ("fe80::1%eth0", False),
    ],
)
def test_what_counts_as_this_computer(host: str, here: bool) -> None:
    assert is_here(host) is here
