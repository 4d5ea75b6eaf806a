"""GraphQL's engine, made when it is first needed: its types cost as much to import as the rest of the server."""

import threading

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.operation import Answer, Query, Runs


class LateEngine:
    """Made once, by whoever needs it first; the others wait meanwhile. Safe in threads."""

    def __init__(self) -> None:
        self._made: Runs | None = None
        self._lock = threading.Lock()

    def run(self, query: Query, context: Context) -> Answer:
        return self.made().run(query, context)

    def made(self) -> Runs:
        with self._lock:
            if self._made is None:
                # a second of CPU: events are taken and /readyz answers before it
                from headwater_server.api.graphql.execution import Engine
                from headwater_server.api.graphql.schema import schema

                self._made = Engine(schema)
            return self._made
