"""An order's way from its amount to a durable outcome."""
