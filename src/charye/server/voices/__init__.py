"""Voices, one module each. `charye.server.voice` is the door to them."""
