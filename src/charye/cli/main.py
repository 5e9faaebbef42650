"""The door of the command `charye`. Importing it is cheap: each command imports what it needs when it runs."""

import sys

from charye.cli import exits
from charye.errors import CharyeError

__all__ = ["main"]


def main() -> None:
    """Run the command line. Ends the process; the exit codes are in `exits`."""
    try:
        from charye.cli.app import app
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] not in ("typer", "rich"):
            raise
        print('charye needs packages that are not installed; run: uv add "charye[cli]"', file=sys.stderr)
        sys.exit(exits.NO_EXTRA)
    try:
        app(prog_name="charye")
    except CharyeError as error:
        code = exits.code_for(error)
        if code == exits.BUG:
            raise
        print(f"charye: {error}", file=sys.stderr)
        for note in getattr(error, "__notes__", ()):
            print(f"        {note}", file=sys.stderr)
        sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(exits.INTERRUPTED)
