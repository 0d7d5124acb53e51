"""Recorded taps: their form, masking and sealing them, and running our kernels against them."""
