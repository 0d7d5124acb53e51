"""`tillside enrol`: make this terminal known to its host."""

from __future__ import annotations

import argparse
import asyncio

from offline_queue.errors import QueueError
from terminal import enrolment
from terminal.commands import place
from terminal.commands.errors import FINE, FindingError
from terminal.commands.output import say, say_json
from terminal.http import NoAnswerError, NotSentError


def run(options: argparse.Namespace) -> int:
    """Enrol, or say why not."""
    folder = place.folder(options)
    config = place.config_to_connect(folder)
    url, terminal = config.host.url, config.terminal.id
    try:
        pins = asyncio.run(enrolment.enrol(folder, config))
    except (enrolment.EnrolmentError, NotSentError, NoAnswerError, QueueError) as error:
        raise FindingError(f"not enrolled at {url}: {error}") from error
    if options.json:
        say_json({"terminal": terminal, "host": url, "host_key": pins.host_key.key_id})
    else:
        say(f"Enrolled {terminal} at {url}. Host key {pins.host_key.key_id}.")
    return FINE
