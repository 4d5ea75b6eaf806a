"""The graph in one SQLite file."""

from headwater_server.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
