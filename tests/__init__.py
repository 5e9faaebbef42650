"""A package, so that tests may share helpers as ``tests.<folder>.<module>`` whatever else is installed."""
