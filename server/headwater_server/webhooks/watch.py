"""Looks once, for all webhooks, at what is new in the log, and says which events there were: who did not ask sleeps on."""

import logging
import threading
from collections.abc import Callable, Iterable

from headwater_server.commit.news import News, Told
from headwater_server.errors import HeadwaterError
from headwater_server.graph import keys
from headwater_server.graph.words import Kind
from headwater_server.log.port import Record
from headwater_server.webhooks.courier import BLOCK, DISTURBED, Source

logger = logging.getLogger("headwater")

_MODELS = keys.key(Kind.MODEL, "")


def _models(told: Told) -> Iterable[str]:
    """Whatever a record of the registry says, it says of a model too."""
    return (key for key in told.entities if key.startswith(_MODELS))


class Watch:
    """In a thread of its own, which costs the writer nothing but a look at the names of what changed."""

    def __init__(self, source: Source, news: News, *, say: Callable[[set[str]], None]) -> None:
        self._source = source
        self._news = news
        self._say = say
        self._bell = threading.Event()
        self._ended = False
        self._reached = 0
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """What is in the log by now is for others to look at."""
        self._reached = self._source.log.head()
        self._thread.start()

    def end(self) -> None:
        self._ended = True
        self._bell.set()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        with self._news.listen(_models, self._bell.set) as mailbox:
            while not (self._ended or mailbox.closed):
                pause = self._look()
                self._bell.wait(pause)
                self._bell.clear()
                mailbox.take()

    def _new(self) -> list[Record]:
        return self._source.log.read(self._reached, limit=BLOCK, kinds=self._source.kinds)

    def _look(self) -> float | None:
        """Seconds until another look; None: until something changes."""
        source = self._source
        try:
            while not self._ended and (records := self._new()):
                if not source.settle():
                    return DISTURBED
                told = (one for record in records for one in source.told(record))
                self._say({f"{entity}.{action}" for entity, action, _ in told})
                self._reached = records[-1].seq
        except HeadwaterError:
            return DISTURBED
        except Exception:  # a bug of ours must not end it
            logger.exception("what is new could not be looked at for webhooks")
            return DISTURBED
        return None
