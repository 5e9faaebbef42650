"""Samples: their arithmetic, their packaging and their rates. Nothing here has a clock or a device."""
