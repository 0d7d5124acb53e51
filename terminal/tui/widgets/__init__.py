"""Widgets: each draws one part of a view and knows nothing else."""
