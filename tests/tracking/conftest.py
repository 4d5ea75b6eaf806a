"""A Headwater to track with, on each store."""

from tests.app import embedded, headwater, neo4j_server, on_neo4j

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]
