"""The command line. Help costs no import; a command imports what it needs when it runs."""

import os
import sys
from collections.abc import Sequence

from headwater_server.cli.catalogue import overview


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 usage, 3 threshold, 4 conflict."""
    given = list(sys.argv[1:] if argv is None else argv)
    completing = "_HEADWATER_COMPLETE" in os.environ
    if not completing and (not given or given[0] in {"-h", "--help", "help"}):
        sys.stdout.write(overview() + "\n")
        return 0
    try:
        from headwater_server.cli.group import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"click", "rich"}:
            sys.stderr.write(
                f"headwater: the command line needs {error.name}, which is not installed. "
                "Try: pip install 'headwater[server]'\n"
            )
            return 1
        raise
    return run(given)
