"""Carries out one canonical statement: resolves its writes and leaves their traces."""

from headwater_parsers.lineage import Outcome
from headwater_parsers.model import Severity, TableRef
from headwater_parsers.relation import Column, OpenStar
from headwater_parsers.resolve import Resolver
from headwater_parsers.scope import whole_row
from headwater_parsers.session import Conditions, Session
from headwater_parsers.tree import Assign, Statement, Table, Write
from headwater_parsers.writes import filled

_CREATES = frozenset(
    {"create_table", "create_view", "select_into", "clone", "create_like", "cache", "declare"}
)


def carry_out(statement: Statement, session: Session, outcome: Outcome) -> None:
    """Resolve a statement within a session; what it found goes into the outcome."""
    session.reads, session.versions = {}, {}
    _prepare(statement, session, outcome)
    for write in statement.writes:
        _write(statement, write, session, outcome)
    for assign in statement.assigns:
        _assign(assign, session)
    for table in statement.reads:
        session.open(table)
    if statement.kind == "cache":  # kept in memory for the session: no dataset yet
        outcome.writes.clear()
        session.reads = {}
    outcome.reads = list(session.reads)
    outcome.versions = dict(session.versions)
    for table in statement.drops:
        session.drop(session.ref(table))
    for old, new in statement.renames:
        moves = len(new.parts) > 1 or session.traits.rename_moves
        kept = () if moves else old.parts[:-1]
        before, after = session.ref(old), session.ref(Table((*kept, *new.parts)))
        session.rename(before, after)
        outcome.renames.append((before, after))
        outcome.changes += [before, after]
    for code, text in statement.notes:
        severity = {"syntax": Severity.ERROR, "call": Severity.INFO}.get(code, Severity.WARNING)
        outcome.note(code, text, severity)


def _prepare(statement: Statement, session: Session, outcome: Outcome) -> None:
    if statement.use is not None:
        session.use(*statement.use)
    if statement.function is not None:
        name, params, body = statement.function
        session.functions[name] = (params, body)
    if statement.table_function is not None:
        name, query = statement.table_function
        session.table_functions[name] = query
    for a, b in statement.swaps:
        statement.writes += [Write(a, None, copies=b), Write(b, None, copies=a)]
    outcome.changes += [session.ref(t) for t in statement.touches]


def _resolver(session: Session) -> Resolver:
    session.conditions = {}
    return Resolver(session.traits, session.open, session.variable, session.table_functions)


def _write(statement: Statement, write: Write, session: Session, outcome: Outcome) -> None:
    target = session.ref(write.target) if write.target is not None else None
    if target is not None and not target.parts:
        target = None
    query = write.query
    if write.copies is None and query is None:
        outcome.add(target, [], {}, names=write.columns or ())
        _remember(statement, target, [], {}, {}, session)
        return
    earlier = session.reads
    session.reads = {}
    conditions: Conditions = {}
    columns: list[Column | OpenStar] = []
    if write.copies is not None:
        columns = list(session.open(write.copies).columns)
        if statement.kind == "create_like":  # the shape is copied, not the data
            columns = [Column(c.name, {}, None, c.type) for c in columns if isinstance(c, Column)]
    elif query is not None:
        resolver = _resolver(session)
        relation = resolver.query(query)
        schema = None
        if target is not None and target.kind in ("table", "temporary") and not write.named:
            schema = session.columns(target)
        columns = filled(write, relation, schema)
        conditions = {**session.conditions, **resolver.found.conditions}
        outcome.problems(resolver.found.problems)
    outcome.add(target, columns, conditions)
    _remember(statement, target, columns, conditions, session.reads, session)
    session.reads = {**earlier, **session.reads}


def _remember(
    statement: Statement,
    target: TableRef | None,
    columns: list[Column | OpenStar],
    conditions: Conditions,
    reads: dict[TableRef, None],
    session: Session,
) -> None:
    """Let the session know what the script's own tables hold."""
    if target is None or target.kind in ("file", "stage"):
        return
    creates = statement.kind in _CREATES
    if creates:
        listed = statement.declared
        if not listed and columns and not any(isinstance(c, OpenStar) for c in columns):
            listed = tuple((c.name, c.type or "") for c in columns if isinstance(c, Column))
        temporary = statement.temporary or session.is_temporary(target)
        session.create(target, listed, temporary=temporary)
    if session.is_temporary(target) and (columns or creates):
        session.fill(target, columns, conditions, reads)


def _assign(assign: Assign, session: Session) -> None:
    earlier = session.reads
    session.reads = {}
    relation = _resolver(session).query(assign.query)
    columns = [c for c in relation.columns if isinstance(c, Column)]
    reads = session.reads
    session.reads = {**earlier, **reads}
    if assign.record or (len(assign.names) == 1 and len(columns) > 1):
        fields = {c.name.lower(): c for c in columns}
        row = Column(assign.names[0], whole_row(relation).origins, fields or None)
        session.assign(assign.names[0], row, reads)
        return
    for name, column in zip(assign.names, columns, strict=False):
        session.assign(name, column, reads)
