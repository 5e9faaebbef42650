"""What every voice asks of its caller."""

from __future__ import annotations

from charye.errors import ConfigurationError

__all__ = ["MAX_SPEED", "MIN_SPEED", "check_speed"]

# API reference, session, `audio.output.speed`.
MIN_SPEED = 0.25
MAX_SPEED = 1.5


def check_speed(speed: float) -> None:
    """Raise ConfigurationError unless the speed is one that the API allows."""
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise ConfigurationError("the speed must be between 0.25 and 1.5", option="speed")
