"""Records become changes of the graph: facts joined into states, states derived, differences applied. One thread."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from headwater_server.graph import keys
from headwater_server.graph.changes import Changeset, Node
from headwater_server.graph.facts import Facts, News
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.log.port import Record
from headwater_server.openlineage.translate import declared_as
from headwater_server.project.batch import NOTHING, Batch, Picture
from headwater_server.project.current import JobView, Speaker, derive_current
from headwater_server.project.derive import derive, derive_job, looks_the_same
from headwater_server.project.entries import STRAIGHT, Entry, JobEntry, Sight, Work
from headwater_server.project.features import learners, used_columns
from headwater_server.project.flows import Flows, first_to_say, missing_columns, schema_names
from headwater_server.project.history import derive_run_in_time, place_of
from headwater_server.project.lru import Lru
from headwater_server.project.manual import derive_manual
from headwater_server.project.stored import StoredTimeline
from headwater_server.project.timeline import Place, Turn, retime
from headwater_server.project.view import Changed, next_view, read_view
from headwater_server.store.port import Applied, Direction, GraphStore

Translate: TypeAlias = Callable[[Any, int], Mapping[str, Facts]]
"""(parsed body, seq) -> facts by key. Pure."""

Shown: TypeAlias = Callable[[Mapping[str, Facts], Changeset], None]
"""Hears what entities are known to be now and what changed, when the graph shows it. It keeps no hand on what it is given."""

Touched: TypeAlias = dict[str, tuple[Entry | None, Entry]]
"""Before and after, by key."""


ERASED = "erased"
"""The kind of a record whose body is gone: its translator has nothing to say."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The body of a record whose speaker may not speak for everything."""

    body: Any
    by: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record with its body read."""

    seq: int
    kind: str
    body: Any

    @classmethod
    def of(cls, record: Record) -> "Parsed":
        if record.erased is not None:
            return cls(record.seq, ERASED, None)
        body = orjson.loads(record.body)
        return cls(record.seq, record.kind, Spoken(body, record.actor) if "?" in record.actor else body)


class Projector:
    """Brings the graph up to the log. Its caches hold only what can be read again from the store."""

    def __init__(self, store: GraphStore, translators: Mapping[str, Translate], *, log: str) -> None:
        self._store = store
        self.shown: Shown = lambda *_: None
        self._translators = translators
        self._log = log
        self.forget()

    def forget(self) -> None:
        """Drop all caches: the next batch reads the store."""
        self._entries: Lru[Entry] = Lru(50_000)
        self._jobs: Lru[JobEntry] = Lru(20_000)
        self._known: Lru[None] = Lru(200_000)
        self._flows = Flows()

    def project(self, records: Sequence[Parsed]) -> None:
        """Apply these records, in one transaction, with the last one's number.

        Raises:
            Unavailable: the store did not take them; nothing of it is in the graph or the caches.

        """
        work = Work(Batch(self._known))
        deltas = self._facts(records)
        self._load(work, deltas)
        touched = self._join(work, deltas)
        runs: dict[str, Touched] = {}
        spoken: set[str] = set()
        sight = self._sight(work)
        for key, (old, new) in touched.items():
            kind = keys.kind_of(key)
            if kind is Kind.RUN:
                runs.setdefault(keys.job_of(key), {})[key] = old, new
                continue
            if kind is Kind.JOB and old is None:
                work.jobs[key] = JobEntry()  # it is new: there is nothing to read of its runs
            if kind is Kind.JOB and (old is None or _declared(old) != _declared(new)):
                spoken.add(key)
            new.picture = self._derive(key, new.facts, sight)
            work.batch.move(old.picture if old else NOTHING, new.picture)
        learned = learners(touched, self._store)
        self._load(work, learned)
        for key in [*self._echoes(work, touched), *learned]:
            entry = work.entries[key]
            runs.setdefault(keys.job_of(key), {}).setdefault(key, (entry, entry.again()))
        again = self._readers(work, touched)
        for job in again:
            for key, entry in self._speakers(work, job).items():
                runs.setdefault(job, {}).setdefault(key, (entry, entry.again()))
        for job in runs.keys() | spoken | again:
            self._job(work, job, runs.get(job, {}), again=job in again)
        for key, (_, new) in touched.items():
            work.batch.states[key] = new.facts.dump()
        work.batch.keep(lambda key: self._is_told(key, sight))
        changes = work.batch.changes()
        self._store.apply(changes, upto=Applied(records[-1].seq, self._log))
        self._remember(work)
        self.shown({key: new.facts for key, (_, new) in touched.items()}, changes)

    def _remember(self, work: Work) -> None:
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

    # -- entities ---------------------------------------------------------------------------------

    def _sight(self, work: Work) -> Sight:
        """The graph as this batch makes it."""

        def look(key: str) -> Entry | None:
            if key not in work.entries:
                self._load(work, (key,))
            return work.entries.get(key)

        return look

    def _committed(self) -> Sight:
        """The graph as it is stored, whatever this batch says."""
        before = Work(Batch(self._known))
        return self._sight(before)

    def _load(self, work: Work, wanted: Iterable[str]) -> None:
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
        if not states:
            return
        run_keys = [k for k in states if k.startswith("run|")]
        nodes = self._store.get(run_keys) if run_keys else {}
        before = self._committed()
        for key, raw in states.items():
            entry = Entry(Facts.load(raw))
            if key in nodes:
                self._restore_run(key, entry, nodes[key], before)
            else:
                entry.picture = self._derive(key, entry.facts, before)
            work.entries[key] = entry

    def _restore_run(self, key: str, entry: Entry, node: Node, before: Sight) -> None:
        entry.flow = self._flows.of_run(key, entry.facts, before)
        entry.place = place_of(key, entry.facts, entry.flow)
        until = node.props.get("until")
        if node.mark == "T":
            entry.turn = Turn(turns=True, until=until if isinstance(until, int) else None)
        entry.picture = self._run_picture(key, entry, before)

    def _join(self, work: Work, deltas: Mapping[str, Facts]) -> Touched:
        touched: Touched = {}
        for key, delta in deltas.items():
            old = work.entries.get(key)
            if old is None:
                touched[key] = None, Entry(delta)
            else:
                facts = old.facts.copy()
                news = facts.join(delta)
                if news is News.NOTHING:
                    continue
                new = old.again(facts)
                if looks_the_same(key, old.facts, facts, news):
                    work.entries[key] = new
                    work.batch.states[key] = facts.dump()
                    continue
                touched[key] = old, new
            work.entries[key] = touched[key][1]
        return touched

    def _derive(self, key: str, facts: Facts, sight: Sight) -> Picture:
        """Of an entity that is not a run."""
        kind = keys.kind_of(key)
        if kind is Kind.JOB:
            said = facts.get("declared")
            statement = self._flows.statement(said["statement"], sight) if said else None
            return Picture.of(derive_job(key, facts, statement), derive_manual(key, facts))
        parts = [derive(key, facts), derive_manual(key, facts)]
        if kind is Kind.DATASET and (steps := self._flows.declared(key, facts, sight)):
            speaker = Speaker("", _declared_at(facts), steps)
            parts.append(derive_current(None, (), None, speaker))
        return Picture.of(*parts)

    def _is_told(self, key: str, sight: Sight) -> bool:
        """Whether somebody's facts say that a node is there (then it stays, edges or not)."""
        if keys.kind_of(key) is not Kind.COLUMN:
            return False
        entry = sight(keys.dataset_of(key))
        return entry is not None and key in entry.picture.nodes

    def _echoes(self, work: Work, touched: Touched) -> dict[str, Entry]:
        """Runs that were the first to say a script below their root run, and no longer are."""
        was = {
            first_to_say(old.facts)
            for key, (old, _) in touched.items()
            if old is not None and key.startswith("statement|") and old.facts.first
        }
        self._load(work, was)
        return {run: work.entries[run] for run in was}

    # -- scripts that read a table whose schema is new ----------------------------------------------

    def _readers(self, work: Work, touched: Touched) -> set[str]:
        """Jobs with SQL over datasets that got a schema: what they said means more now."""
        changed = [
            key
            for key, (old, new) in touched.items()
            if old is not None
            and key.startswith("dataset|")
            and schema_names(old.facts) != schema_names(new.facts)
        ]
        if not changed:
            return set()
        down, up = Direction.DOWNSTREAM, Direction.UPSTREAM
        reading = self._store.expand(changed, down, (EdgeKind.INPUT_OF, EdgeKind.WAS_INPUT_OF))
        writing = self._store.expand(changed, up, (EdgeKind.OUTPUTS, EdgeKind.DID_OUTPUT))
        steps = {e.target for e in reading} | {e.source for e in writing}
        jobs = {e.target for e in self._store.expand(steps, down, (EdgeKind.STEP_OF,))}
        self._load(work, jobs)
        return {j for j in jobs if j in work.entries and "sql" in work.entries[j].facts.first}

    def _speakers(self, work: Work, job: str) -> dict[str, Entry]:
        """The runs whose flow stands in edges: each that turned, and those that make up the present."""
        view = self._job_entry(job).view
        wanted = {k for _, k in view.flights}
        wanted |= {view.latest.run} if view.latest else set()
        wanted |= {view.failed[1]} if view.failed else set()
        after: tuple[str, str] | None = None
        while page := self._store.page(Kind.RUN, marks=["T"], group=job, after=after, limit=500):
            wanted |= {n.key for n in page}
            after = page[-1].sort, page[-1].key
        self._load(work, wanted)
        return {k: work.entries[k] for k in wanted}

    # -- a job's runs -----------------------------------------------------------------------------

    def _job(self, work: Work, job: str, runs: Touched, *, again: bool) -> None:
        known = work.jobs.get(job) or self._job_entry(job)
        sight = self._sight(work)
        stored = StoredTimeline(self._store, job, known.view)
        old = {k: e.place for k, (e, _) in runs.items() if e is not None and e.place is not None}
        new: dict[str, Place] = {}
        for key, (_, entry) in runs.items():
            entry.flow = self._flows.of_run(key, entry.facts, sight)
            entry.place = place_of(key, entry.facts, entry.flow)
            work.entries[key] = entry
            if entry.place is not None:
                new[key] = entry.place
        turns = {} if old == new else retime(old, new, stored)
        self._load(work, [k for k in turns if k not in runs])
        for key, (place, turn) in turns.items():
            entry = work.entries[key]
            if key in runs:
                entry.turn = turn
            elif entry.turn != turn:
                moved = entry.again()
                moved.flow = self._flows.of_run(key, entry.facts, sight)
                moved.place, moved.turn = place, turn
                self._rewrite_run(work, key, moved, sight)
        changed: dict[str, Changed] = {}
        for key, (_, entry) in runs.items():
            if entry.place is None:
                entry.turn = STRAIGHT
            self._rewrite_run(work, key, entry, sight)
            node = entry.picture.nodes[key]
            changed[key] = Changed(key, node.mark, node.sort, bool(entry.flow.steps), entry.place)
        unmoved = {k: (p, work.entries[k].turn) for k, p in new.items() if k not in turns}
        view = next_view(stored, known.view, changed, {**unmoved, **turns})
        said = self._said(work, job, view)
        same = said == known.said and not again
        picture = known.picture if same else self._present(job, view, sight)
        work.batch.move(known.picture, picture)
        work.jobs[job] = JobEntry(view, picture, said)

    def _rewrite_run(self, work: Work, key: str, entry: Entry, sight: Sight) -> None:
        picture = self._run_picture(key, entry, sight)
        work.batch.move(entry.picture, picture)
        entry.picture = picture
        work.entries[key] = entry

    def _run_picture(self, key: str, entry: Entry, sight: Sight) -> Picture:
        used = used_columns(entry.facts, entry.flow.steps, sight)
        derived = derive_run_in_time(key, entry.facts, entry.flow, entry.turn, used)
        shown = {n.key for n in derived.nodes}
        derived.nodes += missing_columns([s for s in entry.flow.steps if s.key in shown], sight)
        return Picture.of(derived)

    def _job_entry(self, job: str) -> JobEntry:
        """The job's present before the batch; read from the store when the cache lost it."""
        found = self._jobs.get(job)
        if found is not None:
            return found
        before = self._committed()
        if before(job) is None:
            return JobEntry()
        view = read_view(StoredTimeline(self._store, job, None))
        return JobEntry(view, self._present(job, view, before))

    def _said(self, work: Work, job: str, view: JobView) -> tuple[object, ...]:
        wanted = [k for _, k in view.flights]
        if view.failed is not None:
            wanted.append(view.failed[1])
        self._load(work, [*wanted, job])
        entry = work.entries.get(job)
        return (
            view.latest.flow if view.latest else None,
            view.opener,
            tuple(
                (k, e.flow, e.facts.first.get("begin")) for k in wanted if (e := work.entries[k]).flow.steps
            ),
            _declared(entry) if entry else None,
        )

    def _present(self, job: str, view: JobView, sight: Sight) -> Picture:
        """A job's current edges out of its view."""
        complete = None
        if view.latest is not None and view.opener is not None:
            steps = self._speaker(view.latest.run, sight).steps
            complete = Speaker(view.opener.run, view.opener.begin, steps)
        flights = [self._speaker(k, sight) for _, k in view.flights]
        failed = self._speaker(view.failed[1], sight) if view.failed else None
        declared = None
        entry = sight(job)
        if entry is not None and (steps := self._flows.declared(job, entry.facts, sight)):
            declared = Speaker("", _declared_at(entry.facts), steps)
        derived = derive_current(complete, flights, failed, declared)
        told = [s for speaker in (complete, *flights, failed, declared) if speaker for s in speaker.steps]
        shown = {n.key for n in derived.nodes}
        derived.nodes += missing_columns([s for s in told if s.key in shown], sight)
        return Picture.of(derived)

    def _speaker(self, run: str, sight: Sight) -> Speaker:
        """Its flow is read again: schemas that came while it stood in no edge did not reach it."""
        entry = sight(run)
        if entry is None:
            raise LookupError(f"the graph lost {run}: run `headwater rebuild`")
        flow = self._flows.of_run(run, entry.facts, sight)
        return Speaker(run, entry.facts.first.get("begin", 0), flow.steps)


def _declared(entry: Entry) -> Any:
    said = entry.facts.get("declared")
    return (said, _declared_at(entry.facts)) if said else None


def _declared_at(facts: Facts) -> int:
    """Since when the declaration that holds has been said."""
    return facts.first[f"declared|{declared_as(facts.get('declared'))}"]
