"""What a technician does, in the log: who looks at it later has to know."""

from __future__ import annotations

import logging

journal = logging.getLogger("terminal.technician")
"""Nothing that is sent to a card or comes from one is written here."""
