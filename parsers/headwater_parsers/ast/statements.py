"""Turns every statement into canonical writes: `write(target, columns) <- query`."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from headwater_parsers.ast.bodies import declared_type, has_query_body, is_query_body
from headwater_parsers.ast.changes import Changes
from headwater_parsers.ast.definitions import Definitions
from headwater_parsers.ast.expressions import Functions
from headwater_parsers.ast.names import (
    column_names,
    dotted,
    name_of,
    table_of,
    variable_of,
)
from headwater_parsers.ast.queries import Queries
from headwater_parsers.ast.transfers import Transfers, target_of
from headwater_parsers.ast.variables import Variables
from headwater_parsers.dialects import Traits
from headwater_parsers.tree import (
    Assign,
    Derived,
    Join,
    Projection,
    Query,
    Select,
    Star,
    Statement,
    Write,
)

# Statements that move no data and name no table worth a node.
_SILENT = frozenset(
    {
        "grant", "revoke", "show", "analyze", "explain", "describe", "desc", "commit", "rollback",
        "savepoint", "start", "begin", "end", "set", "reset", "use", "print", "return", "raise",
        "raiserror", "call", "exec", "execute", "vacuum", "optimize", "refresh", "comment",
        "lock", "unlock", "kill", "prepare", "deallocate", "fetch", "open", "close", "declare",
        "msck", "repair", "checkpoint", "cluster", "reindex", "discard", "listen", "notify",
        "security", "abort", "attach", "detach", "install", "load", "pragma", "add", "list",
        "remove", "get", "put", "uncache", "invalidate", "compute", "reassign", "import",
        "export", "truncate", "alter", "drop", "create", "cache", "waitfor", "go", "throw",
        "break", "continue", "leave", "iterate", "goto", "null", "signal", "resignal", "perform",
    }
)  # fmt: skip
_READS = frozenset({"call", "exec", "execute", "perform"})


class Statements:
    """Reads statements of one dialect."""

    def __init__(
        self, traits: Traits, functions: Functions, masking: frozenset[str], *, routine: bool
    ) -> None:
        self.traits = traits
        self.queries = Queries(traits, functions, masking)
        self._changes = Changes(self.queries)
        self._definitions = Definitions(self.queries)
        self._transfers = Transfers(self.queries)
        self.variables = Variables(self.queries)
        self._routine = routine

    def read(self, node: exp.Expr) -> Statement:
        handler = self._HANDLERS.get(type(node))
        if handler is not None:
            made = handler(self, node)
        elif isinstance(node, exp.Query | exp.Pivot | exp.Table) or _is_table(node):
            made = self._query(node)
        else:
            made = Statement(type(node).key)
        for change in self.queries.changes:
            clause = node.args.get("with_")
            made.writes = self.read_change(change, clause).writes + made.writes
        self.queries.changes.clear()
        return made

    def read_change(self, node: exp.Expr, clause: object) -> Statement:
        """Read DML that stands inside WITH: it sees the CTEs before it."""
        handler = self._HANDLERS[type(node)]
        changes = list(self.queries.changes)
        made: Statement = handler(self, node)
        if isinstance(clause, exp.Expr):
            earlier = [c for c in clause.expressions if c.this is not node]
            recursive = bool(clause.args.get("recursive"))
            ctes = [self.queries.cte(c, recursive=recursive) for c in earlier]
            for write in made.writes:
                if write.query is not None and ctes:
                    write.query = self.queries.prefixed(write.query, ctes)
        self.queries.changes[:] = changes
        return made

    # -- queries ----------------------------------------------------------------------------

    def _query(self, node: exp.Expr) -> Statement:
        into = _into(node)
        if into is not None:
            return self._select_into(node, into)
        assigned = self._assigning_select(node)
        if assigned is not None:
            return assigned
        return Statement("select", [Write(None, self.queries.query(node))])

    def _select_into(self, node: exp.Expr, into: exp.Expr) -> Statement:
        target = into.this
        query = self.queries.query(node)
        if not isinstance(target, exp.Expr):
            return Statement("select", [Write(None, query)])
        inside = target.this if isinstance(target, exp.Table) else target
        variable = isinstance(inside, exp.Parameter)
        if variable or into.args.get("bulk_collect") or into.expressions or self._is_local():
            names = into.expressions or [target]
            plain = tuple(
                variable_of(n.this) if isinstance(n.this, exp.Parameter) else name_of(n, self.traits)
                for n in names
                if isinstance(n, exp.Expr)
            )
            return Statement("select", assigns=[Assign(plain, query)])
        made = Statement("select_into", [Write(table_of(target, self.traits), query, named=True)])
        made.temporary = bool(into.args.get("temporary"))
        return made

    def _is_local(self) -> bool:
        """SELECT ... INTO v inside a routine of these dialects fills a variable."""
        return self._routine and self.traits.name in ("postgres", "oracle", "mysql", "redshift")

    def _assigning_select(self, node: exp.Expr) -> Statement | None:
        """Read T-SQL's SELECT @x = column: it returns nothing."""
        if not isinstance(node, exp.Select) or not node.expressions:
            return None
        first = node.expressions[0]
        if not isinstance(first, exp.EQ | exp.PropertyEQ) or not isinstance(first.this, exp.Parameter):
            return None
        pairs = [e for e in node.expressions if isinstance(e, exp.EQ | exp.PropertyEQ)]
        names = [name_of(pair.this, self.traits) for pair in pairs]
        copy = node.copy()
        copy.set("expressions", [pair.expression.copy() for pair in pairs])
        query = self.queries.query(copy)
        return Statement("select", assigns=[Assign(tuple(names), query)])

    # -- writes -----------------------------------------------------------------------------

    def _insert(self, node: exp.Expr) -> Statement:
        target, columns = target_of(node.this, self.traits)
        kind = "insert_overwrite" if node.args.get("overwrite") else "insert"
        source = node.args.get("expression") or node.args.get("source")
        if not isinstance(source, exp.Expr):
            return Statement(kind, [Write(target, None, columns)])
        query = self.queries.with_ctes(node, self.queries.query(source))
        write = Write(target, query, columns, by_name=bool(node.args.get("by_name")))
        self._partition(node, write)
        made = Statement(kind, [write])
        conflict = node.args.get("conflict")
        if isinstance(conflict, exp.Expr):
            made.writes += self._changes.conflict(conflict, write, source)
        return made

    def _partition(self, node: exp.Expr, write: Write) -> None:
        for holder in (node.this, getattr(node.this, "this", None), node):
            if not isinstance(holder, exp.Expr):
                continue
            partition = holder.args.get("partition")
            if not isinstance(partition, exp.Expr):
                continue
            for item in partition.expressions:
                if isinstance(item, exp.EQ):
                    write.static += (dotted(item.this, self.traits)[-1],)
                else:
                    write.dynamic += (dotted(item, self.traits)[-1],)
            return

    def _many(self, node: exp.Expr) -> Statement:
        """Read FROM t INSERT ... INSERT ..., and Oracle's INSERT ALL."""
        source = node.args["source"]
        if isinstance(source, exp.Select | exp.SetOperation):
            joins = [Join(Derived(self.queries.query(source)))]
        else:
            joins = self.queries.sources.listed(source)
        made = Statement("insert")
        for item in node.expressions:
            condition = item.args.get("expression") if isinstance(item, exp.ConditionalInsert) else None
            insert = item.this if isinstance(item, exp.ConditionalInsert) else item
            target, columns = target_of(insert.this, self.traits)
            body = insert.args.get("expression")
            query: Query
            if isinstance(body, exp.Select):
                query = self.queries.query(body)
                if isinstance(query, Select):
                    query.joins = joins + query.joins
            elif isinstance(body, exp.Values):
                exprs = self.queries.sources.rows(body).exprs
                query = Select([Projection(f"_c{i}", e, explicit=False) for i, e in enumerate(exprs)], joins)
            else:
                query = Select([Star()], joins)
            if condition is not None and isinstance(query, Select):
                query.filters.append(self.queries.expressions.read(condition))
            write = Write(target, self.queries.with_ctes(node, query), columns)
            self._partition(insert, write)
            made.writes.append(write)
        return made

    def _create(self, node: exp.Expr) -> Statement:
        kind = str(node.args.get("kind") or "").upper()
        if kind in ("FUNCTION", "PROCEDURE"):
            return self._definitions.function(node)
        if kind not in ("TABLE", "VIEW", "MODEL", "") and not kind.endswith(("TABLE", "VIEW")):
            return Statement(f"create_{kind.lower()}")
        view = kind.endswith("VIEW")
        holder = node.this
        target = table_of(holder, self.traits)
        made = Statement("create_view" if view else "create_table", view=view)
        properties = node.args.get("properties")
        listed = list(properties.expressions) if isinstance(properties, exp.Expr) else []
        columns: tuple[str, ...] | None = None
        like: exp.Expr | None = None
        if isinstance(holder, exp.Schema):
            columns = column_names(holder.expressions, self.traits) or None
            if self.traits.name == "mysql" and any(
                isinstance(c, exp.ColumnDef) and c.args.get("kind") for c in holder.expressions
            ):
                columns = None if has_query_body(node) else columns  # they are added to the query's
            listed += [e for e in holder.expressions if isinstance(e, exp.LikeProperty)]
            made.declared = tuple(
                (name_of(c.this, self.traits), declared_type(c))
                for c in holder.expressions
                if isinstance(c, exp.ColumnDef)
            )
        for item in listed:
            if isinstance(item, exp.TemporaryProperty | exp.VolatileProperty | exp.GlobalProperty):
                made.temporary = True
            elif isinstance(item, exp.ToTableProperty):
                target = table_of(item.this, self.traits)
                columns = None if not isinstance(item.this, exp.Schema) else columns
            elif isinstance(item, exp.LikeProperty):
                like = item.this
        clone = node.args.get("clone")
        body = node.args.get("expression")
        if isinstance(clone, exp.Expr):
            made.kind = "clone"
            copied = table_of(clone.this, self.traits)
            made.writes = [Write(target, None, copies=copied)]
        elif isinstance(body, exp.Expr) and is_query_body(body):
            query = self.queries.with_ctes(node, self.queries.query(body))
            made.writes = [Write(target, query, columns, named=True)]
        elif like is not None:
            made.kind = "create_like"
            made.writes = [Write(target, None, copies=table_of(like, self.traits))]
        else:
            made.writes = [Write(target, None, columns, named=True)]
        return made

    def _cache(self, node: exp.Expr) -> Statement:
        body = node.args.get("expression")
        if not isinstance(body, exp.Expr):
            return Statement("cache")
        write = Write(table_of(node.this, self.traits), self.queries.query(body), named=True)
        return Statement("cache", [write], temporary=True)

    # -- changes to names -------------------------------------------------------------------

    def _alter(self, node: exp.Expr) -> Statement:
        if not isinstance(node.this, exp.Expr):
            return Statement("alter")
        target = table_of(node.this, self.traits)
        made = Statement("alter", touches=[target])
        for action in node.args.get("actions") or ():
            if isinstance(action, exp.AlterRename | exp.SwapTable) and not action.this:
                continue
            if isinstance(action, exp.AlterRename) and str(node.args.get("kind")) != "COLUMN":
                made.kind = "rename"
                made.renames.append((target, table_of(action.this, self.traits)))
            elif isinstance(action, exp.SwapTable):
                made.kind = "swap"
                made.swaps.append((target, table_of(action.this, self.traits)))
            elif isinstance(action, exp.Query):
                made.kind, made.view = "alter_view", True
                made.writes.append(Write(target, self.queries.query(action), named=True))
        if made.kind != "alter":
            made.touches = []
        return made

    def _drop(self, node: exp.Expr) -> Statement:
        kind = str(node.args.get("kind") or "").upper()
        if not kind.endswith(("TABLE", "VIEW")):
            return Statement("drop")
        tables = [table_of(t, self.traits) for t in node.args.get("tables") or () if t is not None]
        if not tables and isinstance(node.this, exp.Table):
            tables = [table_of(node.this, self.traits)]
        return Statement("drop", touches=tables, drops=tables)

    def _truncate(self, node: exp.Expr) -> Statement:
        if node.args.get("is_database"):
            return Statement("truncate")
        tables = [table_of(t, self.traits) for t in node.expressions]
        return Statement("truncate", touches=tables)

    def _use(self, node: exp.Expr) -> Statement:
        made = Statement("use")
        if not isinstance(node.this, exp.Expr):
            return made
        kind = node.args.get("kind")
        word = kind.name.upper() if isinstance(kind, exp.Expr) else str(kind or "").upper()
        if word in ("ROLE", "WAREHOUSE", "SECONDARY ROLES", "SECONDARY"):
            return made
        parts = tuple(table_of(node.this, self.traits).parts)
        if word == "CATALOG" or (word == "DATABASE" and self.traits.use_sets == "database"):
            what = "database"
        elif word in ("SCHEMA", "DATABASE", "NAMESPACE"):
            what = "schema"
        else:
            what = "both" if len(parts) > 1 else self.traits.use_sets
        if len(parts) > 1:
            what = "both"
        made.use = (what, parts)
        return made

    def _command(self, node: exp.Expr) -> Statement:
        word = str(node.this).strip().split(" ")[0].lower()
        made = Statement(word)
        if word in _READS:
            made.notes.append(("call", f"{word.upper()} is not followed into the routine"))
        elif word not in _SILENT:
            made.notes.append(("unsupported", f"no lineage is read from {word.upper()}"))
        return made

    def _execute(self, _node: exp.Expr) -> Statement:
        made = Statement("execute")
        made.notes.append(("call", "EXECUTE is not followed into the routine"))
        return made

    def _copy(self, node: exp.Expr) -> Statement:
        return self._transfers.copy(node)

    def _export(self, node: exp.Expr) -> Statement:
        return self._transfers.export(node)

    def _load(self, node: exp.Expr) -> Statement:
        return self._transfers.load(node)

    def _set(self, node: exp.Expr) -> Statement:
        return self.variables.set(node)

    def _declare(self, node: exp.Expr) -> Statement:
        return self.variables.declare(node)

    def _update(self, node: exp.Expr) -> Statement:
        return self._changes.update(node)

    def _delete(self, node: exp.Expr) -> Statement:
        return self._changes.delete(node)

    def _merge(self, node: exp.Expr) -> Statement:
        return self._changes.merge(node)

    _HANDLERS: Mapping[type, Callable[..., Statement]] = {
        exp.Insert: _insert,
        exp.MultitableInserts: _many,
        exp.Create: _create,
        exp.Cache: _cache,
        exp.Copy: _copy,
        exp.Export: _export,
        exp.LoadData: _load,
        exp.Update: _update,
        exp.Delete: _delete,
        exp.Merge: _merge,
        exp.Alter: _alter,
        exp.Drop: _drop,
        exp.TruncateTable: _truncate,
        exp.Use: _use,
        exp.Set: _set,
        exp.Declare: _declare,
        exp.Command: _command,
        exp.Execute: _execute,
    }


def _into(node: exp.Expr) -> exp.Expr | None:
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    into = node.args.get("into") if isinstance(node, exp.Select) else None
    return into if isinstance(into, exp.Expr) else None


def _is_table(node: exp.Expr) -> bool:
    return isinstance(node, exp.Values) or (
        isinstance(node, exp.Alias)
        and isinstance(node.this, exp.Column)
        and node.this.name.lower() == "table"
    )
