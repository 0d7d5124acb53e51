"""Lets pyemv take its ciphers from where cryptography keeps them now.

pyemv 1.5 asks the old module for TripleDES and passes keys of 8 and 16 bytes: two warnings a call, and an
error in a release to come. EMV's double-length keys are K1 K2 K1. Whoever computes with pyemv here imports
its modules from this one.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers import algorithms
from pyemv import ac, kd, mac, tools

__all__ = ["ac", "kd", "mac", "tools"]


class _Algorithms:
    """What pyemv takes from cryptography."""

    @staticmethod
    def TripleDES(key: bytes) -> algorithms.TripleDES:
        return algorithms.TripleDES((key * 3)[:24])


for _module in (mac, tools):
    vars(_module)["_algorithms"] = _Algorithms
