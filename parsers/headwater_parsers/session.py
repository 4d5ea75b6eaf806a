"""What a script has said so far: USE, temporary tables, variables, functions, renames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headwater_parsers.catalog import Catalog, TableSchema
from headwater_parsers.dialects import Traits
from headwater_parsers.model import TableRef
from headwater_parsers.relation import (
    Anything,
    Base,
    Column,
    Key,
    Made,
    OpenStar,
    Origins,
    Relation,
    united,
)
from headwater_parsers.tree import TRANSFORMATION, At, Expr, Query, Table

Conditions = dict[tuple[Key, str], At]
Parts = tuple[str, ...]


_CHANGED_ROWS = (("inserted",), ("deleted",))


@dataclass(slots=True)
class Temporary:
    """A table that the script makes for itself: read through, not read."""

    ref: TableRef
    relation: Relation | None = None
    reads: dict[TableRef, None] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=dict)
    used: bool = False


class Session:
    """The state that one statement of a script leaves to the next."""

    def __init__(
        self,
        traits: Traits,
        catalog: Catalog | None,
        default_database: str | None,
        default_schema: str | None,
    ) -> None:
        self.traits = traits
        self.database = default_database
        self.schema = default_schema
        self.functions: dict[str, tuple[Parts, Expr]] = {}
        self.table_functions: dict[str, Query] = {}
        self.reads: dict[TableRef, None] = {}  # by the statement at hand, in order
        self.conditions: Conditions = {}
        self.versions: dict[str, str] = {}
        self._catalog = catalog
        self._temporary: dict[Parts, Temporary] = {}
        self._made: dict[Parts, TableSchema] = {}
        self._variables: dict[str, tuple[Column, dict[TableRef, None]]] = {}
        self._known: dict[Parts, TableSchema | None] = {}

    # -- names ------------------------------------------------------------------------------

    def use(self, what: str, parts: Sequence[str]) -> None:
        if not parts:
            return
        if what == "both" and len(parts) > 1:
            self.database, self.schema = parts[-2], parts[-1]
        elif what == "database":
            self.database = parts[-1]
        else:
            self.schema = parts[-1]

    def ref(self, table: Table) -> TableRef:
        """Return the full name of a table; the script's own are spelled as it made them."""
        made = self._full(table)
        temporary = self._temporary.get(_lower(made.parts))
        return made if temporary is None else temporary.ref

    def _full(self, table: Table) -> TableRef:
        parts = table.parts
        if table.kind != "table":
            return TableRef(parts, table.kind)
        if parts and parts[-1].startswith("#") and len(parts) == 1:
            return TableRef(parts)
        before: list[str | None] = []
        if len(parts) == 1:
            before = [self.database, self.schema]
        elif len(parts) == 2:
            before = [self.database]
        return TableRef((*(b for b in before if b), *parts))

    # -- tables -----------------------------------------------------------------------------

    def open(self, table: Table) -> Relation:
        """Return what a table's name offers, and count it as read."""
        ref = self.ref(table)
        if self.traits.name == "tsql" and _lower(table.parts) in _CHANGED_ROWS:
            return Made([OpenStar([Anything({})])])  # a trigger's own rows
        lower = _lower(ref.parts)
        temporary = self._temporary.get(lower)
        if temporary is not None:
            temporary.used = temporary.used or not table.written
            if temporary.relation is not None and not table.written:
                self.reads.update(temporary.reads)
                for condition, at in temporary.conditions.items():
                    self.conditions.setdefault(condition, at)
                return temporary.relation
        known = self.columns(ref) if ref.kind == "table" else None
        if known is None and len(table.parts) > 1 and not table.written:
            collection = self._collection(table)
            if collection is not None:
                return collection
        if not table.written and ref.parts:
            self.reads.setdefault(ref)
        return Base(ref, known)

    def _collection(self, table: Table) -> Relation | None:
        """Read Impala's FROM db.t.items: a column of a known table, as rows."""
        for n in range(len(table.parts) - 1, 0, -1):
            ref = self.ref(Table(table.parts[:n]))
            schema = self.columns(ref)
            column = schema.spelled(table.parts[n].lower()) if schema is not None else None
            if column is None:
                continue
            self.reads.setdefault(ref)
            origins: Origins = {(ref, (column,)): TRANSFORMATION}
            return Made([OpenStar([Anything(origins)])], weak=True)
        return None

    def columns(self, ref: TableRef) -> TableSchema | None:
        """Return the columns of a table: as the script made it, or as the catalog knows it."""
        lower = _lower(ref.parts)
        made = self._made.get(lower)
        if made is not None:
            return made
        if lower not in self._known:
            found = self._catalog.columns(ref.parts) if self._catalog is not None else None
            if found is not None and not found.columns:
                found = None
            self._known[lower] = found
        known = self._known[lower]
        if known is not None and known.version:
            self.versions[ref.name] = known.version
        return known

    def is_temporary(self, ref: TableRef) -> bool:
        last = ref.parts[-1] if ref.parts else ""
        return ref.kind == "temporary" or last.startswith("#") or _lower(ref.parts) in self._temporary

    def create(self, ref: TableRef, columns: Sequence[tuple[str, str]] | None, *, temporary: bool) -> None:
        lower = _lower(ref.parts)
        if temporary:
            before = self._temporary.get(lower)
            used = before is not None and before.used
            self._temporary[lower] = Temporary(ref, used=used)
        elif lower in self._temporary:
            del self._temporary[lower]
        if columns:
            names = tuple(n for n, _ in columns)
            self._made[lower] = TableSchema(ref.parts, names, {n: t for n, t in columns if t})
        else:
            self._made.pop(lower, None)

    def fill(
        self,
        ref: TableRef,
        columns: list[Column | OpenStar],
        conditions: Conditions,
        reads: Mapping[TableRef, None],
    ) -> None:
        """Remember what was written to a temporary table."""
        lower = _lower(ref.parts)
        temporary = self._temporary.setdefault(lower, Temporary(ref))
        made: Relation = Made(columns)
        if temporary.relation is not None:
            made = united(temporary.relation, made, by_name=True)
        known = self._made.get(lower)
        if known is not None and not made.open:
            shown = {c.name.lower() for c in columns if isinstance(c, Column)}
            more = [Column(n, {}) for n in known.columns if n.lower() not in shown]
            made = Made([*made.columns, *more])
        temporary.relation = made
        temporary.reads.update(reads)
        temporary.conditions.update(conditions)

    def drop(self, ref: TableRef) -> None:
        self._made.pop(_lower(ref.parts), None)

    def rename(self, old: TableRef, new: TableRef) -> None:
        before, after = _lower(old.parts), _lower(new.parts)
        if before in self._made:
            self._made[after] = self._made.pop(before)
        if before in self._temporary:
            self._temporary[after] = self._temporary.pop(before)
        if before in self._known:
            self._known[after] = self._known.pop(before)

    def collapsed(self) -> tuple[TableRef, ...]:
        """Return the temporary tables that the script reads again."""
        return tuple(t.ref for t in self._temporary.values() if t.used)

    # -- variables --------------------------------------------------------------------------

    def assign(self, name: str, column: Column, reads: Mapping[TableRef, None]) -> None:
        self._variables[name.lower()] = (column, dict(reads))

    def variable(self, name: str) -> Column | None:
        """Return what a variable holds; reading it reads what it was filled from."""
        found = self._variables.get(name)
        if found is None:
            return None
        column, reads = found
        self.reads.update(reads)
        return column


def _lower(parts: Parts) -> Parts:
    return tuple(p.lower() for p in parts)
