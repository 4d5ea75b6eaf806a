"""A log with a few hundred records of every kind, and a Headwater on it."""

from tests.app import embedded, headwater, neo4j_server, on_neo4j

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]
