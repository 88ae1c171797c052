"""Visits a page as a browser does: over the connection on which Streamlit sends what it shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.torture.access.asking import Asker, Header

_PATIENCE_S = 60.0
_CLIP = re.compile(rb"/clips/([A-Za-z0-9_.-]+)\.mp4")
_FILE = re.compile(rb"/media/[0-9a-f]+\.[a-z0-9]+")


@dataclass
class Visit:
    """What a page sent until its script had run once. `is_let_in`: whether it may connect."""

    is_let_in: bool = False
    is_finished: bool = False
    session_id: str = ""
    titles: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)
    redirect: str = ""
    raw: list[bytes] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        return b"\n".join(self.raw)

    @property
    def clips(self) -> list[str]:
        """Addresses of clips on the page."""
        return [match.group().decode() for match in _CLIP.finditer(self.content)]

    @property
    def files(self) -> list[str]:
        """Addresses of Streamlit's own files on the page."""
        return [match.group().decode() for match in _FILE.finditer(self.content)]


class Page:
    """An open connection; `run` lets the page's script run, also after a click on a button."""

    def __init__(
        self,
        asker: Asker,
        headers: Sequence[Header],
        *,
        origin: str | None = None,
        session_id: str = "",
    ) -> None:
        from websockets.sync.client import connect
        from websockets.typing import Origin, Subprotocol

        protocols = [Subprotocol("streamlit")]
        if session_id:
            protocols += [Subprotocol("no-token"), Subprotocol(session_id)]
        self._connection = connect(
            f"ws://{asker.host}:{asker.port}/_stcore/stream",
            sock=asker.connected(),
            origin=Origin(origin or f"http://{asker.host}:{asker.port}"),
            subprotocols=protocols,
            additional_headers=list(headers),
            max_size=None,
            open_timeout=_PATIENCE_S,
        )

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def run(self, page: str = "", query: str = "", *, click: str = "") -> Visit:
        """What the script of a page sends. click: the id of a button that was pressed."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        asked = BackMsg()
        asked.rerun_script.query_string = query
        asked.rerun_script.page_name = page
        asked.rerun_script.context_info.url = f"http://anywhere/{page}"
        asked.rerun_script.context_info.timezone = "UTC"
        if click:
            pressed = asked.rerun_script.widget_states.widgets.add()
            pressed.id = click
            pressed.trigger_value = True
        self._connection.send(asked.SerializeToString())
        visit = Visit(is_let_in=True)
        while not visit.is_finished:
            raw = self._connection.recv(_PATIENCE_S)
            if isinstance(raw, str):
                continue
            message = ForwardMsg()
            message.ParseFromString(raw)
            _take(visit, message, raw)
        return visit


def _take(visit: Visit, message: object, raw: bytes) -> None:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    assert isinstance(message, ForwardMsg)
    visit.raw.append(raw)
    kind = message.WhichOneof("type")
    if kind == "new_session":
        visit.session_id = message.new_session.initialize.session_id
    elif kind == "auth_redirect":
        visit.redirect = message.auth_redirect.url
    elif kind == "script_finished":
        early = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN
        visit.is_finished = message.script_finished != early
    elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
        element = message.delta.new_element
        if element.WhichOneof("type") == "heading" and element.heading.tag == "h1":
            visit.titles.append(element.heading.body)
        elif element.WhichOneof("type") == "button":
            visit.buttons[element.button.label] = element.button.id


def visited(
    asker: Asker, headers: Sequence[Header], page: str = "", query: str = "", **how: str
) -> Visit:
    """One visit in a session of its own; not let in when the connection is refused."""
    from websockets.exceptions import InvalidHandshake, WebSocketException

    try:
        with Page(asker, headers, **how) as opened:
            return opened.run(page, query)
    except (InvalidHandshake, WebSocketException, TimeoutError, OSError):
        return Visit()
