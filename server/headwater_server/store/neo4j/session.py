"""One driver, its sessions, and its errors told as ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import neo4j
from neo4j import exceptions

from headwater_server.errors import Unavailable

T = TypeVar("T")

_AGAIN = (exceptions.TransientError, exceptions.ServiceUnavailable, exceptions.SessionExpired)


class Sessions:
    """Opens a session per question. `uri` is shown in errors, the password never."""

    def __init__(self, uri: str, user: str, password: str, database: str) -> None:
        self._uri = uri
        self._database = database
        with self._answering():
            self._driver = neo4j.GraphDatabase.driver(
                uri,
                auth=(user, password),
                max_connection_pool_size=50,
                connection_acquisition_timeout=30,
                connection_timeout=10,
                max_transaction_retry_time=15,
                initial_retry_delay=0.05,
                liveness_check_timeout=30,
                notifications_min_severity="OFF",
                user_agent="headwater",
            )

    def run(self, statement: str, **values: Any) -> None:
        """In a transaction that the server opens itself: for schema and `IN TRANSACTIONS`."""
        with self._session() as session:
            session.run(statement, values).consume()

    def read_one(self, statement: str, **values: Any) -> list[Any]:
        """The values of the only record: large answers are lists in it, not records.

        Asked in one round trip; when that fails for a passing reason, asked again with the driver's patience.
        """
        with self._session(neo4j.READ_ACCESS) as session:
            try:
                return _only(session.run(statement, values))
            except _AGAIN:
                return session.execute_read(lambda tx: _only(tx.run(statement, values)))

    def write_one(self, statement: str, **values: Any) -> list[Any]:
        return self.write(lambda tx: _only(tx.run(statement, values)))

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """In one transaction, again when it failed for a passing reason; an error undoes it."""
        with self._session() as session:
            return session.execute_write(work)

    def rehearse(self, statement: str, **values: Any) -> None:
        """Have it planned and run once, and undo it."""
        with self._session() as session, session.begin_transaction() as tx:
            tx.run(statement, values).consume()
            tx.rollback()

    def close(self) -> None:
        self._driver.close()

    @contextmanager
    def _session(self, access: str = neo4j.WRITE_ACCESS) -> Iterator[neo4j.Session]:
        with (
            self._answering(),
            self._driver.session(
                database=self._database,
                default_access_mode=access,
                # What a thread has written, every other reads, in a cluster too.
                bookmark_manager=self._driver.execute_query_bookmark_manager,
            ) as session,
        ):
            yield session

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except exceptions.AuthError as error:
            raise Unavailable(
                f"Neo4j at {self._uri} refuses the user or password: check the settings ({error.message})"
            ) from error
        except (exceptions.ServiceUnavailable, exceptions.SessionExpired) as error:
            raise Unavailable(
                f"Neo4j at {self._uri} does not answer: check that it runs and can be reached, "
                f"then try again ({error})"
            ) from error
        except exceptions.ConfigurationError as error:
            raise Unavailable(f"Neo4j cannot be reached by {self._uri!r}: {error}") from error
        except (exceptions.Neo4jError, exceptions.DriverError) as error:
            raise Unavailable(f"Neo4j at {self._uri} could not do it: {error}") from error


def is_away(error: BaseException) -> bool:
    """Whether an error says that nobody answers at the address (rather than what the server refused)."""
    return isinstance(error.__cause__, exceptions.ServiceUnavailable | exceptions.SessionExpired)


def is_refusal(error: BaseException) -> bool:
    """Whether the server answered that it cannot take these rows: a value too large for an index, say."""
    cause = error.__cause__
    code = (cause.code or "") if isinstance(cause, exceptions.Neo4jError) else ""
    return code.startswith(("Neo.ClientError.", "Neo.DatabaseError.")) and code.split(".")[2] in {
        "Schema",
        "Statement",
    }


def _only(result: neo4j.Result) -> list[Any]:
    return result.single(strict=True).values()
