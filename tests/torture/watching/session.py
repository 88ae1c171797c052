"""One who has the Moments page open: a session over a websocket, as a browser holds one."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Sequence

import anyio
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.typing import Subprotocol

from dashboard.navigation import RECORDING_PARAM, UTTERANCE_PARAM, MomentKey

_LINK = re.compile(rb"/clips/[A-Za-z0-9_.-]+\.mp4")


class Session:
    """Opens moments on the page and collects the links that the page gives to its player."""

    def __init__(self, port: int, moments: Sequence[MomentKey], rng: random.Random) -> None:
        self._port = port
        self._moments = moments
        self._rng = rng
        self.n_pages = 0
        self.wrong: list[str] = []
        self.links: list[str] = []

    async def look(self, until: float, pause_s: float) -> None:
        """Open one moment after the other until `until` (of time.monotonic)."""
        async with websockets.connect(
            f"ws://127.0.0.1:{self._port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
        ) as socket:
            while time.monotonic() < until:
                moment = self._rng.choice(self._moments)
                self.n_pages += 1
                links, problem = await self._open(socket, moment)
                if problem or not links:
                    self.wrong.append(f"{moment}: {problem or 'no link to a clip'}")
                self.links += links
                await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1.5))

    async def _open(
        self, socket: websockets.ClientConnection, moment: MomentKey
    ) -> tuple[list[str], str]:
        ask = BackMsg()
        ask.rerun_script.query_string = (
            f"{RECORDING_PARAM}={moment.recording_id}&{UTTERANCE_PARAM}={moment.utterance_id}"
        )
        ask.rerun_script.page_name = "moments"
        await socket.send(ask.SerializeToString())
        links: list[str] = []
        problem = ""
        with anyio.fail_after(60):
            while True:
                data = await socket.recv(decode=False)
                told = ForwardMsg()
                told.ParseFromString(data)
                links += [link.decode() for link in _LINK.findall(data)]
                if told.delta.new_element.HasField("exception"):
                    problem = told.delta.new_element.exception.message
                if told.WhichOneof("type") == "script_finished":
                    return links, problem
