"""Records become changes of the graph: facts joined into states, states derived, differences applied. One thread."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.facts import Facts, News
from headwater_server.graph.words import Kind
from headwater_server.log.port import Record
from headwater_server.openlineage.statement import Statement
from headwater_server.project.batch import NOTHING, Batch, Picture
from headwater_server.project.current import JobView, Speaker, derive_current
from headwater_server.project.derive import clocks_matter, derive, derive_job
from headwater_server.project.flow import Step, steps_of
from headwater_server.project.history import derive_run_in_time, place_of
from headwater_server.project.lru import Lru
from headwater_server.project.manual import derive_manual
from headwater_server.project.stored import StoredTimeline
from headwater_server.project.timeline import Place, Turn, retime
from headwater_server.project.view import Changed, next_view, read_view
from headwater_server.store.port import Applied, GraphStore

Translate: TypeAlias = Callable[[Any, int], Mapping[str, Facts]]
"""(parsed body, seq) -> facts by key. Pure."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record with its body read."""

    seq: int
    kind: str
    body: Any

    @classmethod
    def of(cls, record: Record) -> "Parsed":
        return cls(record.seq, record.kind, orjson.loads(record.body))


STRAIGHT = Turn(turns=False)
NO_RUNS = JobView()


@dataclass(slots=True)
class Entry:
    """What is known of one entity: its facts and what they were derived to."""

    facts: Facts
    picture: Picture = NOTHING
    steps: tuple[Step, ...] = ()
    place: Place | None = None
    turn: Turn = STRAIGHT


@dataclass(slots=True)
class JobEntry:
    """A job's present: which runs make it up and what they were derived to."""

    view: JobView = NO_RUNS
    picture: Picture = NOTHING
    said: tuple[object, ...] = ()
    """What the picture depends on: equal, then the picture is too."""


@dataclass(slots=True)
class _Work:
    """Everything a batch touches; it becomes the cache when the store has taken it."""

    batch: Batch
    entries: dict[str, Entry] = field(default_factory=dict)
    jobs: dict[str, JobEntry] = field(default_factory=dict)


class Projector:
    """Brings the graph up to the log. Its caches hold only what can be read again from the store."""

    def __init__(self, store: GraphStore, translators: Mapping[str, Translate], *, log: str) -> None:
        self._store = store
        self._translators = translators
        self._log = log
        self.forget()

    def forget(self) -> None:
        """Drop all caches: the next batch reads the store."""
        self._entries: Lru[Entry] = Lru(50_000)
        self._jobs: Lru[JobEntry] = Lru(20_000)
        self._statements: Lru[Statement] = Lru(20_000)
        self._flows: Lru[tuple[Step, ...]] = Lru(20_000)
        self._known: Lru[None] = Lru(200_000)

    def project(self, records: Sequence[Parsed]) -> None:
        """Apply these records, in one transaction, with the last one's number.

        Raises:
            Unavailable: the store did not take them; nothing of it is in the graph or the caches.

        """
        work = _Work(Batch(self._known))
        deltas = self._facts(records)
        self._load(work, deltas)
        touched = self._join(work, deltas)
        runs: dict[str, dict[str, tuple[Entry | None, Entry]]] = {}
        spoken: set[str] = set()
        for key, (old, new) in touched.items():
            kind = keys.kind_of(key)
            if kind is Kind.RUN:
                runs.setdefault(keys.job_of(key), {})[key] = old, new
                continue
            if kind is Kind.JOB and (old is None or _declared(old) != _declared(new)):
                spoken.add(key)
            new.picture = self._derive(work, key, new)
            work.batch.move(old.picture if old else NOTHING, new.picture)
        for job in runs.keys() | spoken:
            self._job(work, job, runs.get(job, {}))
        for key, (_, new) in touched.items():
            work.batch.states[key] = new.facts.dump()
        upto = Applied(records[-1].seq, self._log)
        self._store.apply(work.batch.changes(), upto=upto)
        for key, entry in work.entries.items():
            self._entries.put(key, entry)
        for job, job_entry in work.jobs.items():
            self._jobs.put(job, job_entry)
        for key in work.batch.shared():
            self._known.put(key, None)
        for key in work.batch.pruned():
            self._known.drop(key)

    def _facts(self, records: Iterable[Parsed]) -> dict[str, Facts]:
        deltas: dict[str, Facts] = {}
        for record in records:
            for key, facts in self._translators[record.kind](record.body, record.seq).items():
                if key in deltas:
                    deltas[key].join(facts)
                else:
                    deltas[key] = facts
        return deltas

    def _load(self, work: _Work, wanted: Iterable[str]) -> None:
        """Entries of these entities, from the cache or the store; those that do not exist are left out."""
        missing = []
        for key in wanted:
            if key in work.entries:
                continue
            entry = self._entries.get(key)
            if entry is not None:
                work.entries[key] = entry
            else:
                missing.append(key)
        if not missing:
            return
        states = self._store.states(missing)
        run_keys = [k for k in states if k.startswith("run|")]
        nodes = self._store.get(run_keys) if run_keys else {}
        for key, raw in states.items():
            entry = Entry(Facts.load(raw))
            work.entries[key] = entry
            if key in nodes:
                self._restore_run(work, key, entry, nodes[key])
            else:
                entry.picture = self._derive(work, key, entry)

    def _restore_run(self, work: _Work, key: str, entry: Entry, node: Node) -> None:
        entry.steps = self._run_steps(work, key, entry.facts)
        entry.place = place_of(key, entry.facts, entry.steps)
        until = node.props.get("until")
        if node.mark == "T":
            entry.turn = Turn(turns=True, until=until if isinstance(until, int) else None)
        entry.picture = Picture.of(derive_run_in_time(key, entry.facts, entry.steps, entry.turn))

    def _join(self, work: _Work, deltas: Mapping[str, Facts]) -> dict[str, tuple[Entry | None, Entry]]:
        touched: dict[str, tuple[Entry | None, Entry]] = {}
        for key, delta in deltas.items():
            old = work.entries.get(key)
            if old is None:
                touched[key] = None, Entry(delta)
            else:
                facts = old.facts.copy()
                news = facts.join(delta)
                if news is News.NOTHING:
                    continue
                new = Entry(facts, old.picture, old.steps, old.place, old.turn)
                if news is News.CLOCKS and not clocks_matter(key, facts):
                    work.entries[key] = new
                    work.batch.states[key] = facts.dump()
                    continue
                touched[key] = old, new
            work.entries[key] = touched[key][1]
        return touched

    def _derive(self, work: _Work, key: str, entry: Entry) -> Picture:
        """Of an entity that is neither a run nor in need of any other's facts but its own statement's."""
        kind = keys.kind_of(key)
        statement = self._declaration(work, entry.facts)
        if kind is Kind.JOB:
            return Picture.of(derive_job(key, entry.facts, statement), derive_manual(key, entry.facts))
        parts = [derive(key, entry.facts), derive_manual(key, entry.facts)]
        if kind is Kind.DATASET and statement is not None:
            speaker = Speaker("", _declared_at(entry.facts), steps_of(key, [statement]))
            parts.append(derive_current(None, (), None, speaker))
        return Picture.of(*parts)

    # -- a job's runs -----------------------------------------------------------------------------

    def _job(self, work: _Work, job: str, runs: Mapping[str, tuple[Entry | None, Entry]]) -> None:
        known = self._job_entry(job)
        stored = StoredTimeline(self._store, job, known.view)
        old = {k: e.place for k, (e, _) in runs.items() if e is not None and e.place is not None}
        new: dict[str, Place] = {}
        for key, (_, entry) in runs.items():
            entry.steps = self._run_steps(work, key, entry.facts)
            entry.place = place_of(key, entry.facts, entry.steps)
            if entry.place is not None:
                new[key] = entry.place
        turns = {} if old == new else retime(old, new, stored)
        self._load(work, [k for k in turns if k not in runs])
        for key, (place, turn) in turns.items():
            entry = work.entries[key]
            if key in runs:
                entry.turn = turn
            elif entry.turn != turn:
                again = Entry(entry.facts, entry.picture, entry.steps, place, turn)
                self._rewrite_run(work, key, again)
        changed: dict[str, Changed] = {}
        for key, (_, entry) in runs.items():
            if entry.place is None:
                entry.turn = STRAIGHT
            self._rewrite_run(work, key, entry)
            node = entry.picture.nodes[key]
            changed[key] = Changed(key, node.mark, node.sort, bool(entry.steps), entry.place)
        unmoved = {k: (p, work.entries[k].turn) for k, p in new.items() if k not in turns}
        view = next_view(stored, known.view, changed, {**unmoved, **turns})
        said = self._said(work, job, view)
        picture = known.picture if said == known.said else self._present(work, job, view)
        work.batch.move(known.picture, picture)
        work.jobs[job] = JobEntry(view, picture, said)

    def _rewrite_run(self, work: _Work, key: str, entry: Entry) -> None:
        picture = Picture.of(derive_run_in_time(key, entry.facts, entry.steps, entry.turn))
        work.batch.move(entry.picture, picture)
        entry.picture = picture
        work.entries[key] = entry

    def _job_entry(self, job: str) -> JobEntry:
        """The job's present before the batch; read from the store when the cache lost it."""
        found = self._jobs.get(job)
        if found is not None:
            return found
        before = _Work(Batch(self._known))
        self._load(before, [job])
        if job not in before.entries:
            return JobEntry()
        view = read_view(StoredTimeline(self._store, job, None))
        return JobEntry(view, self._present(before, job, view))

    def _present(self, work: _Work, job: str, view: JobView) -> Picture:
        """A job's current edges out of its view."""
        wanted = [k for _, k in view.flights]
        if view.latest is not None:
            wanted.append(view.latest.run)
        if view.failed is not None:
            wanted.append(view.failed[1])
        self._load(work, [*wanted, job])
        complete = None
        if view.latest is not None and view.opener is not None:
            steps = work.entries[view.latest.run].steps
            complete = Speaker(view.opener.run, view.opener.begin, steps)
        flights = [self._speaker(work, k) for _, k in view.flights]
        failed = self._speaker(work, view.failed[1]) if view.failed else None
        declared = None
        entry = work.entries.get(job)
        statement = self._declaration(work, entry.facts) if entry else None
        if entry is not None and statement is not None:
            steps = steps_of(job, [statement], declared=True)
            declared = Speaker("", _declared_at(entry.facts), steps)
        return Picture.of(derive_current(complete, flights, failed, declared))

    def _said(self, work: _Work, job: str, view: JobView) -> tuple[object, ...]:
        wanted = [k for _, k in view.flights]
        if view.failed is not None:
            wanted.append(view.failed[1])
        self._load(work, [*wanted, job])
        entry = work.entries.get(job)
        return (
            view.latest.flow if view.latest else None,
            view.opener,
            tuple((k, e.steps, e.facts.first.get("begin")) for k in wanted if (e := work.entries[k]).steps),
            _declared(entry) if entry else None,
        )

    def _speaker(self, work: _Work, run: str) -> Speaker:
        entry = work.entries[run]
        begin = entry.facts.first.get("begin", 0)
        return Speaker(run, begin, entry.steps)

    # -- statements -------------------------------------------------------------------------------

    def _run_steps(self, work: _Work, run: str, facts: Facts) -> tuple[Step, ...]:
        snapshot = facts.get("snapshot")
        said = (snapshot,) if snapshot else tuple(name for name, _ in facts.firsts("said|"))
        if not said:
            return ()
        job = keys.job_of(run)
        memo = "\n".join((job, *said))
        steps = self._flows.get(memo)
        if steps is None:
            steps = steps_of(job, [self._statement(work, name) for name in said])
            self._flows.put(memo, steps)
        return steps

    def _statement(self, work: _Work, name: str) -> Statement:
        found = self._statements.get(name)
        if found is None:
            key = keys.key(Kind.STATEMENT, name)
            entry = work.entries.get(key)
            facts = entry.facts if entry else Facts.load(self._store.states([key])[key])
            found = facts.get("content")
            self._statements.put(name, found)
        return found

    def _declaration(self, work: _Work, facts: Facts) -> Statement | None:
        said = facts.get("declared")
        return self._statement(work, said["statement"]) if said else None


def _declared(entry: Entry) -> Any:
    said = entry.facts.get("declared")
    return (said, _declared_at(entry.facts)) if said else None


def _declared_at(facts: Facts) -> int:
    """When what holds was first declared: saying it again, later, is no news."""
    return facts.first[f"declared|{facts.get('declared')['statement']}"]
