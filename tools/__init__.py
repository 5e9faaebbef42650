"""Scripts for those who work on charye. Not part of the wheel. Run them as ``python -m tools.<name>``."""
