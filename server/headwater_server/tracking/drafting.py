"""A decision as a draft for the log: at a moment behind all that was said of its entity, without secrets."""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from headwater_server.commit.redacting import redacted
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.log.port import Draft
from headwater_server.redaction.redactor import Redactor
from headwater_server.tracking.records import PRODUCER, TRANSLATORS


class Decided(NamedTuple):
    draft: Draft
    body: dict[str, Any]
    facts: Mapping[str, Facts]
    """What it comes to; said again by whoever projects it."""


def moment(facts: Facts, now: int) -> int:
    """Times within one entity never go back, so that of two values the later said stays."""
    return max(now, facts.last.get("moved", 0) + 1)


def decided(kind: str, body: dict[str, Any], redactor: Redactor, *, run: str = "") -> Decided:
    """`run` is the key of the run that it is about.

    Raises:
        Invalid: something is named by a secret.

    """
    facts = TRANSLATORS[kind](body, 0)
    draft = Draft(
        kind,
        orjson.dumps(body),
        secrets.token_bytes(32),
        event_time=body["at"],
        producer=PRODUCER,
        actor=body["by"],
        run_id=keys.parts_of(run)[0] if run else "",
        job=keys.job_of(run) if run else "",
        mentions=[key for key in facts if key.startswith(_ABOUT)],
    )
    clean = redacted(draft, redactor)
    if clean is not draft:
        body = orjson.loads(clean.body)
        facts = TRANSLATORS[kind](body, 0)
    return Decided(clean, body, facts)


_ABOUT = ("run|", "experiment|", "dataset|", "logged_model|")
