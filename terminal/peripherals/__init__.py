"""What printers, customer displays and sounders do while the counter works."""
