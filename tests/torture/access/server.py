"""The dashboard's own server on a study, whose links a test can make: the secret is known.

`python -m tests.torture.access.server STUDY PORT SECRET OFFERS` serves as `python -m pipeline
dashboard` does, after it has offered an export of each kind to each person; OFFERS is the file that
gets their addresses.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dashboard import clip_tokens
from dashboard.access.viewer import Viewer
from dashboard.clip_tokens import TokenSigner
from dashboard.export_desk import LIFETIME_S, ExportDesk
from pipeline.access.table import Access
from tests.torture.access.asking import Asker
from tests.torture.access.house import HOST, House

_START_S = 90.0
TABLE, CLIPS, LAB_CLIPS, OLD = "table", "clips", "lab clips", "old"


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers: where, how to make links to clips, addresses of exports by person
    and kind."""

    asker: Asker
    signer: TokenSigner
    exports: dict[str, dict[str, str]]


def offer_exports(desk: ExportDesk, root: Path, access: Access) -> dict[str, dict[str, str]]:
    """Addresses of an export of each kind for each person, as if they had made it."""
    offered: dict[str, dict[str, str]] = {}
    for email, person in access.people.items():
        viewer = Viewer(person)
        path = desk.new_folder(root) / "file.zip"
        path.write_bytes(b"PK" + secrets.token_bytes(2_000))
        table = desk.offer(path, "utterances: all", 1, viewer)
        clips = desk.offer(path, "clips of playlist Talk", 1, viewer)
        lab = desk.offer(path, "clips of playlist Talk", 1, viewer, is_confirmed=True)
        old = desk.offer(path, "utterances: all", 1, viewer)
        desk.keep(replace(old, made_at_s=old.made_at_s - LIFETIME_S - 1))
        offered[email] = {
            kind: ready.address
            for kind, ready in ((TABLE, table), (CLIPS, clips), (LAB_CLIPS, lab), (OLD, old))
        }
    return offered


@contextmanager
def real_server(house: House, folder: Path, port: int = 0) -> Iterator[Served]:
    """The whole dashboard in a process of its own, until the block ends; port 0 is any."""
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    secret, offers = secrets.token_hex(32), folder / "offers.json"
    offers.unlink(missing_ok=True)
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(house.root), str(port), secret, str(offers)],
            stdout=log,
            stderr=log,
            env={**os.environ, "COVIEW_STUDY": str(house.root), "FORWARDED_ALLOW_IPS": ""},
        )
    try:
        asker = Asker(port, HOST)
        _wait(asker, process)
        yield Served(asker, TokenSigner(bytes.fromhex(secret)), json.loads(offers.read_text()))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(asker: Asker, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        if asker.ask("/_stcore/health").status == 200:
            return
        time.sleep(0.2)
    raise RuntimeError(f"the server did not answer within {_START_S:.0f} s")


def main(study: Path, port: int, secret: str, offers: Path) -> None:
    """Serve until stopped."""
    clip_tokens.SIGNER = TokenSigner(bytes.fromhex(secret))
    from streamlit.web.cli import main as streamlit_command

    from dashboard.export_desk import DESK
    from pipeline.access.sign_in_secrets import study_secrets
    from pipeline.serving import check_dashboard, dashboard_command

    root, access = check_dashboard(study)
    assert access is not None
    offers.write_text(json.dumps(offer_exports(DESK, root, access)))
    command = dashboard_command(port, access=access)
    own = study_secrets(root, access)
    sys.argv = [*command[2:], *([] if own is None else [f"--secrets.files={own}"])]
    streamlit_command()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
