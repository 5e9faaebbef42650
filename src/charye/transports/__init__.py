"""Ways for events to travel: each end sends, receives and closes."""
