"""Docs cannot lie: what there is is documented, what is documented is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from headwater_server.api.graphql.schema import schema
from headwater_server.cli.catalogue import COMMANDS, GROUPS
from headwater_server.cli.group import headwater
from headwater_server.settings import documented

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
TEXT = {page: page.read_text() for page in PAGES}
EVERYTHING = "\n".join(TEXT.values())
_GIVEN = re.compile(r"^(?:\$ |- run: )(?:make|headwater) .*$", re.MULTILINE)


def _fields() -> list[str]:
    core = schema._schema
    types = [core.query_type, core.mutation_type]
    return [name for kind in types if kind is not None for name in kind.fields]


@pytest.mark.parametrize("field", _fields())
def test_a_graphql_field_is_named_in_the_docs(field: str) -> None:
    assert re.search(rf"\b{field}\b", "\n".join(t for p, t in TEXT.items() if p.parent.name == "docs"))


@pytest.mark.parametrize(("name", "variable", "default", "about"), documented())
def test_a_setting_is_documented_with_its_default(name: str, variable: str, default: str, about: str) -> None:
    page = TEXT[ROOT / "docs" / "configuration.md"]
    shown = f"`{default}`" if default else ""
    assert re.search(rf"\| `{variable}` \| `{name}` \| {re.escape(shown)} ?\|", page)
    assert about.split(";", maxsplit=1)[0].split(",", maxsplit=1)[0].rstrip(".") in page


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_documented(command: str) -> None:
    assert f"`headwater {command}" in TEXT[ROOT / "docs" / "cli.md"]


def test_help_lists_every_command_once() -> None:
    listed = [name for names in GROUPS.values() for name in names]
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_where_the_catalogue_says_and_knows_json(command: str) -> None:
    context = click.Context(headwater)
    found = headwater.get_command(context, command)
    assert found is not None
    commands = found.commands.values() if isinstance(found, click.Group) else [found]
    assert all(any("--json" in p.opts for p in each.params) for each in commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", TEXT[page]):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_examples_exist(page: Path) -> None:
    for line in _GIVEN.findall(TEXT[page]):
        words = shlex.split(re.sub(r"\s# .*", "", line.removeprefix("$ ").removeprefix("- run: ")))
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
            continue
        command = headwater.get_command(click.Context(headwater), words[1])
        assert command is not None, line
        if isinstance(command, click.Group):
            command = command.commands[words[2]]
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)}
        assert given <= known, line
