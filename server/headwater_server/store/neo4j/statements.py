"""Every Cypher statement of the store but the schema. Values travel as parameters, words are our own."""

from collections.abc import Iterable
from functools import lru_cache

from headwater_server.graph.words import PROPS, EdgeKind, Kind
from headwater_server.store.port import Direction

APPLIED = (
    "OPTIONAL MATCH (m:Mark {key: 'applied'}) RETURN coalesce(m.seq, 0), coalesce(m.log, ''), m.resetting"
)
SCHEMA_VERSION = (
    "MERGE (m:Mark {key: 'schema'}) ON CREATE SET m.version = $version RETURN m.version AS version"
)

# -- emptying: marked first, so that one which was cut off is finished later ---------------------

RESETTING = "MERGE (m:Mark {key: 'applied'}) SET m = {key: 'applied', resetting: true} RETURN true"
DELETE_NODES = "MATCH (n:Node) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"
DELETE_STATES = "MATCH (s:State) CALL (s) { DELETE s } IN TRANSACTIONS OF 5000 ROWS"
HAS_RESET = "MATCH (m:Mark {key: 'applied'}) DELETE m RETURN true"

# -- writing ------------------------------------------------------------------------------------
# All rows are one parameter, a list with a list per block: the server plans anew for each combination of
# sizes of lists that are parameters themselves (a second per batch), but looks at no size inside. A map
# with a list per name would do, were `$rows.NAME` not taken for a property that the block sets (Eager).


def node_block(kind: Kind, at: int) -> str:
    """Each property named: `SET n += map` behind a MERGE makes the planner read everything first."""
    named = "".join(f", n.{prop} = r[{i}]" for i, prop in enumerate(PROPS[kind], start=5))
    return (
        f"UNWIND $rows[{at}] AS r MERGE (n:Node {{key: r[0]}})"
        f" SET n:{kind}, n.kind = '{kind}', n.grp = r[1], n.mark = r[2], n.place = r[3], n.words = r[4]{named}"
    )


STATE_BLOCK = (
    "UNWIND $rows[0] AS r MATCH (n:Node {key: r[0]}) MERGE (s:State {key: r[0]}) SET s.state = r[1]"
    " RETURN count(*) AS states"
)


def edge_block(kind: EdgeKind, at: int) -> str:
    """How many rows found both ends."""
    return (
        f"UNWIND $rows[{at}] AS r MATCH (a:Node {{key: r[0]}}) MATCH (b:Node {{key: r[1]}})"
        f" MERGE (a)-[e:{kind} {{tag: r[2]}}]->(b) ON CREATE SET e = r[3] ON MATCH SET e = r[3]"
        f" RETURN count(*) AS {kind}"
    )


MARK = (
    "MERGE (m:Mark {key: 'applied'}) WITH *, m.writer AS writer"
    " SET m.seq = $seq, m.log = $log, m.writer = $writer"
)


@lru_cache
def write(nodes: tuple[Kind, ...], edges: tuple[EdgeKind, ...]) -> str:
    """Nodes, states, edges and the mark in one round trip; who wrote last, and how many rows found their nodes.

    Few texts are ever made (see `writing`), since planning one takes seconds on a fresh server.
    """
    blocks = [
        *[node_block(kind, at) for at, kind in enumerate(nodes, start=1)],
        STATE_BLOCK,
        *[edge_block(kind, at) for at, kind in enumerate(edges, start=1 + len(nodes))],
    ]
    counts = ", ".join(["states", *edges])
    return "\n".join(
        [
            # Seeks by key are the right plan for any amount of data; planning anew while it grows takes seconds.
            "CYPHER replan=skip",
            *[f"CALL () {{ {block} }}" for block in blocks],
            f"{MARK} RETURN writer, [{counts}]",
        ]
    )


MISSING = "UNWIND $keys AS key WITH key WHERE NOT EXISTS { (:Node {key: key}) } RETURN collect(key)[..1]"


def drop(kind: EdgeKind) -> str:
    return (
        f"CYPHER replan=skip UNWIND $drops AS r MATCH (:Node {{key: r[0]}})-[e:{kind} {{tag: r[2]}}]->(:Node {{key: r[1]}})"
        " DELETE e RETURN count(*)"
    )


_HOLDING = "|".join(kind for kind in EdgeKind if kind not in {EdgeKind.STEP_OF, EdgeKind.VERSION_OF})
PRUNE = (
    "CYPHER replan=skip UNWIND $keys AS key MATCH (n:Node {key: key})"
    f" WHERE NOT EXISTS {{ (n)<--() }} AND NOT EXISTS {{ (n)-[:{_HOLDING}]->() }}"
    " OPTIONAL MATCH (n)-[e]->(o) WITH key, n, collect([type(e), o.key, e.tag]) AS edges"
    " OPTIONAL MATCH (s:State {key: key}) DETACH DELETE n, s RETURN collect([key, edges])"
)

# -- reading ------------------------------------------------------------------------------------

GET = "MATCH (n:Node) WHERE n.key IN $keys RETURN collect(properties(n))"
STATES = "MATCH (s:State) WHERE s.key IN $keys RETURN collect([s.key, s.state])"
STARTING = (
    "MATCH (n:Node) WHERE n.key STARTS WITH $prefix WITH n.key AS key ORDER BY key LIMIT $limit"
    " RETURN collect(key)"
)
COUNT = "MATCH (n:Node) WHERE n.kind = $kind AND n.mark IN $marks AND n.place IS NOT NULL RETURN count(*)"
COUNT_IN_GROUP = (
    "MATCH (n:Node) WHERE n.kind = $kind AND n.grp = $group AND n.mark IN $marks AND n.place IS NOT NULL"
    " RETURN count(*)"
)
GROUPS = (
    "MATCH (n:Node) WHERE n.kind = $kind AND n.grp IS NOT NULL AND n.mark IS NOT NULL AND n.place IS NOT NULL"
    " WITH n.grp AS grp, count(*) AS size RETURN collect([grp, size])"
)
SIZES = (
    "CALL () { MATCH (n:Node) RETURN count(n) AS nodes } CALL () { MATCH (:Node)-[e]->() RETURN count(e) AS edges }"
    " RETURN nodes, edges"
)
ALL_NODES = "MATCH (n:Node) WHERE n.key > $after WITH n ORDER BY n.key LIMIT 2000 RETURN max(n.key), collect(properties(n))"
ALL_EDGES = (
    "MATCH (n:Node) WHERE n.key > $after WITH n ORDER BY n.key LIMIT 2000 OPTIONAL MATCH (n)-[e]->(o:Node)"
    " RETURN max(n.key), collect(CASE WHEN e IS NULL THEN null ELSE [n.key, type(e), o.key, properties(e)] END)"
)
SEARCH = (
    "CALL db.index.fulltext.queryNodes('headwater_words', $query) YIELD node AS n, score"
    " WHERE n.kind IN $kinds AND n.mark <> 'h' WITH n LIMIT $limit RETURN collect(properties(n))"
)


@lru_cache
def page(*, group: bool, bounded: bool, reverse: bool) -> str:
    """One index seek per mark; the index gives the order, so each stops after `limit`."""
    names = ["kind", "grp", "mark", "place"] if group else ["kind", "mark", "place"]
    order = ", ".join(f"n.{name} DESC" if reverse else f"n.{name}" for name in names)
    return (
        f"UNWIND $marks AS mark CALL (mark) {{ MATCH (n:Node) USING INDEX SEEK n:Node({', '.join(names)}) WHERE n.kind = $kind"
        f"{' AND n.grp = $group' if group else ''} AND n.mark = mark AND n.place > $after"
        f"{' AND n.place < $before' if bounded else ''} RETURN n ORDER BY {order} LIMIT $limit }}"
        " RETURN collect(properties(n))"
    )


@lru_cache
def pages(*, reverse: bool) -> str:
    """As `page`, from the beginning or the end, of each of `$groups`."""
    order = ", ".join(
        f"n.{name} DESC" if reverse else f"n.{name}" for name in ("kind", "grp", "mark", "place")
    )
    return (
        "UNWIND $groups AS grp UNWIND $marks AS mark CALL (grp, mark) {"
        " MATCH (n:Node) USING INDEX SEEK n:Node(kind, grp, mark, place)"
        " WHERE n.kind = $kind AND n.grp = grp AND n.mark = mark AND n.place > ''"
        f" RETURN n ORDER BY {order} LIMIT $limit }} RETURN collect(properties(n))"
    )


@lru_cache(maxsize=64)
def rows(names: tuple[str, ...]) -> str:
    said = ", ".join(f"n.{name}" for name in names)
    return (
        "UNWIND $groups AS grp CALL (grp) {"
        " MATCH (n:Node) USING INDEX SEEK n:Node(kind, grp, mark, place)"
        " WHERE n.kind = $kind AND n.grp = grp AND n.mark = $mark AND n.place > ''"
        " WITH n ORDER BY n.kind, n.grp, n.mark, n.place LIMIT $limit"
        f" RETURN collect([{said}]) AS found }}"
        " RETURN collect(grp), collect(found)"
    )


_HELD = "({0}.since IS NULL OR {0}.since <= $at) AND ({0}.until IS NULL OR {0}.until > $at)"


@lru_cache(maxsize=256)
def expand(kinds: tuple[EdgeKind, ...], direction: Direction, *, at: bool, limited: bool) -> str:
    arrow = _arrow("e:" + "|".join(kinds), direction)
    source, target = ("n", "o") if direction is Direction.DOWNSTREAM else ("o", "n")
    return (
        # Without the hint and with a label on `o` the planner may, by statistics that lag behind, read every node.
        f"MATCH (n:Node){arrow}(o) USING INDEX SEEK n:Node(key) WHERE n.key IN $keys{' AND ' + _HELD.format('e') if at else ''}"
        f" WITH {source}.key AS source, type(e) AS kind, {target}.key AS target, e"
        f"{' ORDER BY source, kind, target, e.tag LIMIT $limit' if limited else ''}"
        " RETURN collect(source), collect(kind), collect(target), collect(properties(e))"
    )


DEPTHS = (2, 4, 8, 16, 32, 64)
"""Bounds cannot be parameters: the next of these is planned, `$max` says the rest."""


@lru_cache(maxsize=256)
def reach(
    kinds: tuple[EdgeKind, ...], direction: Direction, *, at: bool, depth: int | None, one: bool
) -> str:
    """`min(length(p))` and `all(x IN r …)` keep VarLengthExpand(Pruning,BFS): any other use of `r` loses it."""
    arrow = _arrow(f"r:{'|'.join(kinds)}*1..{depth or ''}", direction)
    start = "MATCH p = (s:Node {key: $key})" if one else "UNWIND $keys AS key MATCH p = (s:Node {key: key})"
    held = f" WHERE all(x IN r WHERE {_HELD.format('x')})" if at else ""
    return (
        f"{start}{arrow}(t:Node){held} WITH t, min(length(p)) AS d WHERE d <= $max"
        " WITH t, d ORDER BY d LIMIT $limit RETURN collect(t.key), collect(d)"
    )


def depth_bound(max_depth: int) -> int | None:
    return next((depth for depth in DEPTHS if depth >= max_depth), None)


def _arrow(inside: str, direction: Direction) -> str:
    return f"-[{inside}]->" if direction is Direction.DOWNSTREAM else f"<-[{inside}]-"


def kinds_in_order(kinds: Iterable[EdgeKind]) -> tuple[EdgeKind, ...]:
    """The same kinds make the same text."""
    return tuple(sorted(set(kinds)))
