"""What a technician looks at and works on: probes as plain data, traces, the support bundle."""
