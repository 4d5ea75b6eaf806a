"""The `sql` facet: what it names, told apart from what it does (which needs schemas: see `project.sqlflow`). Pure.

Which tables a script reads and writes does not depend on any schema; they are named here, in the words of the
event: a table that the producer named too is that dataset, others are completed from its neighbours.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypedDict

from headwater_parsers import ScriptLineage, TableRef, parse
from headwater_parsers.api import parse_tables
from headwater_server.graph import keys, names
from headwater_server.openlineage.statement import column_claims
from headwater_server.openlineage.wire import DatasetSaid, Event

MAX_SQL = 1_000_000
"""Characters; a longer script is kept in the record and not read."""
MAX_READ = 60_000
"""Characters; of a longer script only the tables are read, by a scan of its words. A bound on size, not a
clock, decides: what the graph holds must be the same whenever the log is replayed."""

_CTE = re.compile(
    r"(?:\bWITH(?:\s+RECURSIVE)?|,)\s+[\"`\[]?(\w+)[\"`\]]?\s*(?:\([^()]*\))?\s+AS\s+(?:(?:NOT\s+)?MATERIALIZED\s+)?\(",
    re.IGNORECASE,
)


class SqlSaid(TypedDict):
    """What is kept with the run: the script's name, and which dataset each of its table names is."""

    script: str
    tables: dict[str, str]


class Script(TypedDict):
    """A script's content, kept once."""

    sql: str
    dialect: str
    database: str
    schema: str
    ctes: list[str]


@dataclass(frozen=True, slots=True)
class Named:
    """A script as an event sent it."""

    said: SqlSaid
    script: Script
    phantoms: frozenset[str]
    """Datasets that the producer named and that are only common table expressions of the script."""
    renamed: Mapping[str, str]
    """What each dataset is called when the script is done, `` where a name was taken again."""


def named(event: Event) -> Named | None:
    """None: no sql facet, too long, nothing that says where its tables live, or nothing left to tell."""
    facet = event.job_facets.get("sql")
    text = facet.get("query") if facet and not facet.get("_deleted") else None
    if not facet or not isinstance(text, str) or not text.strip() or len(text) > MAX_SQL:
        return None
    ctes = sorted({found.casefold() for found in _CTE.findall(text)}) if "with" in text.lower() else []
    if not _leaves_out(event, ctes):
        return None
    namespace, database, schema = _home(event)
    if not namespace:
        return None
    given = facet.get("dialect")
    dialect = given.lower() if isinstance(given, str) and given else names.platform(namespace)
    lineage = read(text, dialect, database, schema)
    tables: dict[str, str] = {}
    told = _told(event)
    for table in (*lineage.inputs, *lineage.outputs):
        if key := _dataset(table, namespace, told):
            tables[table.name] = key
    content = f"{dialect}\n{database}\n{schema}\n{text}"
    name = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    script: Script = {
        "sql": text, "dialect": dialect, "database": database, "schema": schema, "ctes": ctes,
    }  # fmt: skip
    real = set(tables.values())
    phantoms = {k for k in _sources(event) if k not in real and keys.parts_of(k)[1].casefold() in ctes}
    renamed = _renamed(lineage, namespace, told)
    return Named({"script": name, "tables": tables}, script, frozenset(phantoms), renamed)


def _renamed(lineage: ScriptLineage, namespace: str, told: list[str]) -> dict[str, str]:
    """A script that writes and renames is folded by the parser; this is of one that only renames what others
    wrote (build a table aside, rename it in another query). A name taken again by the next table stays itself.
    """
    found: dict[str, str] = {}
    if lineage.outputs:
        return found
    for statement in lineage.statements:
        for before, after in statement.renames:
            old, new = _dataset(before, namespace, told), _dataset(after, namespace, told)
            if old and new and old != new:
                found[old], found[new] = new, ""
    return found


def _leaves_out(event: Event, ctes: list[str]) -> bool:
    """Whether a script may tell more than its event, so that reading it is worth the milliseconds.

    It is not while a run is on its way and has named inputs only (an event that ends it has the script again),
    nor when each output has its columnLineage and no table is called as a common table expression is.
    """
    outputs = [said for said in event.outputs if said.key.startswith("dataset|")]
    if not outputs:
        return not event.inputs or event.type in ("COMPLETE", "FAIL", "ABORT", "")
    if not all(said.facets.get("columnLineage", {}).get("fields") for said in outputs):
        return True
    return bool(ctes) and any(keys.parts_of(key)[1].casefold() in ctes for key in _sources(event))


def _sources(event: Event) -> set[str]:
    """The datasets that an event reads by its own word: its inputs, and what its columnLineage names."""
    found = {said.key for said in event.inputs if said.key.startswith("dataset|")}
    for said in event.outputs:
        if "columnLineage" in said.facets:
            claims = column_claims(said.facets["columnLineage"])
            found |= {keys.dataset_of(claim["source"]) for claim in claims}
    return found


@lru_cache(maxsize=4_096)
def read(sql: str, dialect: str, database: str, schema: str) -> ScriptLineage:
    """A script's lineage without any schema; scripts repeat."""
    if len(sql) > MAX_READ:
        return parse_tables(sql, dialect or None, database or None, schema or None)
    return parse(sql, dialect or None, None, database or None, schema or None)


def _home(event: Event) -> tuple[str, str, str]:
    """Where the names of a script live: (namespace, database, schema) of what the event writes, else reads."""
    for side in (event.outputs, event.inputs):
        for said in side:
            if said.key.startswith("dataset|"):
                namespace, name = keys.parts_of(said.key)
                parts = name.split(".")
                database = parts[-3] if len(parts) > 2 else ""
                return namespace, database, parts[-2] if len(parts) > 1 else ""
    namespace = keys.parts_of(event.job)[0] if event.job else ""
    return (namespace if "://" in namespace else ""), "", ""


def _told(event: Event) -> list[str]:
    found: Iterable[DatasetSaid] = (*event.inputs, *event.outputs)
    return sorted({said.key for said in found if said.key.startswith("dataset|")})


def _dataset(table: TableRef, namespace: str, told: list[str]) -> str:
    """The dataset that a table name means; `` for what is none (a function, a stage)."""
    if table.kind == "file":
        scheme, separator, rest = table.name.partition("://")
        authority, slash, path = rest.partition("/")
        if not separator or not slash or not path:
            return ""
        return keys.dataset(*names.normal(f"{scheme}://{authority}", path))
    if table.kind != "table":
        return ""
    wanted = [part.casefold() for part in table.parts]
    close: list[tuple[int, str]] = []
    for key in told:
        have = [part.casefold() for part in keys.parts_of(key)[1].split(".")]
        shared = min(len(have), len(wanted))
        if have[-shared:] == wanted[-shared:]:
            close.append((shared, key))
    if close:
        best = max(shared for shared, _ in close)
        fits = [key for shared, key in close if shared == best]
        if len(fits) == 1:
            return fits[0]
    return keys.dataset(*names.normal(namespace, table.name))
