"""Constraints and indexes: one label `:Node` with one unique key, and the order that pages are read in."""

from headwater_server.errors import Unavailable
from headwater_server.store.neo4j import statements
from headwater_server.store.neo4j.session import Sessions

VERSION = 1

CREATE: tuple[str, ...] = (
    "CREATE CONSTRAINT headwater_node IF NOT EXISTS FOR (n:Node) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT headwater_state IF NOT EXISTS FOR (s:State) REQUIRE s.key IS UNIQUE",
    "CREATE CONSTRAINT headwater_mark IF NOT EXISTS FOR (m:Mark) REQUIRE m.key IS UNIQUE",
    "CREATE INDEX headwater_page IF NOT EXISTS FOR (n:Node) ON (n.kind, n.mark, n.place)",
    "CREATE INDEX headwater_group IF NOT EXISTS FOR (n:Node) ON (n.kind, n.grp, n.mark, n.place)",
    # `whitespace` takes words as they are: `graph.names.words` has done the rest.
    (
        "CREATE FULLTEXT INDEX headwater_words IF NOT EXISTS FOR (n:Node) ON EACH [n.words]"
        " OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace'}}"
    ),
    "CALL db.awaitIndexes(600)",
)


def bring_up(sessions: Sessions) -> None:
    """Make what is missing.

    Raises:
        Unavailable: the graph is of a newer version.

    """
    for statement in CREATE:
        sessions.run(statement)
    [version] = sessions.write_one(statements.SCHEMA_VERSION, version=VERSION)
    if version > VERSION:
        raise Unavailable(
            f"the graph in Neo4j was written by a newer Headwater (schema {version}, this one knows "
            f"{VERSION}): upgrade Headwater, or give it another database and replay the log"
        )
