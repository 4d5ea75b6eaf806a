"""Drafts without secrets: what a mutation's texts give away is replaced before the log sees it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import orjson

from headwater_server.errors import Invalid
from headwater_server.log.port import Draft, Finding, Receipt
from headwater_server.redaction.redactor import Redaction, Redactor, noted

T = TypeVar("T")
_MOST_TOLD = 3


def redacting(
    decide: Callable[[], tuple[Sequence[Draft], Callable[[list[Receipt]], T]]], redactor: Redactor
) -> Callable[[], tuple[Sequence[Draft], Callable[[list[Receipt]], T]]]:
    """The same decision with clean drafts."""

    def decide_clean() -> tuple[Sequence[Draft], Callable[[list[Receipt]], T]]:
        drafts, finish = decide()
        return [redacted(draft, redactor) for draft in drafts], finish

    return decide_clean


def redacted(draft: Draft, redactor: Redactor) -> Draft:
    """The draft, clean; with a note of what was taken out.

    Raises:
        Invalid: it names something by a secret.

    """
    body = draft.body
    if b"\\" in body:  # an escape may hide what the prefilter looks for
        body = orjson.dumps(orjson.loads(body))
    document, taken = redactor.redact_json(body)
    if not taken:
        return draft
    for name in draft.mentions:
        if redactor.text(name) != name:
            raise Invalid(
                f"A name in this looks like a secret ({taken[0].rule}). Names are kept for ever and shown to "
                "everybody: choose another. If it was a real secret, it is known now: change it where it is used."
            )
    return replace(
        draft, body=orjson.dumps(noted(document, taken)), findings=(*draft.findings, *findings(taken))
    )


def findings(taken: Sequence[Redaction]) -> list[Finding]:
    """One for each rule: what `conformance` counts by producer."""
    places: dict[str, list[str]] = {}
    for one in taken:
        places.setdefault(one.rule, []).append(one.pointer[:200])
    return [
        Finding(
            f"redacted-{rule}",
            f"taken out at {', '.join(at[:_MOST_TOLD])}"
            + (f" and {len(at) - _MOST_TOLD} more" if at[_MOST_TOLD:] else ""),
        )
        for rule, at in places.items()
    ]
