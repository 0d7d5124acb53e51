"""Devices: one thread each, with health, deadlines and reopening."""
