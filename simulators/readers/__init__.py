"""Readers: the place where a card is held, and what stands on the far side of each reader's wire."""
