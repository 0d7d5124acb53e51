"""A whole recording, card data and all, that only the host can open: HPKE, as for records of the queue.

    {"id": "tap-20260509-123015", "recorded": "...", "reader": "pcsc:ACS ACR122U", "sealed": "AbC..."}

The seal is bound to the recording's name.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from offline_queue.errors import SealError
from offline_queue.sealing import Opener, Sealer
from terminal.replay.transcript import Transcript, TranscriptError

_KEY = "sealed"


def seal(transcript: Transcript, sealer: Sealer) -> dict[str, Any]:
    """Return the file of a recording, sealed."""
    whole = json.dumps(transcript.as_json()).encode()
    return {
        "id": transcript.id,
        "recorded": transcript.recorded,
        "reader": transcript.reader,
        _KEY: base64.b64encode(sealer.seal(whole, _binding(transcript.id))).decode(),
    }


def is_sealed(text: str) -> bool:
    """Say whether a file holds a seal."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get(_KEY), str)


def unseal(text: str, opener: Opener) -> str:
    """Return the JSON text of a sealed recording.

    Raises:
        TranscriptError: it is sealed to another key, or was changed.
    """
    value = json.loads(text)
    try:
        seal = base64.b64decode(value[_KEY], validate=True)
        return opener.open(seal, _binding(str(value.get("id")))).decode()
    except (binascii.Error, ValueError, SealError) as error:
        raise TranscriptError(f"it can't be opened: {error}") from error


def _binding(name: str) -> bytes:
    return b"tillside emv trace " + name.encode()
