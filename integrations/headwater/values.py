"""Values of user code as they are sent: names, numbers, texts, bytes."""

import json
import logging
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

logger = logging.getLogger("headwater")


def flat(given: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def number(value: Any) -> float | str | None:
    """A float as JSON has it; NaN and the infinities by name, as MLflow sends them."""
    try:
        found = float(value.item() if hasattr(value, "item") else value)
    except Exception:  # what a tensor of many values raises is its library's
        logger.debug("not a number: %s", type(value).__name__, exc_info=True)
        return None
    if math.isnan(found):
        return "NaN"
    return found if math.isfinite(found) else ("Infinity" if found > 0 else "-Infinity")


def text(value: Any) -> str:
    """A param or a tag; lists and booleans as JSON has them."""
    if isinstance(value, (list, tuple, bool)):
        return json.dumps(value, default=str)
    return str(value)


def pickled(model: Any) -> bytes:
    import io
    import pickle

    try:
        import joblib
    except ImportError:
        return pickle.dumps(model)
    kept = io.BytesIO()
    joblib.dump(model, kept)
    return kept.getvalue()


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
