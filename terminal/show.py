"""Shows an app until whoever uses it leaves, or the command is ended."""

from __future__ import annotations

import asyncio

from textual.app import App

from terminal.signals import to_the_end


async def show(app: App[None]) -> int:
    """Run an app; returns 0, or 1 after it crashed. Cancelled, it lets the app leave by itself."""
    running = asyncio.ensure_future(app.run_async())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        app.call_later(_leave, app)
        await to_the_end(running)
        raise
    return app.return_code or 0


def _leave(app: App[None]) -> None:
    """Leave once the screen has come up: one that is told before fails while it comes up."""
    app.screen.call_later(app.exit)
