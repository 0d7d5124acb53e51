"""What the terminal lets people hear."""
