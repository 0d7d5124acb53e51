"""Code scanners: cameras, scanners on a serial line, and scanners that type."""
