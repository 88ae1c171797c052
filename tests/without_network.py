"""Run a command on a network that leads nowhere: only this computer's own loopback.

    python -m tests.without_network COMMAND [ARGUMENTS]

So `make test` proves that neither the pipeline nor the dashboard nor the browser asks anything of
another computer, whichever library would. Where the system has no such networks (not Linux, or
forbidden), the command runs all the same and says so.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

VARIABLE = "COVIEW_TESTS_WITHOUT_NETWORK"
"""Set where the network leads nowhere; `test_without_network.py` then checks that it is true."""
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def main(arguments: Sequence[str]) -> int:
    """Start the command in place of this process."""
    if os.environ.get(VARIABLE):
        _switch_loopback_on()
    elif _can_leave_the_network():
        os.environ[VARIABLE] = "1"
        command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-m"]
        os.execvp("unshare", [*command, "tests.without_network", *arguments])
    else:
        sys.stdout.write("The network cannot be left here: the tests run with it on.\n")
    sys.stdout.flush()
    os.execvp(arguments[0], list(arguments))
    return 1


def _can_leave_the_network() -> bool:
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return False
    tried = ["unshare", "--user", "--map-root-user", "--net", "true"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _switch_loopback_on() -> None:
    """What `ip link set lo up` does, where that command is not installed."""
    import fcntl  # not on Windows

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))
        told = struct.pack("16sh14x", b"lo", flags | _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
