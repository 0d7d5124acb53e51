"""The far side of every wire: cards, chips, cameras, scanners, hosts, faults."""
