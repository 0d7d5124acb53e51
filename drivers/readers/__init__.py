"""Contactless readers over PC/SC and over a PN532 on a serial line."""
