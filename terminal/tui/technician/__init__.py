"""The technician's one screen: panes for devices, benches, network, queue, keys, log and taps."""
