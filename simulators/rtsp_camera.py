"""A simulated counter camera that speaks RTSP, as IP cameras do: JPEG in RTP, inside the one TCP line.

    with RtspCamera() as camera:
        scanner = open_scanner(parse(camera.address))   # camera:rtsp://127.0.0.1:PORT/

The least that a player needs: OPTIONS, DESCRIBE, SETUP and PLAY; no UDP, no audio, no password. A frame
is cut open: its tables go in front of its first packet, its headers are left for the player to make.

Spec: RFC 2326, 10 and 10.12 (RTSP, interleaving); RFC 2435, 3.1 (RTP payload of JPEG); RFC 3550, 5.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from socketserver import StreamRequestHandler
from typing import ClassVar

from simulators.camera import Server, SimulatedCamera

_RTP_VERSION = 0x80
_JPEG_PAYLOAD, _LAST_PACKET = 26, 0x80
_CLOCK_HZ = 90_000
_PACKET_BYTES = 1400
_HALF_COLOUR_BOTH_WAYS = 1
_TABLES_IN_BAND = 255
_DQT, _SOF0, _SOS = 0xDB, 0xC0, 0xDA
_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:video\r\n"


class _Player(StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        """Answer until the player wants to see something, then send until somebody hangs up."""
        while request := self._request():
            method, url, headers = request
            answers = {
                "DESCRIBE": (f"Content-Base: {url}\r\nContent-Type: application/sdp\r\n", _SDP),
                "SETUP": (f"Transport: {headers.get('transport', '')}\r\nSession: 1\r\n", ""),
                "PLAY": ("Session: 1\r\n", ""),
                "OPTIONS": ("Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n", ""),
            }
            status = "200 OK" if method in answers else "405 Method Not Allowed"
            if method == "SETUP" and "interleaved" not in headers.get("transport", ""):
                status = "461 Unsupported Transport"
            head, body = answers.get(method, ("", ""))
            start = f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n"
            self.wfile.write(f"{start}{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            if method == "PLAY":
                self._play()
                return

    def _request(self) -> tuple[str, str, dict[str, str]] | None:
        words = self.rfile.readline().decode("latin-1").split()
        headers = {}
        while (line := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return (words[0], words[1], headers) if len(words) == 3 else None

    def _play(self) -> None:
        camera = self.server.camera
        camera.wait_start()
        sequence = frame = 0
        while (jpeg := camera.next_frame(paced=frame >= 3)) is not None:
            for last, payload in packets(jpeg):
                kind = _JPEG_PAYLOAD | (_LAST_PACKET if last else 0)
                time = int(frame * _CLOCK_HZ * camera.pause_s) & 0xFFFFFFFF
                rtp = struct.pack(">BBHII", _RTP_VERSION, kind, sequence & 0xFFFF, time, 1)
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(rtp) + len(payload)) + rtp + payload)
                sequence += 1
            camera.count_sent()
            frame += 1


class RtspCamera(SimulatedCamera):
    """The same camera over RTSP. Width and height are multiples of 8, and 2040 at most."""

    scheme: ClassVar[str] = "rtsp"
    viewer = _Player


def packets(jpeg: bytes) -> Iterator[tuple[bool, bytes]]:
    """Cut a baseline JPEG into RTP payloads; each with whether it is the picture's last."""
    tables, size, at = b"", b"", 2
    while jpeg[at + 1] != _SOS:
        kind, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        segment = jpeg[at + 4 : at + 2 + length]
        if kind == _DQT:
            # One byte says which table it is; they come in order.
            tables += b"".join(segment[one + 1 : one + 65] for one in range(0, len(segment), 65))
        elif kind == _SOF0:
            height, width = struct.unpack(">HH", segment[1:5])
            size = bytes([width // 8, height // 8])
        at += 2 + length
    scan = jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") : -2]
    for offset in range(0, len(scan), _PACKET_BYTES):
        head = struct.pack(">I", offset) + bytes([_HALF_COLOUR_BOTH_WAYS, _TABLES_IN_BAND]) + size
        if offset == 0:
            head += struct.pack(">BBH", 0, 0, len(tables)) + tables
        yield offset + _PACKET_BYTES >= len(scan), head + scan[offset : offset + _PACKET_BYTES]
