"""The way to the host, step by step: name, TCP, TLS, certificate, clock, echo, sync."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from offline_queue.errors import QueueError
from offline_queue.store import Store
from terminal.config import Config
from terminal.diagnostics.certificates import describe_certificate
from terminal.diagnostics.connection import connect, handshake, resolve, shown_certificate
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.host_answer import ask
from terminal.diagnostics.steps import AREA, Gateway, StepFailed, fault, ms, ok, skipped
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from terminal.home import option

_STEPS = ("name", "TCP", "TLS", "certificate", "clock", "echo")


async def probe(workshop: Workshop, *, wall_s: Callable[[], float] = time.time) -> AsyncIterator[Finding]:
    """Yield each step as it is done, for the host, then for each other gateway that is configured.

    `Finding.name` is ``host: name``, ``host: TCP``, ``host: TLS``, ``host: certificate``, ``host: clock``,
    ``host: echo``, ``host: sync``, then ``alipay: name`` and so on. After a failed step the rest of that
    way is SKIPPED.

    Args:
        workshop: Whose ways.
        wall_s: The terminal's clock, in seconds since 1970.
    """
    config = workshop.config
    if config is None:
        text = "the configuration can't be used, so the host is not known"
        yield Finding(AREA, "host", Mark.SKIPPED, text, "cure the configuration first")
        return
    enrol = f"tillside enrol{option(workshop.home)}"
    async for finding in _way(_host(config), workshop.enrolment, wall_s, enrol):
        yield finding
    yield await _sync(workshop)
    if config.alipay is not None:
        path = urlsplit(config.alipay.gateway).path or "/"
        alipay = Gateway("alipay", config.alipay.gateway, config.alipay.ca_file, "[alipay]", path)
        async for finding in _way(alipay, None, wall_s, ""):
            yield finding


async def _way(
    gateway: Gateway, pins: Enrolment | None, wall_s: Callable[[], float], enrol: str
) -> AsyncIterator[Finding]:
    step, started = "name", time.perf_counter()
    try:
        addresses = await resolve(gateway)
        named = addresses != [gateway.host]
        text = f"{gateway.host} is {', '.join(addresses)}" if named else "an address, no name"
        yield ok(gateway, step, text, started)
        step, started = "TCP", time.perf_counter()
        reached = await connect(gateway, addresses)
        yield ok(gateway, step, f"connected to {reached}, port {gateway.port}", started)
    except StepFailed as error:
        yield fault(gateway, step, error, started)
        for later in _STEPS[_STEPS.index(step) + 1 :]:
            yield skipped(gateway, later, step)
        return
    started = time.perf_counter()
    shake = await handshake(gateway, addresses)
    if shake.fault is None:
        yield ok(gateway, "TLS", f"{shake.version}, the certificate's chain and name are right", started)
    else:
        yield fault(gateway, "TLS", shake.fault, started)
    if shake.certificate:
        yield _certificate(gateway, shake.certificate, wall_s())
    else:
        yield skipped(gateway, "certificate", "TLS")
    if shake.fault is None:
        answered = await ask(gateway, pins, wall_s, enrol)
    else:
        answered = (skipped(gateway, "clock", "TLS"), skipped(gateway, "echo", "TLS"))
    for finding in answered:
        yield finding


async def host_certificate(config: Config) -> bytes:
    """Return the certificate that the host shows, DER, right or wrong; empty where there is none."""
    gateway = _host(config)
    try:
        return await shown_certificate(gateway, await resolve(gateway))
    except StepFailed:
        return b""


def _host(config: Config) -> Gateway:
    return Gateway("host", config.host.url, config.host.ca_file, "[host]", "/v1/echo")


def _certificate(gateway: Gateway, der: bytes, now_s: float) -> Finding:
    name = f"{gateway.label}: certificate"
    try:
        found = describe_certificate(x509.load_der_x509_certificate(der), now_s)
    except ValueError as error:
        cure = "tell the host's operator"
        return Finding(AREA, name, Mark.FAULT, f"it can't be read ({error})", cure)
    return replace(found, area=AREA, name=name)


async def _sync(workshop: Workshop) -> Finding:
    name = "host: sync"
    if workshop.store is None:
        return Finding(AREA, name, Mark.SKIPPED, workshop.store_fault or "the queue is not open")
    started = time.perf_counter()
    try:
        status = await workshop.store.call(Store.status)
        through = status.sequence - status.unsent
        last = await workshop.store.call(lambda store: store.record(through)) if through > 0 else None
    except QueueError as error:
        return Finding(AREA, name, Mark.FAULT, str(error), "see the queue's own findings")
    when = f", of {datetime.fromtimestamp(last.time_ms / 1000).astimezone():%Y-%m-%d %H:%M}" if last else ""
    held = (
        f"the host has acknowledged all up to record {through}{when}"
        if through
        else "nothing is acknowledged yet"
    )
    details = {"waits": str(status.unsent), "acknowledged through": str(through)}
    if workshop.delivery is not None and workshop.delivery.alarm:
        text = f"delivery has stopped: {workshop.delivery.alarm}"
        cure = "the host refused for good: tell its operator, with a support bundle"
        return Finding(AREA, name, Mark.FAULT, text, cure, ms(started), details)
    if status.unsent:
        text, cure = (
            f"{status.unsent} records wait; {held}",
            f"once the echo works: tillside queue sync{option(workshop.home)}",
        )
        return Finding(AREA, name, Mark.WARNING, text, cure, ms(started), details)
    return Finding(AREA, name, Mark.OK, f"nothing waits; {held}", "", ms(started), details)
