"""Changes by hand: each is checked in the writer's turn, recorded with who, before and after, and seen when it returns."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from headwater_server.commit.committer import Committer
from headwater_server.curation import records
from headwater_server.errors import Conflict, Invalid
from headwater_server.graph import keys, times
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.log.port import Draft, Receipt
from headwater_server.project.reading import facts_of, updated
from headwater_server.store.port import GraphStore

_CURATED = frozenset({Kind.DATASET, Kind.COLUMN, Kind.JOB, Kind.RUN, Kind.MODEL, Kind.MODEL_VERSION})
_DATA = frozenset({Kind.DATASET, Kind.MODEL, Kind.MODEL_VERSION})
MAX_NOTE = 20_000

_ENDS: Mapping[str, Callable[[Kind, Kind], bool]] = {
    "READS": lambda a, b: a in _DATA and b is Kind.JOB,
    "WRITES": lambda a, b: a is Kind.JOB and b in _DATA,
    "DERIVES": lambda a, b: (a, b) == (Kind.COLUMN, Kind.COLUMN) or (a in _DATA and b in _DATA),
    "TRAINS": lambda a, b: (
        a in {Kind.DATASET, Kind.JOB, Kind.COLUMN} and b in {Kind.MODEL, Kind.MODEL_VERSION}
    ),
    "SYMLINK": lambda a, b: (a, b) == (Kind.DATASET, Kind.DATASET),
}
"""Which manual edges make sense, by kind."""


class Curation:
    """Tags, descriptions, owners, notes, archiving, edges. `resolve` turns any reference into its node."""

    def __init__(
        self,
        committer: Committer,
        store: GraphStore,
        *,
        resolve: Callable[[str], Node],
        now: Callable[[], int],
    ) -> None:
        self._committer = committer
        self._store = store
        self._resolve = resolve
        self._now = now

    def tag(
        self,
        ref: str,
        *,
        set: Mapping[str, str | None],  # noqa: A002 (the mutation's own word)
        remove: Sequence[str],
        actor: str,
    ) -> str:
        """Set and remove tags by key. Raises NotFound, Invalid."""
        for name in (*set, *remove):
            if not name.strip() or "=" in name or "|" in name or len(name) > 250:
                raise Invalid(f"a tag's key is 1 to 250 characters without = and |: {name!r}.", field="set")

        def body(node: Node) -> dict[str, Any]:
            tags = node.props.get("tags")
            before = [str(tag) for tag in tags] if isinstance(tags, list) else []
            after = {tag.partition("=")[0]: tag for tag in before}
            after |= {name: name if value is None else f"{name}={value}" for name, value in set.items()}
            return {
                "set": dict(set),
                "remove": list(remove),
                "before": {"tags": before},
                "after": {"tags": sorted(tag for name, tag in after.items() if name not in remove)},
            }

        return self._change(records.TAG, ref, body, actor)

    def update(
        self,
        ref: str,
        *,
        description: str | None = None,
        owners: Sequence[str] | None = None,
        display_name: str | None = None,
        expected_updated_at: int | None = None,
        actor: str,
    ) -> str:
        """Write over what producers say; None leaves as it is. Raises NotFound, Invalid, Conflict."""
        given = {"description": description, "owners": owners, "displayName": display_name}
        after = {k: list(v) if k == "owners" else v for k, v in given.items() if v is not None}
        if not after:
            raise Invalid("nothing to update: give description, owners or displayName.", field="input")

        def body(node: Node) -> dict[str, Any]:
            actual = updated(node.key, self._store)
            if expected_updated_at is not None and actual != expected_updated_at:
                raise Conflict(
                    "it changed since you looked"
                    + (f", at {times.text(actual)}" if actual is not None else "")
                    + ". Look again, then decide.",
                    expected=expected_updated_at,
                    actual=actual,
                    current=node.key,
                )
            return {"after": after, "before": {k: node.props.get(k) for k in after}}

        return self._change(records.UPDATE, ref, body, actor)

    def annotate(self, ref: str, *, body: str, actor: str) -> str:
        """The note's key. Raises NotFound, Invalid."""
        if not body.strip() or len(body) > MAX_NOTE:
            raise Invalid(f"a note has 1 to {MAX_NOTE} characters.", field="body")
        name = secrets.token_hex(8)
        self._change(records.ANNOTATE, ref, lambda _: {"id": name, "body": body}, actor)
        return keys.key(Kind.ANNOTATION, name)

    def archive(self, ref: str, *, reason: str | None = None, restore: bool = False, actor: str) -> str:
        """Take out of sight, or bring back; nothing is deleted. Raises NotFound, Invalid."""

        def body(node: Node) -> dict[str, Any]:
            before = {"archived": bool(node.props.get("archived"))}
            return {
                "archived": not restore,
                "reason": reason,
                "before": before,
                "after": {"archived": not restore},
            }

        return self._change(records.ARCHIVE, ref, body, actor)

    def manual_edge(
        self,
        from_ref: str,
        to_ref: str,
        *,
        kind: str,
        note: str | None = None,
        remove: bool = False,
        actor: str,
    ) -> str:
        """Say by hand that data flows, or take it back; the key of `to`. Raises NotFound, Invalid."""

        def body(source: Node) -> dict[str, Any]:
            target = self._resolve(to_ref)
            fits = _ENDS.get(kind)
            if fits is None or not fits(source.kind, target.kind):
                raise Invalid(
                    f"{kind} does not join a {source.kind} to a {target.kind}. By hand there are READS (dataset to job), "
                    "WRITES (job to dataset), DERIVES (dataset to dataset, column to column), TRAINS (dataset, "
                    "column or job to model) and SYMLINK (dataset to dataset).",
                    field="kind",
                )
            if source.key == target.key:
                raise Invalid("an edge joins two different nodes.", field="to")
            owner, _ = records.place(source.key)
            said = facts_of(owner, self._store).get(records.edge_name(kind, source.key, target.key))
            return {
                "source": source.key,
                "target": target.key,
                "kind": kind,
                "note": note,
                "removed": remove,
                "before": {"said": bool(said) and not said["removed"]},
                "after": {"said": not remove},
            }

        self._change(records.EDGE, from_ref, body, actor)
        return self._resolve(to_ref).key

    def _change(self, kind: str, ref: str, body_of: Callable[[Node], dict[str, Any]], actor: str) -> str:
        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], str]]:
            node = self._resolve(ref)
            if node.kind not in _CURATED:
                raise Invalid(f"{ref} is a {node.kind}; that cannot be changed by hand.", field="ref")
            body = body_of(node)
            at = self._now()
            about = list(dict.fromkeys(k for k in (node.key, body.get("target")) if k))
            raw = orjson.dumps({**body, "key": node.key, "at": at, "by": actor})
            draft = Draft(
                kind,
                raw,
                hashlib.sha256(secrets.token_bytes(16)).digest(),
                event_time=at,
                producer="headwater",
                actor=actor,
                mentions=about,
            )
            return [draft], lambda _: node.key

        return self._committer.command(decide)
