"""The record log in one SQLite file."""

from headwater_server.log.sqlite.log import SqliteRecordLog

__all__ = ["SqliteRecordLog"]
