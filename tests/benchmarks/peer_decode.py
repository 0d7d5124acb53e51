"""Runs in the peers' environment: on each line that comes, decodes the data so many times."""

import sys
from collections.abc import Callable
from importlib import import_module


def decoder(library: str) -> Callable[[bytes], object]:
    """Return the library's way to decode TLV."""
    if library == "pyemv":
        found: Callable[[bytes], object] = import_module("pyemv.tlv").decode
    else:
        found = import_module("emv.protocol.structures").TLV.unmarshal
    return found


if __name__ == "__main__":
    library, data, repeat = sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3])
    decode = decoder(library)
    for _ in sys.stdin:
        for _ in range(repeat):
            decode(data)
        print("done", flush=True)
