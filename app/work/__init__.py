"""What time is spent on."""
