"""What names and values clients may log, and the refusals of what they may not, in the words that MLflow's tests know."""

import json
import posixpath
import re

from headwater_server.errors import Invalid

SHOWN = 100
"""Characters of a wrong text that a refusal repeats."""
MAX_KEY = 250
MAX_PARAM = 6_000
MAX_TAG = 8_000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG = 20_000
MAX_METRICS, MAX_PARAMS, MAX_TAGS, MAX_TOGETHER = 1_000, 100, 100, 1_000
"""Of one batch."""
MAX_TRACE_PAIRS = 1_000
"""Tags of a trace, and as many of its metadata."""
MAX_DATASETS = 1_000
MAX_DATASET_NAME, MAX_DIGEST = 500, 36
MAX_SOURCE, MAX_SCHEMA, MAX_PROFILE = 2**16 - 1, 2**20 - 1, 2**24 - 1
MAX_INPUT_KEY, MAX_INPUT_VALUE = 255, 500
"""Of a tag of what a run read."""
_KEY = re.compile(r"[\w\-./ :]*")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")


def checked_key(key: str, what: str, *, called: str = "key") -> str:
    """A metric's, param's or tag's name: `what` is the parameter that says it, `called` what a long one is called."""
    if not _KEY.fullmatch(key):
        raise wrong(
            key,
            what,
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
            "and slashes (/).",
        )
    if _is_odd_path(key):
        raise wrong(
            key,
            what,
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as "
            f"such. This name would resolve to {posixpath.normpath(key)!r}",
        )
    within(key, MAX_KEY, called)
    return key


def is_key(key: str) -> bool:
    return len(key) <= MAX_KEY and _KEY.fullmatch(key) is not None and not _is_odd_path(key)


def within(value: str, limit: int, what: str) -> None:
    if len(value) > limit:
        raise Invalid(
            f"'{what}' exceeds the maximum length of {limit} characters. {shown(value)} has {len(value)}."
        )


def wrong(value: object, what: str, why: str) -> Invalid:
    return Invalid(f"Invalid value {shown(value)} for parameter '{what}' supplied: {why}")


def checked_run_id(run_id: str, of: str = "run") -> str:
    if not is_run_id(run_id):
        raise Invalid(
            f"Invalid {of} ID: '{run_id[:300]}'. It is letters, digits, _ and -, at most 256 of them."
        )
    return run_id


def is_run_id(text: str) -> bool:
    return _RUN_ID.fullmatch(text) is not None


def shown(value: object) -> str:
    """As JSON, the beginning of a long text."""
    if isinstance(value, str) and len(value) > SHOWN:
        value = value[:SHOWN] + "…"
    return json.dumps(value, ensure_ascii=False)


def _is_odd_path(key: str) -> bool:
    normal = posixpath.normpath(key)
    return normal != key or normal == "." or normal.startswith(("..", "/"))
