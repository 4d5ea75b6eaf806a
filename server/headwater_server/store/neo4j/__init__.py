"""The graph in Neo4j."""

from headwater_server.store.neo4j.store import Neo4jStore

__all__ = ["Neo4jStore"]
