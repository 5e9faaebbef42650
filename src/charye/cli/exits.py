"""What the command `charye` says with its exit code.

0    done; for `serve`: stopped by Ctrl-C or SIGTERM, every session closed
1    a bug: there is a traceback, please report it
2    the command line or a file named on it is wrong; nothing was started
3    an extra is not installed; the message says which
4    the address cannot be listened on
5    a model is not in its folder, or could not be fetched
130  Ctrl-C for the second time, before everything was closed
"""

from charye.errors import CharyeError, ConfigurationError, MissingExtra, ModelMissing, RealtimeError

__all__ = ["BUG", "CANNOT_LISTEN", "DONE", "INTERRUPTED", "NO_EXTRA", "NO_MODEL", "USAGE", "code_for"]

DONE = 0
BUG = 1
USAGE = 2
NO_EXTRA = 3
CANNOT_LISTEN = 4
NO_MODEL = 5
INTERRUPTED = 130

# The first that fits counts.
_CODES: tuple[tuple[type[CharyeError], int], ...] = (
    (MissingExtra, NO_EXTRA),
    (ModelMissing, NO_MODEL),
    (ConfigurationError, USAGE),
    (RealtimeError, NO_MODEL),  # only a hub is ever called from here
)


def code_for(error: CharyeError) -> int:
    """The exit code for an error that ends a command."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), BUG)
