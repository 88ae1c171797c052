"""Links to clips: signed by this server, good for one moment and a short time.

A link names one clip and the person it was made for, cannot be altered, and dies with its time or
with the server. Whoever else sends it is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from enum import Enum

from dashboard.navigation import MomentKey

LIFETIME_S = 15 * 60
MAX_MARGIN_MS = 10_000
ROUTE = "/clips"


class BadTokenError(Exception):
    """The link was not made by this server, was altered, or is too old.

    `expired` is what it stood for when it was this server's own and only its time is over.
    """

    def __init__(self, expired: ClipRequest | None = None) -> None:
        super().__init__()
        self.expired = expired


class Purpose(str, Enum):
    """What a link to a clip was made for. CONFIRMED: present mode, after an admin said that
    recordings which are not for talks may be shown to who watches."""

    DESK = "desk"
    PRESENT = "present"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """The clip that a link stands for, for whom and what for; `nonce` tells two openings of one
    moment apart."""

    viewer: str
    moment: MomentKey
    lead_ms: int
    lag_ms: int
    expires_s: int
    nonce: str
    purpose: Purpose = Purpose.DESK


class TokenSigner:
    """Makes and checks tokens with a secret that never leaves the process."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(
        self,
        moment: MomentKey,
        *,
        viewer: str,
        lead_ms: int,
        lag_ms: int,
        purpose: Purpose = Purpose.DESK,
        now_s: float | None = None,
    ) -> str:
        """A token of one viewer for one clip, good for LIFETIME_S from now."""
        expires_s = int(time.time() if now_s is None else now_s) + LIFETIME_S
        body = json.dumps(
            [
                viewer,
                moment.recording_id,
                moment.utterance_id,
                lead_ms,
                lag_ms,
                expires_s,
                secrets.token_urlsafe(6),
                purpose.value,
            ],
            ensure_ascii=True,
        )
        text = _to_text(body.encode())
        return f"{text}.{_to_text(self._digest(text))}"

    def read(self, token: str, *, now_s: float | None = None) -> ClipRequest:
        """What a token stands for. Raises BadTokenError."""
        text, _, signature = token.partition(".")
        try:
            given = _to_bytes(signature)
        except (binascii.Error, ValueError):
            raise BadTokenError from None
        # Nothing of the token is looked at before its signature is known to be ours.
        if not hmac.compare_digest(given, self._digest(text)):
            raise BadTokenError
        viewer, recording_id, utterance_id, lead_ms, lag_ms, expires_s, nonce, purpose = json.loads(
            _to_bytes(text)
        )
        moment = MomentKey(recording_id, utterance_id)
        found = ClipRequest(viewer, moment, lead_ms, lag_ms, expires_s, nonce, Purpose(purpose))
        if (time.time() if now_s is None else now_s) > expires_s:
            raise BadTokenError(found)
        return found

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._secret, text.encode("utf-8", "replace"), hashlib.sha256).digest()


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


SIGNER = TokenSigner(secrets.token_bytes(32))
"""This server's signer. Pages and the route run in one process, so both see the same one."""


def clip_path(
    moment: MomentKey,
    viewer: str,
    *,
    lead_ms: int,
    lag_ms: int,
    purpose: Purpose = Purpose.DESK,
) -> str:
    """Path of the clip on this server, with a fresh token for this viewer."""
    token = SIGNER.sign(moment, viewer=viewer, lead_ms=lead_ms, lag_ms=lag_ms, purpose=purpose)
    return f"{ROUTE}/{token}.mp4"
