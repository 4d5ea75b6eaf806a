"""`headwater schema` and `headwater completion`: texts for other programs."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from headwater_server.cli.output import Failed, write, write_json


@click.command()
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
def schema(json_: bool) -> None:
    """Print the GraphQL schema as SDL."""
    from headwater_server.api.graphql.schema import schema_text

    text = schema_text()
    if json_:
        write_json({"schema": text})
    else:
        write(text)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), required=False)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
def completion(shell: str | None, json_: bool) -> None:
    """Print the script that completes commands, options and names of things.

    For example: headwater completion bash >> ~/.bashrc
    """
    from headwater_server.cli.group import headwater

    name = shell or Path(os.environ.get("SHELL", "")).name
    found = get_completion_class(name)
    if found is None:
        raise Failed("The shell is not known: give bash, zsh or fish.")
    text = found(headwater, {}, "headwater", "_HEADWATER_COMPLETE").source()
    if json_:
        write_json({"shell": name, "script": text})
    else:
        write(text)
