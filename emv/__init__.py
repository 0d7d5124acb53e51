"""EMV contactless decisions: codecs, Entry Point, kernels. Pure: no device, no clock, no network."""
