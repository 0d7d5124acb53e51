"""Signed, sealed, chained records and their delivery. Knows no card and no screen."""
