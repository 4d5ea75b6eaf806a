"""Every part of one Headwater, opened together and closed together: what an app and a command in process share."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from headwater_server.artifacts.blobs import Blobs
from headwater_server.artifacts.catalogue import Catalogue
from headwater_server.artifacts.folder import FolderBlobs
from headwater_server.audit import records as audit_records
from headwater_server.audit.service import Audit
from headwater_server.auth.tokens import Tokens
from headwater_server.commit import access
from headwater_server.commit.committer import Committer
from headwater_server.commit.deadletters import DeadLetterOffice
from headwater_server.commit.news import News
from headwater_server.commit.projection import Projection, rebuild
from headwater_server.curation import records as curation_records
from headwater_server.curation.service import Curation
from headwater_server.errors import Conflict, HeadwaterError, Unavailable
from headwater_server.export.events import events_behind
from headwater_server.graph.changes import Changeset
from headwater_server.graph.facts import Facts
from headwater_server.ingest.receive import KIND, translate_record
from headwater_server.lineage import resolve
from headwater_server.log.deadletters import DeadLetters
from headwater_server.log.sqlite import SqliteLogReader, SqliteRecordLog, copy_database
from headwater_server.project.fingerprint import fingerprint
from headwater_server.project.projector import Translate
from headwater_server.project.reading import FacetView, facets, run_records, script_of, updated
from headwater_server.redaction.redactor import Redactor
from headwater_server.registry import records as registry_records
from headwater_server.registry.notices import TOLD, notices
from headwater_server.registry.service import Registry
from headwater_server.series.sqlite import SqliteSeries
from headwater_server.settings import Settings
from headwater_server.store.port import Applied, GraphStore
from headwater_server.store.sqlite import SqliteStore
from headwater_server.traces.sqlite import SqliteTraces
from headwater_server.tracking import records as tracking_records
from headwater_server.tracking.files import Files
from headwater_server.tracking.service import Tracking
from headwater_server.webhooks import records as webhook_records
from headwater_server.webhooks.egress import Egress
from headwater_server.webhooks.service import Webhooks

TRANSLATORS: dict[str, Translate] = {
    KIND: translate_record,
    **audit_records.TRANSLATORS,
    **registry_records.TRANSLATORS,
    **curation_records.TRANSLATORS,
    **access.TRANSLATORS,
    **tracking_records.TRANSLATORS,
    **webhook_records.TRANSLATORS,
}
"""What turns each kind of record into facts."""


def micros() -> int:
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Migrated:
    """A graph made in another store."""

    records: int
    hash: str
    dead_letters: int
    source_hash: str | None = None
    why_not_compared: str = ""

    @property
    def equal(self) -> bool | None:
        """None: the source could not be compared."""
        return None if self.source_hash is None else self.source_hash == self.hash


class Parts:
    """Opens the log and the graph of a data folder; alone, by a lock on it.

    Raises:
        Conflict: another process works on the folder, or the graph is another log's.
        Unavailable: the disk or Neo4j does not answer.

    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.data.mkdir(parents=True, exist_ok=True)
        self._closed = False
        self.retiring = False
        with ExitStack() as held:
            held.enter_context(_lock(settings.data))
            self.log = held.enter_context(closing(SqliteRecordLog(settings.data / "log.db")))
            self.store = held.enter_context(closing(open_store(settings)))
            self.letters = held.enter_context(
                closing(DeadLetters(settings.data / "dead-letters.db", graph=self.store.backend))
            )
            self.series = held.enter_context(closing(SqliteSeries(settings.data / "series.db")))
            self.traces = held.enter_context(closing(SqliteTraces(settings.data / "traces.db")))
            self.artifacts = held.enter_context(
                closing(Catalogue(settings.data / "artifacts.db", open_blobs(settings)))
            )
            self.tokens = held.enter_context(closing(Tokens(settings.data)))
            self.projection = Projection(self.log, self.store, TRANSLATORS, self.letters)
            self.committer = Committer(
                self.log,
                self.projection,
                backend=self.store.backend,
                redactor=Redactor(
                    variables=settings.env_kept, strip_literals=settings.sql_literals == "strip"
                ),
            )
            self.audit = Audit(
                settings.data, self.log, self.committer, elsewhere=settings.checkpoints, now=micros
            )
            self._held = held.pop_all()
        self.registry = self.registry_at(micros)
        self.office = DeadLetterOffice(self.committer, self.letters, self.log, now=micros)
        self.tracking = Tracking(
            self.committer,
            self.store,
            self.series,
            self.traces,
            self.artifacts,
            resolve=self.resolve,
            now=micros,
        )
        self.news = News()
        self.projection.tell(shown=self._shown, emptied=self._forget)
        self.files = Files(self.artifacts, self.tracking.runs, self.tracking.models)
        self.curation = Curation(self.committer, self.store, resolve=self.resolve, now=micros)
        self.webhooks = Webhooks(
            settings.data,
            self.committer,
            self.log,
            self.news,
            kinds=TOLD,
            told=lambda record: notices(record, self.registry.is_prompt),
            egress=Egress(settings.webhook_hosts),
            now=micros,
        )

    def registry_at(self, now: Callable[[], int]) -> Registry:
        return Registry(self.committer, self.log, self.store, resolve=self.resolve, now=now)

    def _shown(self, told: Mapping[str, Facts], changes: Changeset) -> None:
        self.tracking.shown(told)
        self.registry.shown(told)
        self.news.tell(told, changes)

    def _forget(self) -> None:
        self.tracking.forget()
        self.registry.forget()

    def resolve(self, ref: str) -> Any:
        return resolve(ref, self.store)

    def start(self) -> None:
        self.committer.start()
        self.audit.start()
        self.record_access()

    def record_access(self) -> None:
        """Write down in the log what became of tokens since it was told last."""
        access.record_acts(self.tokens, self.committer)

    def retire(self) -> None:
        """Not ready from now on; what still comes is taken until `close`."""
        self.retiring = True
        self.news.close()

    def facets(self, key: str) -> list[FacetView]:
        return facets(key, store=self.store, log=self.log)

    def updated(self, key: str) -> int:
        return updated(key, self.store) or 0

    def run_records(self, keys: list[str]) -> dict[str, tuple[int, int]]:
        return run_records(keys, self.store)

    def script_of(self, run: str) -> str | None:
        return script_of(run, self.store)

    def export(self, ref: str) -> Iterator[bytes]:
        """Raises NotFound before the first line."""
        return events_behind(self.resolve(ref).key, store=self.store, log=self.log)

    def fingerprint(self) -> str:
        return fingerprint(self.store)

    def rebuild(self, progress: Callable[[int, int], None]) -> int:
        self.projection.reset()
        head = self.log.head()
        return rebuild(self.projection, head, progress=lambda done: progress(done, head))

    def migrate(self, source: Settings, progress: Callable[[int, int], None]) -> "Migrated":
        """Bring this graph up to the log from where it stands, and compare it with the source's.

        Raises:
            Conflict: there is another log's graph already.
            Unavailable: the store stopped taking records; call again to go on.

        """
        self.projection.recognise()
        head = self.log.head()
        rebuild(self.projection, head, progress=lambda done: progress(done, head))
        found = Migrated(head, self.fingerprint(), len(self.letters))
        if not source.neo4j_uri and not (source.data / "graph.db").exists():
            return replace(found, why_not_compared="there is no embedded graph in the folder")
        try:
            store = open_store(source)
            try:
                held = store.applied()
                if held != Applied(head, self.log.edition):
                    return replace(found, why_not_compared=f"the source shows {held.seq} of {head} records")
                return replace(found, source_hash=fingerprint(store))
            finally:
                store.close()
        except Unavailable as error:
            return replace(found, why_not_compared=f"the source does not answer ({error})")

    def ready(self) -> dict[str, Any]:
        """As /readyz says it."""
        low = self._disk_is_low()
        said: dict[str, Any] = {
            "ready": self.committer.alive and not self.retiring and not low,
            "instance": self.log.instance,
            "headSeq": self.log.head(),
            "appliedSeq": self.committer.applied,
            "deadLetters": len(self.letters),
        }
        if self.committer.unavailable:
            said["graph"] = self.committer.unavailable
        if low:
            said["disk"] = low
        if self.retiring:
            said["stopping"] = True
        try:
            self.log.check()
        except Unavailable as error:
            said |= {"ready": False, "log": str(error)}
        return said

    def _disk_is_low(self) -> str:
        """Why; empty: it is not."""
        disk = shutil.disk_usage(self.settings.data)
        percent = self.settings.min_free_disk
        if disk.free * 100 >= disk.total * percent:
            return ""
        return f"less than {percent} % of the disk of {self.settings.data} is free: make room"

    def gauges(self) -> dict[str, float]:
        return {
            "headwater_log_head": self.log.head(),
            "headwater_graph_applied": self.committer.applied,
            "headwater_queue_records": self.committer.queued,
            "headwater_queue_bytes": self.committer.queued_bytes,
            "headwater_dead_letters": len(self.letters),
            "headwater_listeners": self.news.listeners,
            "headwater_checkpoint_records": self.audit.noted,
            "headwater_disk_free_bytes": shutil.disk_usage(self.settings.data).free,
        }

    def close(self) -> None:
        """Finish what is queued, then let go. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self.webhooks.stop()
        self.committer.stop()
        self.audit.stop()
        self._held.close()


def open_log(data: Path) -> SqliteLogReader:
    """To read only, also while a server works on the folder.

    Raises:
        NotFound: there is no log.
        Invalid: it is of another version.
        Unavailable: it cannot be read.

    """
    return SqliteLogReader(data / "log.db")


def copy_open_database(source: Path, target: Path) -> None:
    """As of one moment, while a server writes it. Raises Unavailable."""
    copy_database(source, target)


def open_store(settings: Settings) -> GraphStore:
    if not settings.neo4j_uri:
        return SqliteStore(settings.data / "graph.db")
    try:
        from headwater_server.store.neo4j import Neo4jStore
    except ModuleNotFoundError:
        raise HeadwaterError(
            "The Neo4j driver is not installed. Try: pip install 'headwater[server,neo4j]'"
        ) from None
    return Neo4jStore(
        settings.neo4j_uri, settings.neo4j_username, settings.neo4j_password, settings.neo4j_database
    )


def open_blobs(settings: Settings) -> Blobs:
    if not settings.artifacts:
        return FolderBlobs(settings.data / "artifacts")
    try:
        from headwater_server.artifacts.objects import ObjectBlobs
    except ModuleNotFoundError:
        raise HeadwaterError(
            "The client of object stores is not installed. Try: pip install 'headwater[objects]'"
        ) from None
    return ObjectBlobs(settings.artifacts)


def _lock(data: Path) -> IO[str]:
    """Held as long as the file is open; gone with the process, however it ends."""
    held = (data / "lock").open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise Conflict(
            f"another Headwater works on {data}. Ask it (leave --data out; HEADWATER_URL names it), or stop it first."
        ) from None
    return held
