"""Webhooks: made, changed, deleted, tested; told of what the registry's records say, as long as a server runs."""

import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from headwater_server.commit.committer import Committer
from headwater_server.commit.news import News
from headwater_server.commit.redacting import redacted
from headwater_server.errors import Invalid
from headwater_server.log.port import RecordReader
from headwater_server.webhooks import events, records
from headwater_server.webhooks.book import Book, Delivery, Webhook
from headwater_server.webhooks.courier import Courier, Patience, Source, Told
from headwater_server.webhooks.egress import Answer, Egress
from headwater_server.webhooks.message import body_of, headers_of
from headwater_server.webhooks.watch import Watch

MOST = 100
"""Webhooks of a data folder: each has a thread."""
MAX_DESCRIPTION, MAX_SECRET = 1_000, 1_000
FAREWELL = 1.0
"""Seconds that a stop waits for what is under way."""
_SETTLE = 10.0
_NAME = re.compile(r"(?=.{1,63}$)[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What may be said of a webhook; None: it stays as it is, or as it is by default."""

    name: str | None = None
    url: str | None = None
    events: Sequence[str] | None = None
    description: str | None = None
    secret: str | None = None
    """Empty: none."""
    active: bool | None = None


class Webhooks:
    """What is changed is durable on return. Before `start` nobody is told anything; it is told later."""

    def __init__(
        self,
        folder: Path,
        committer: Committer,
        log: RecordReader,
        news: News,
        *,
        kinds: Sequence[str],
        told: Told,
        egress: Egress,
        now: Callable[[], int],
        patience: Patience | None = None,
    ) -> None:
        self._book = Book(folder)
        self._committer = committer
        self._source = Source(log, kinds, told, lambda: committer.settle(patience=_SETTLE))
        self._news = news
        self._egress = egress
        self._now = now
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._couriers: dict[str, tuple[Sequence[str], Courier]] = {}
        """With the events that each asked for."""
        self._running = False
        self._watch: Watch | None = None

    # -- reads ------------------------------------------------------------------------------------

    def all(self) -> list[Webhook]:
        """Newest first."""
        return self._book.all()

    def get(self, id_: str) -> Webhook:
        """Raises NotFound."""
        return self._book.get(id_)

    def deliveries(self, id_: str, *, before: tuple[int, int] | None, limit: int) -> list[Delivery]:
        """What became of its events, newest first, before (record, event of the record). Raises NotFound."""
        return self._book.deliveries(id_, before=before, limit=limit)

    # -- writes -----------------------------------------------------------------------------------

    def create(self, said: Said, *, actor: str) -> Webhook:
        """It is told of what is recorded from now on.

        Raises:
            Invalid: a field, an address that is not to be reached, or there are too many.

        """
        self._check(said)
        if said.name is None or said.url is None or not said.events:
            raise Invalid("A webhook has a name, a URL and at least one event.")
        at = self._now()
        with self._lock:
            if len(self._book.all()) >= MOST:
                raise Invalid(f"There are {MOST} webhooks already, which is the most. Delete one first.")
            one = Webhook(
                str(uuid.uuid4()),
                said.name,
                said.url,
                events.checked(said.events),
                said.description or "",
                said.active is not False,
                said.secret or "",
                at,
                at,
                0,
            )
            one = replace(one, seq=self._record(records.CREATE, one, at, actor) + 1)
            self._book.put(one)
            if self._running:
                self._employ(one)
        return one

    def update(self, id_: str, said: Said, *, actor: str) -> Webhook:
        """One that is made active again is told of what is recorded from now on. What waits for another try is tried at
        once.

        Raises:
            NotFound: there is none.
            Invalid: as `create`.

        """
        self._check(said)
        with self._lock:
            was = self._book.get(id_)
            one = replace(
                was,
                name=said.name or was.name,
                url=said.url or was.url,
                events=events.checked(said.events) if said.events else was.events,
                description=was.description if said.description is None else said.description,
                secret=was.secret if said.secret is None else said.secret,
                active=was.active if said.active is None else said.active,
                updated=self._now(),
            )
            seq = self._record(records.UPDATE, one, one.updated, actor)
            if one.active and not was.active:
                self._book.move(id_, seq + 1, 0)
            _, courier = self._couriers.get(id_, ((), None))
            if courier is not None:
                courier.keep()  # what it passed over is not told when it is asked for now
                self._couriers[id_] = one.events, courier
            self._book.put(one)
            if courier is not None:
                courier.ring(at_once=True)
        return one

    def delete(self, id_: str, *, actor: str) -> None:
        """With its secret, and what it was to be told.

        Raises:
            NotFound: there is none.

        """
        with self._lock:
            one = self._book.get(id_)
            self._record(records.DELETE, one, self._now(), actor)
            self._book.delete(id_)
            _, courier = self._couriers.pop(id_, ((), None))
            if courier is not None:
                courier.end()

    def test(self, id_: str, event: str | None = None) -> Answer:
        """Send an example of an event, the first that it asked for unless told, once.

        Raises:
            NotFound: there is none.
            Invalid: there is no such event.

        """
        one = self._book.get(id_)
        (name,) = events.checked([event or one.events[0]])
        body = body_of(name, events.EXAMPLES[name], self._now())
        headers = headers_of(body, str(uuid.uuid4()), int(time.time()), one.secret)
        return self._egress.post(one.url, body, headers)

    # -- beside -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Tell from now on, what was not told before first."""
        with self._lock:
            self._running = True
            self._book.keep_to(self._source.log.head())
            for one in self._book.all():
                self._employ(one)

    def stop(self) -> None:
        """Idempotent. What was not told is told after the next start."""
        with self._lock:
            self._running = False
            couriers, self._couriers = [courier for _, courier in self._couriers.values()], {}
            watch, self._watch = self._watch, None
        threads: list[Watch | Courier] = [*couriers, *([watch] if watch else [])]
        for one in threads:
            one.end()
        until = time.monotonic() + FAREWELL
        for one in threads:
            one.join(max(0.0, until - time.monotonic()))
        self._book.close()

    def _employ(self, one: Webhook) -> None:
        if self._watch is None:
            self._watch = Watch(self._source, self._news, say=self._ring)
            self._watch.start()
        courier = Courier(
            one.id, book=self._book, source=self._source, post=self._egress.post, patience=self._patience
        )
        self._couriers[one.id] = one.events, courier
        courier.start()

    def _ring(self, told: set[str]) -> None:
        for asked, courier in tuple(self._couriers.values()):
            if not told.isdisjoint(asked):
                courier.ring()

    def _record(self, kind: str, one: Webhook, at: int, actor: str) -> int:
        """Its number. Neither the secret nor the path of the URL, which may be one, is written down."""
        parts = urlsplit(one.url)
        body: dict[str, Any] = {
            "webhook": one.id,
            "name": one.name,
            "host": f"{parts.scheme}://{parts.netloc}",
            "events": list(one.events),
            "active": one.active,
            "signed": bool(one.secret),
            "at": at,
            "by": actor,
        }
        draft = redacted(records.draft(kind, body), self._committer.redactor)
        (receipt,) = self._committer.submit([draft], [orjson.loads(draft.body)]).logged.result()
        return receipt.seq

    def _check(self, said: Said) -> None:
        if said.name and not _NAME.fullmatch(said.name):
            raise Invalid(
                f"Webhook name {said.name[:100]!r} is invalid. It must start and end with a letter or digit, have at "
                "most 63 characters, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
            )
        if said.events is not None:
            events.checked(said.events)
        for text, most, what in (
            (said.description, MAX_DESCRIPTION, "description"),
            (said.secret, MAX_SECRET, "secret"),
        ):
            if text is not None and len(text) > most:
                raise Invalid(f"A webhook's {what} has at most {most} characters, this one {len(text)}.")
        if said.url:
            self._egress.check(said.url)
