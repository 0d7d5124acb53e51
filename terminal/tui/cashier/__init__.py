"""The cashier's screen, its keys and its seam to the counter."""
