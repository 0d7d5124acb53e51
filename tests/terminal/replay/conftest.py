"""The reference vectors, as the EMV tests have them."""

from tests.emv.conftest import vectors

__all__ = ["vectors"]
