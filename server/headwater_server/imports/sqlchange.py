"""What a change of a script means to the tables that it writes: columns that go, get another name, type or origin. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headwater_parsers import ScriptLineage, TableRef

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)
_CAST = re.compile(
    r"^(?:try_|safe_)?cast\s*\(.*\bas\s+(?P<cast>[\w ]+(?:\([\d, ]*\))?)\s*\)(?:\s+as\s+\S+|\s+\w+)?$"
    r"|::\s*(?P<colons>\w+(?:\([\d, ]*\))?)(?:\s+as\s+\S+|\s+\w+)?$",
    re.DOTALL,
)
_ALIAS = re.compile(r"\s+as\s+[\"`\[]?\w+[\"`\]]?$")


@dataclass(frozen=True, slots=True)
class Made:
    """A column as a script makes it."""

    name: str
    sources: frozenset[tuple[str, str]]
    how: frozenset[str]
    expression: str
    """Without its alias, in one spelling."""
    type: str
    """As far as a cast says it; empty otherwise."""

    @property
    def way(self) -> tuple[object, ...]:
        return self.sources, self.how, self.expression


@dataclass(slots=True)
class Written:
    """A table as a script writes it."""

    name: str
    columns: dict[str, Made] = field(default_factory=dict)
    rows: set[tuple[str, str, str]] = field(default_factory=set)
    """What decides which rows there are, and their order."""

    @property
    def is_open(self) -> bool:
        """A `*` whose columns are not known may hold anything."""
        return any("*" in name for name in self.columns)


@dataclass(frozen=True, slots=True)
class Difference:
    """One change of one table, in the words of `ChangeKind`."""

    table: str
    kind: str
    columns: tuple[str, ...] = ()
    new_type: str | None = None
    text: str = ""


def written(lineage: ScriptLineage, *, called: str) -> dict[str, Written]:
    """By name; what a bare SELECT makes is `called` so, as a dbt model is by its file."""
    found: dict[str, Written] = {}
    outputs = [table for table in lineage.outputs if table.kind == "table"]

    def of(table: TableRef | None) -> Written | None:
        if table is None:
            return None if outputs else found.setdefault(called, Written(called))
        if table in lineage.temporary or table.kind != "table":
            return None
        return found.setdefault(table.name, Written(table.name))

    for table in outputs:
        of(table)
    for statement in lineage.statements:
        for made in statement.columns:
            if (one := of(made.ref.table)) is not None:
                one.columns[made.ref.name.casefold()] = _made(
                    made.ref.name, made.expression, lineage, made.ref.table
                )
    for whole in lineage.dataset_edges:
        if (one := of(whole.output)) is not None:
            one.rows.add(
                (_table(whole.input.table, whole.input.candidates), whole.input.name, whole.subtype.value)
            )
    return found


def _made(name: str, expression: str | None, lineage: ScriptLineage, table: TableRef | None) -> Made:
    edges = [e for e in lineage.edges if e.output.table == table and e.output.name == name]
    said = _spelled(expression or "")
    cast = _CAST.search(said)
    return Made(
        name,
        frozenset((_table(e.input.table, e.input.candidates), e.input.name.casefold()) for e in edges),
        frozenset(f"{e.subtype.value}{' masked' if e.masking else ''}" for e in edges),
        _ALIAS.sub("", said),
        (cast["cast"] or cast["colons"]).strip() if cast else "",
    )


def _table(table: TableRef | None, candidates: Iterable[TableRef]) -> str:
    return (table.name if table else "|".join(sorted(t.name for t in candidates))).casefold()


def _spelled(text: str) -> str:
    return " ".join(_COMMENT.sub(" ", text).casefold().split())


def same_text(one: str, other: str) -> bool:
    """But for comments, spacing and case."""
    return _spelled(one) == _spelled(other)


def differences(before: Mapping[str, Written], after: Mapping[str, Written]) -> list[Difference]:
    """Table by table; a table whose columns all stay as they are may still change inside (JOB_CHANGE)."""
    found: list[Difference] = []
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            text = f"nothing in this file writes `{name}` any more"
            found.append(Difference(name, "DATASET_STALE", text=text))
        else:
            found += _of_table(old, new) or [
                Difference(name, "JOB_CHANGE", text="its rows or how they are made change")
            ]
    return found


def _of_table(old: Written, new: Written) -> list[Difference]:
    gone = (
        [] if new.is_open else [old.columns[n] for n in old.columns if n not in new.columns and "*" not in n]
    )
    fresh = [new.columns[n] for n in new.columns if n not in old.columns]
    found: list[Difference] = []
    renamed: dict[str, str] = {}
    for one in gone:
        other = next(
            (f for f in fresh if f.sources and f.way == one.way and f.name not in renamed.values()), None
        )
        if other is not None:
            renamed[one.name] = other.name
    for was_called, now_called in renamed.items():
        text = f"`{was_called}` becomes `{now_called}`"
        found.append(Difference(old.name, "COLUMN_RENAME", (was_called,), text=text))
    dropped = tuple(one.name for one in gone if one.name not in renamed)
    if dropped:
        found.append(
            Difference(old.name, "COLUMN_DROP", dropped, text=f"{_listed(dropped)} {_goes(dropped)}")
        )
    changed: list[str] = []
    for name, made in new.columns.items():
        was = old.columns.get(name)
        if was is None or was.way == made.way:
            continue
        if made.type and made.type != was.type and was.sources == made.sources:
            text = f"`{was.name}` becomes {made.type}" + (f" (was {was.type})" if was.type else "")
            found.append(Difference(old.name, "COLUMN_TYPE", (was.name,), made.type, text))
        else:
            changed.append(was.name)
    if changed:
        text = f"{_listed(changed)} {'is' if len(changed) == 1 else 'are'} made differently"
        found.append(Difference(old.name, "SCHEMA_CHANGE", tuple(changed), text=text))
    if old.rows != new.rows:
        found.append(Difference(old.name, "JOB_CHANGE", text=_rows(old.rows, new.rows)))
    return found


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _goes(columns: tuple[str, ...]) -> str:
    return "goes" if len(columns) == 1 else "go"


def _rows(old: set[tuple[str, str, str]], new: set[tuple[str, str, str]]) -> str:
    words = {"JOIN": "joins", "FILTER": "filters", "GROUP_BY": "groups", "SORT": "order"}
    hit = sorted({words.get(subtype, "rows") for _, _, subtype in old ^ new})
    return f"other {', '.join(hit)}: which rows there are may change"
