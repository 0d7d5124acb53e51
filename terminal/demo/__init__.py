"""The whole counter on one machine, with a simulated world around it."""
