"""Code scanners: cameras and serial scanners."""
