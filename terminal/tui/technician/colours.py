"""Colours that content is styled with. Others have a meaning and their own names in the theme."""

from __future__ import annotations

MUTED = "$foreground 60%"
"""What is there to be read second."""
