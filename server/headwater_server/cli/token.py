"""`headwater token`: keys that open a server, made and revoked on its data folder while it runs or not."""

import getpass
import re
import time

import click

from headwater_server.auth.policy import ROLES
from headwater_server.auth.tokens import Token, Tokens
from headwater_server.cli.output import moment, note, say, table, write_json
from headwater_server.cli.target import as_json
from headwater_server.graph import times
from headwater_server.settings import Settings

_SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MICROS = 1_000_000


class Lifetime(click.ParamType[int | None]):
    """Microseconds; None for ever."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value).strip().lower()
        if text == "never":
            return None
        found = re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text)
        if found is None:
            self.fail(f"{value!r} is no lifetime; expected 30d, 12h, 52w or never.", param, ctx)
        return int(found[1]) * _SECONDS[found[2]] * _MICROS


@click.group()
def token() -> None:
    """Make, list and revoke the tokens that open a server. A running server sees it within a second."""


def _place(function: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--data", metavar="DIR", help="Data folder of the server (HEADWATER_DATA; default .headwater)."
    )(function)


@token.command()
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, required=True, metavar="ROLE[?SCOPE]",
    help=f"What it may do: {', '.join(ROLES)}; within a scope: 'emitter?namespace=spark-*'. May be given again.",
)  # fmt: skip
@click.option(
    "--expires", type=Lifetime(), default="365d", show_default=True,
    help="How long it opens anything: 30d, 12h, 52w, never.",
)  # fmt: skip
@click.option("--person", is_flag=True, help="It acts in the name of a person, not of a service.")
@_place
@as_json
def create(
    name: str, roles: tuple[str, ...], expires: int | None, person: bool, data: str | None, json_: bool
) -> None:
    """Make a token and print its key: this once, it is kept nowhere."""
    now = time.time_ns() // 1_000
    until = None if expires is None else now + expires
    tokens = _tokens(data)
    made, key = tokens.create(name, roles, by=_who(), at=now, expires=until, person=person)
    tokens.close()
    if json_:
        write_json({**_told(made), "key": key})
        return
    say(key)
    note(f"Token {made.id} for {made.name}: {', '.join(made.roles)}; {_until(made)}.")
    note("It is not shown again. Send it as `Authorization: Bearer …`, or set HEADWATER_TOKEN.")


@token.command(name="list")
@_place
@as_json
def list_(data: str | None, json_: bool) -> None:
    """List the tokens, revoked and expired ones too."""
    tokens = _tokens(data)
    found = tokens.all()
    tokens.close()
    if json_:
        write_json([_told(one) for one in found])
        return
    rows = [
        [one.id, one.name, ", ".join(one.roles), _when(one.created), _when(one.used) or "never", _until(one)]
        for one in found
    ]
    say(table(["id", "name", "roles", "made", "last used", ""], rows) if rows else "There are no tokens.")


@token.command()
@click.argument("token_id", metavar="ID")
@_place
@as_json
def revoke(token_id: str, data: str | None, json_: bool) -> None:
    """Let a token open nothing any more. ID is what `list` shows, or the key itself."""
    tokens = _tokens(data)
    id_ = token_id.split("_")[1] if token_id.startswith("hw_") and token_id.count("_") > 1 else token_id
    gone = tokens.revoke(id_, by=_who(), at=time.time_ns() // 1_000)
    tokens.close()
    if json_:
        write_json(_told(gone))
    else:
        say(f"Token {gone.id} ({gone.name}) is revoked.")


def _tokens(data: str | None) -> Tokens:
    return Tokens(Settings.from_env(data=data).data)


def _who() -> str:
    """Whoever is logged in on this machine."""
    try:
        return getpass.getuser()
    except OSError:  # a container's user without a name
        return "unknown"


def _iso(at: int | None) -> str | None:
    return None if at is None else times.text(at)


def _when(at: int | None) -> str:
    return moment(_iso(at))


def _until(one: Token) -> str:
    if one.revoked is not None:
        return f"revoked {_when(one.revoked)}"
    return "never expires" if one.expires is None else f"until {_when(one.expires)}"


def _told(one: Token) -> dict[str, object]:
    times = {name: _iso(getattr(one, name)) for name in ("created", "expires", "used", "revoked")}
    return {
        "id": one.id, "name": one.name, "person": one.person, "roles": list(one.roles), "createdBy": one.created_by,
        **times, "valid": one.valid(time.time_ns() // 1_000),
    }  # fmt: skip
