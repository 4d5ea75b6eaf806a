"""`headwater impact --from-git-diff`: the SQL files that a branch changes, and what that means to their tables."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import click

from headwater_server.cli.output import Failed

MAX_FILES = 1_000
_MACRO = re.compile(r"\{%-?\s*(?:macro|test|materialization)\b")


@dataclass(frozen=True, slots=True)
class Changed:
    """A file on both sides; None where it is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about impact, and why it is asked."""

    file: str
    ref: str
    difference: Any


@dataclass(slots=True)
class Plan:
    """What to ask, and what could not be read."""

    files: int = 0
    asked: list[Asked] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Project:
    """What a dbt project says of its files: which table each makes, and the columns of its tables."""

    tables: Mapping[str, str] = field(default_factory=dict)
    """path in the project -> reference of the table"""
    schemas: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    """Paths of tests and analyses: files that make no table."""

    def makes_none(self, path: str) -> bool:
        return any(path == other or path.endswith("/" + other) for other in self.others)

    def table_of(self, path: str) -> str | None:
        ends = [made for made in self.tables if path == made or path.endswith("/" + made)]
        return self.tables[max(ends, key=len)] if ends else None


def changed_files(revisions: str, *, cwd: Path | None = None) -> list[Changed]:
    """The .sql files of `main...`, `main..topic` or `main` (against the working tree).

    Raises:
        Failed: no git, no repository, no such revision.

    """
    if revisions.startswith("-"):
        raise click.UsageError(
            f"{revisions!r} is no range of revisions; expected one like main... or main..topic."
        )
    root = Path(_git(["rev-parse", "--show-toplevel"], cwd).strip())
    old, new = _sides(revisions, root)
    listed = _git(["diff", "--name-status", "-z", "-M", old, *([new] if new else []), "--", "*.sql"], root)
    words = iter(listed.split("\0"))
    found: list[Changed] = []
    for status in words:
        if not status:
            continue
        path = next(words)
        was = path
        if status[0] in "RC":
            path = next(words)
        before = None if status[0] in "AC" else _git(["show", f"{old}:{was}"], root)
        after = None if status[0] == "D" else _after(new, path, root)
        found.append(Changed(path, before, after))
        if len(found) > MAX_FILES:
            raise Failed(f"More than {MAX_FILES} SQL files change. Narrow the range.")
    return found


def _after(revision: str, path: str, root: Path) -> str:
    if revision:
        return _git(["show", f"{revision}:{path}"], root)
    return (root / path).read_text(encoding="utf-8", errors="replace")


def _sides(revisions: str, root: Path) -> tuple[str, str]:
    """Commits; an empty second one is the working tree."""
    for dots in ("...", ".."):
        old, found, new = revisions.partition(dots)
        if found:
            end = _commit(new or "HEAD", root)
            start = _commit(old or "HEAD", root)
            return (_git(["merge-base", start, end], root).strip() if dots == "..." else start), end
    return _commit(revisions, root), ""


def _commit(revision: str, root: Path) -> str:
    return _git(["rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"], root).strip()


def _git(arguments: Sequence[str], cwd: Path | None) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - git is found where the person's shell finds it
            cwd=cwd, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise Failed("git is not installed, and --from-git-diff asks it what changed.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failed(f"git {arguments[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout.decode("utf-8", errors="replace")


def dbt_project(target: Path) -> Project:
    """From a target folder; without a profile, tables are called by name alone."""
    from headwater_server.errors import HeadwaterError
    from headwater_server.imports.dbt_artifacts import read_artifacts
    from headwater_server.imports.dbt_nodes import relation
    from headwater_server.imports.dbt_profile import find_profile, warehouse

    artifacts = read_artifacts(target)
    try:
        project = target if (target / "dbt_project.yml").exists() else target.resolve().parent
        profile = {} if artifacts.adapter == "bigquery" else find_profile(project, folder=None, target=None)
        prefix = warehouse(artifacts.adapter, profile) + "/"
    except HeadwaterError:
        prefix = ""
    tables: dict[str, str] = {}
    schemas: dict[str, dict[str, str | None]] = {}
    others: set[str] = set()
    manifest = artifacts.manifest
    for node in [*manifest["nodes"].values(), *(manifest.get("sources") or {}).values()]:
        kind = node["resource_type"]
        if kind in ("model", "snapshot"):
            tables[node["original_file_path"]] = prefix + relation(node)
        if kind in ("test", "analysis", "operation"):
            others.add(node["original_file_path"])
        if kind in ("model", "snapshot", "seed", "source"):
            columns = artifacts.catalogued(node["unique_id"]).get("columns") or node.get("columns") or {}
            known = {c["name"]: c.get("type") or c.get("data_type") for c in columns.values()}
            called = f"{node['source_name']}.{node['name']}" if kind == "source" else node["name"]
            if known:
                schemas[called] = known
    return Project(tables, schemas, frozenset(others))


def plan(files: Sequence[Changed], *, dialect: str | None, project: Project) -> Plan:
    """Parse both sides of each file and work out what becomes of its tables."""
    from headwater_parsers import parse
    from headwater_server.imports.sqlchange import Difference, differences, same_text, written

    made = Plan(files=len(files))
    for file in files:
        if file.before is None:
            continue  # nothing depends yet on what is new
        if project.makes_none(file.path):
            continue
        if _MACRO.search(file.before):
            made.notes.append(
                f"{file.path}: a macro changes; what the models that use it become is not worked out."
            )
            continue
        model = project.table_of(file.path)
        called = PurePath(file.path).stem
        before = written(parse(file.before, dialect, project.schemas or None), called=called)
        if file.after is None:
            for name in before:
                gone = Difference(name, "DATASET_DELETE", text=f"the file that makes `{name}` goes")
                made.asked.append(Asked(file.path, model if model and name == called else name, gone))
            continue
        if same_text(file.before, file.after):
            continue
        lineage = parse(file.after, dialect, project.schemas or None)
        made.notes += [
            f"{file.path}:{problem.line}:{problem.col}: {problem.text}"
            for problem in lineage.diagnostics
            if problem.severity.value == "error"
        ]
        for one in differences(before, written(lineage, called=called)):
            made.asked.append(Asked(file.path, model if model and one.table == called else one.table, one))
    return made
