"""What names and values clients may log, and the refusals of what they may not, in the words that MLflow's tests know."""

import posixpath
import re

from headwater_server.errors import Invalid

MAX_KEY = 250
MAX_PARAM = 6_000
MAX_TAG = 8_000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG = 20_000
MAX_METRICS, MAX_PARAMS, MAX_TAGS, MAX_TOGETHER = 1_000, 100, 100, 1_000
"""Of one batch."""
MAX_DATASETS = 1_000
MAX_DATASET_NAME, MAX_DIGEST = 500, 36
MAX_SOURCE, MAX_SCHEMA, MAX_PROFILE = 65_535, 2**20, 2**24
_KEY = re.compile(r"[\w\-./ :]+")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")


def checked_key(key: str, what: str) -> str:
    """A metric's, param's or tag's name."""
    within(key, MAX_KEY, "key")
    if not _KEY.fullmatch(key) or _is_odd_path(key):
        raise Invalid(
            f"Invalid value {shown(key)} for parameter '{what}' supplied: Names may only contain alphanumerics, "
            "underscores (_), dashes (-), periods (.), spaces ( ), colon (:), and slashes (/), and must not be "
            "an absolute or a relative path."
        )
    return key


def checked_value(value: str, limit: int, what: str) -> str:
    within(value, limit, what)
    return value


def within(value: str, limit: int, what: str) -> None:
    if len(value) > limit:
        raise Invalid(
            f"Invalid value {shown(value)} for parameter '{what}' supplied: '{what}' exceeds the maximum length "
            f"of {limit} characters. It has {len(value)}."
        )


def checked_run_id(run_id: str) -> str:
    if not is_run_id(run_id):
        raise Invalid(
            f"Invalid run ID: '{run_id[:300]}'. It is letters, digits, _ and -, at most 256 of them."
        )
    return run_id


def is_run_id(text: str) -> bool:
    return _RUN_ID.fullmatch(text) is not None


def shown(value: str) -> str:
    return repr(value if len(value) <= 100 else value[:100] + "…")


def _is_odd_path(key: str) -> bool:
    normal = posixpath.normpath(key)
    return normal != key or normal == "." or normal.startswith(("..", "/"))
