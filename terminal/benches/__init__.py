"""Workbenches: what a technician does with one device, on the device's own thread, without a screen."""
