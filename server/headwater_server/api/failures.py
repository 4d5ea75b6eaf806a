"""What nobody expected, for the log: one line, whatever is in it, under the id that the client was shown."""

import logging
import traceback

from headwater_server.redaction.redactor import Redactor

LONGEST = 2_000
_REDACTOR = Redactor()


def log_unexpected(log: logging.Logger, error: BaseException, error_id: str, at: object = None) -> None:
    """One line of at most LONGEST printable characters: names come from outside and may hold anything, secrets too."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " < ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in reversed(frames))
    text = _REDACTOR.text(f"{error!s:.4000}")
    line = f"errorId={error_id} {type(error).__name__}: {text} path={at} at {where}"
    log.error("%s", ascii(line)[1:-1][:LONGEST])
