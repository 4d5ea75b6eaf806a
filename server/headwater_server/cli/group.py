"""Finds the command, runs it, turns whatever ends it into a line and an exit code."""

import importlib
import json
import os
import sys
from collections.abc import Sequence

import click

from headwater_server import __version__
from headwater_server.cli.catalogue import COMMANDS, overview
from headwater_server.cli.output import Exit, Failed, console
from headwater_server.errors import Conflict, HeadwaterError, Invalid

_EXTRAS = {"neo4j": "headwater[neo4j]"}


class Catalogue(click.Group):
    """Imports the module of a command only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module_name, _, attribute = COMMANDS[cmd_name][0].partition(":")
        module = importlib.import_module(f"headwater_server.cli.{module_name}")
        command = getattr(module, attribute or cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} in {module.__name__} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        import difflib

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            meant = f" Did you mean {near[0]}?" if near else " `headwater --help` lists them."
            raise click.UsageError(f"There is no command {args[0]!r}.{meant}") from None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        formatter.write(overview() + "\n")


@click.command(cls=Catalogue, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="headwater")
def headwater() -> None:
    """One graph for data lineage and the model registry."""


def run(argv: Sequence[str]) -> int:
    """Run and return the exit code; nothing but a bug of ours leaves as an exception."""
    try:
        code = headwater.main(list(argv), prog_name="headwater", standalone_mode=False)
    except click.UsageError as error:
        where = f" See `{error.ctx.command_path} --help`." if error.ctx and error.ctx.parent else ""
        return _end(argv, Exit.USAGE, "USAGE", error.format_message() + where)
    except click.ClickException as error:
        return _end(argv, Exit.FAILED, "FAILED", error.format_message())
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Failed as error:
        return _end(argv, error.exit_code, error.code, str(error))
    except HeadwaterError as error:
        code = Exit.CONFLICT if isinstance(error, Conflict) else Exit.FAILED
        if isinstance(error, Invalid) and "setting" in error.details:
            code = Exit.USAGE
        return _end(argv, code, error.code, str(error))
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name.startswith("headwater") or not name:
            raise
        extra = _EXTRAS.get(name, "headwater[server]")
        return _end(
            argv,
            Exit.FAILED,
            "NOT_INSTALLED",
            f"This needs {name}, which is not installed. Try: pip install '{extra}'",
        )
    except BrokenPipeError:  # `headwater events | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    return code if isinstance(code, int) else Exit.DONE


def _end(argv: Sequence[str], exit_code: int, code: str, message: str) -> int:
    if "--json" in argv:
        sys.stderr.write(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False) + "\n")
    else:
        from rich.text import Text

        line = Text.assemble(("headwater: ", "bold red"), " ".join(message.split()))
        console(stderr=True).print(line, soft_wrap=True)
    return int(exit_code)
