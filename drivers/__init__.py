"""Devices: readers, scanners, cameras. They move bytes and never decide."""
