"""The record log in one SQLite file."""

from headwater_server.log.sqlite.copying import copy_database
from headwater_server.log.sqlite.log import SqliteRecordLog
from headwater_server.log.sqlite.reading import SqliteLogReader

__all__ = ["SqliteLogReader", "SqliteRecordLog", "copy_database"]
