"""Displays that the customer sees, one module a way of attaching them."""
