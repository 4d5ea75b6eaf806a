"""Which names a model, a stage, an alias may have, and which model a source names. Pure.

Rules that keep one model from standing in for another (MLflow's CVE-2024-3099): no `/`, `:`, `%`, no
space around, no control or bidirectional marks, one Unicode normal form.
"""

import re
import unicodedata

from headwater_server.errors import Invalid
from headwater_server.graph import keys

_BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_VERSION_LIKE = re.compile(r"v?\d+")


def checked(name: str, what: str, *, limit: int = 500) -> str:
    """The name in its normal form.

    Raises:
        Invalid: with the rule that it breaks.

    """
    normal = unicodedata.normalize("NFC", name)
    if not normal.strip() or normal != normal.strip():
        raise Invalid(f"a {what} name is not empty and has no space around it: {name!r}.", field=what)
    if len(normal) > limit:
        raise Invalid(f"a {what} name has at most {limit} characters, this one {len(normal)}.", field=what)
    if any(c in normal for c in "/:%@#\\") or _BIDI.search(normal):
        raise Invalid(
            f"a {what} name has none of / : % @ # \\ and no bidirectional mark: {name!r}.", field=what
        )
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in normal):
        raise Invalid(f"a {what} name has no control characters: {name!r}.", field=what)
    return normal


def model_in_run(source: str, run_id: str) -> str | None:
    """The key of the model among a run's files that a source names: by `runs:/`, or by where the files lie."""
    for root in (f"runs:/{run_id}/", f"/{run_id}/artifacts/"):
        _, found, path = source.partition(root)
        if found and path.strip("/"):
            return keys.logged_model(run_id, path.strip("/"))
    return None


def checked_alias(name: str) -> str:
    normal = checked(name, "alias", limit=255)
    if normal.lower() == "latest" or _VERSION_LIKE.fullmatch(normal.lower()):
        raise Invalid(f"an alias is neither `latest` nor looks like a version: {name!r}.", field="alias")
    return normal
