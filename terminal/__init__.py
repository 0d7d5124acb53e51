"""The terminal: where cards, codes, hosts, records and people meet."""
