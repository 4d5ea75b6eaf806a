"""What became of webhooks, as records: who made, changed or deleted which, when. The graph shows nothing of it."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

import orjson

from headwater_server.graph.facts import Facts
from headwater_server.log.port import Draft

CREATE: Final = "webhook.create"
UPDATE: Final = "webhook.update"
DELETE: Final = "webhook.delete"


def draft(kind: str, body: Mapping[str, Any]) -> Draft:
    """`body` has `at` and `by`."""
    key = hashlib.sha256(f"{kind}|{secrets.token_hex(16)}".encode()).digest()
    raw = orjson.dumps(body)
    return Draft(kind, raw, key, event_time=body["at"], producer="headwater", actor=body["by"])


def translate_nothing(body: Any, seq: int) -> Mapping[str, Facts]:
    del body, seq
    return {}


TRANSLATORS = dict.fromkeys((CREATE, UPDATE, DELETE), translate_nothing)
