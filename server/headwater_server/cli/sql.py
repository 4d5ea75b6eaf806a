"""`headwater sql`: column lineage of SQL files, by the parsers alone, without a server."""

from importlib import import_module

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def sql(args: tuple[str, ...]) -> int:
    """Column lineage of SQL files: `headwater sql FILES --dialect snowflake`."""
    return int(import_module("headwater_parsers.cli").run(list(args)))
