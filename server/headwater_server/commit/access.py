"""What became of tokens, as records: who made or revoked which, when. The graph shows nothing of it."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from headwater_server.auth.tokens import Tokens
from headwater_server.commit.committer import Committer
from headwater_server.graph.facts import Facts
from headwater_server.log.port import Draft

KIND: Final = "access.token"


def record_acts(tokens: Tokens, committer: Committer) -> int:
    """Write down what the log has not been told yet; how much that was. Told twice it is one record."""
    acts = tokens.pending()
    if not acts:
        return 0
    drafts = []
    for act in acts:
        raw = orjson.dumps(act.body)
        key = hashlib.sha256(b"access.token|" + raw).digest()
        drafts.append(
            Draft(KIND, raw, key, event_time=act.body["at"], producer="headwater", actor=act.body["by"])
        )
    committer.submit(drafts, [act.body for act in acts]).logged.result()
    tokens.told(acts[-1].n)
    return len(acts)


def translate_token(body: Any, seq: int) -> Mapping[str, Facts]:
    del body, seq
    return {}


TRANSLATORS = {KIND: translate_token}
