"""Issuer and card certificates: from a scheme's key to the card's key.

Spec: EMV 4.4 Book 2, 5.3, 6.3 and 6.4.
"""
