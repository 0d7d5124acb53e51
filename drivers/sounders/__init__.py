"""What can be heard, one module a way of attaching it."""
