"""`headwater model`: register models, make versions, move them between stages, see who stood where."""

from typing import Any

import click
from rich.text import Text

from headwater_server.cli import queries
from headwater_server.cli.completing import complete_ref
from headwater_server.cli.output import Failed, moment, note, say, table, write_json
from headwater_server.cli.target import answering, ask, asks, outcome


@click.group()
def model() -> None:
    """Register models, make versions, move them between stages."""


@model.command()
@click.argument("name")
@click.option("--description", help="What it predicts, for whom.")
@click.option(
    "--stage", "stages", multiple=True, metavar="NAME[!]", help="A stage, in order; ! holds one version only."
)
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]")
@asks
def register(
    name: str, description: str | None, stages: tuple[str, ...], tags: tuple[str, ...],
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Register a model by NAME. Without --stage: Development, Staging, Production, Archived."""
    asked = {
        "name": name, "description": description, "tags": [_tag(tag) for tag in tags],
        "stages": [{"name": s.rstrip("!"), "exclusive": s.endswith("!")} for s in stages] or None,
    }  # fmt: skip
    with answering(url, data, neo4j) as server:
        made = outcome(ask(server, queries.REGISTER_MODEL, input=asked)["registerModel"])["model"]
    if json_:
        write_json(made)
        return
    say(f"{made['name']} is registered, with the stages {', '.join(s['name'] for s in made['stages'])}.")


@model.command("ls")
@click.argument("query", required=False)
@click.option("--stage", help="Only versions that stand in this stage.")
@click.option("--as-of", metavar="TIME", help="With --stage: as it was then.")
@click.option("--first", type=click.IntRange(1), default=50, show_default=True, help="Show at most so many.")
@asks
def list_(
    query: str | None, stage: str | None, as_of: str | None, first: int,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """List models and where their versions stand."""
    if as_of is not None and stage is None:
        raise click.UsageError("--as-of asks who stood in a stage: give --stage too.")
    with answering(url, data, neo4j) as server:
        if stage is not None:
            found = ask(server, queries.IN_STAGE, stage=stage, asOf=as_of, first=first)["modelsInStage"]
        else:
            found = ask(server, queries.MODELS, query=query, first=first)["models"]
    if json_:
        write_json(found)
        return
    nodes = [edge["node"] for edge in found["edges"]]
    if not nodes:
        say(Text("No model." if stage is None else f"No version stands in {stage}.", style="dim"))
        return
    if stage is not None:
        rows = [[n["model"]["name"], n["version"], " ".join(f"@{a}" for a in n["aliasNames"])] for n in nodes]
        say(table(["Model", "Version", "Aliases"], rows, right=["Version"]))
        return
    say(
        table(
            ["Model", "Versions", "Standing", "Aliases", "About"],
            [
                [
                    Text(n["name"], style="magenta"),
                    str(n["versions"]["totalCount"]),
                    "  ".join(
                        f"{s['name']}: {', '.join('v' + v['version'] for v in s['currentVersions'])}"
                        for s in sorted(n["stages"], key=lambda s: s["order"])
                        if s["currentVersions"]
                    ),
                    " ".join(f"@{a['name']}→{a['version']['version']}" for a in n["aliases"]),
                    n["description"] or "",
                ]
                for n in nodes
            ],
            right=["Versions"],
        )
    )
    if found["totalCount"] > len(nodes):
        note(f"{len(nodes)} of {found['totalCount']} are shown; --first shows more.")


@model.command("create-version")
@click.argument("name")
@click.option("--run", "run_id", metavar="RUN_ID", help="The OpenLineage run that trained it.")
@click.option(
    "--trained-on", multiple=True, metavar="REF", help="A dataset that it learnt from; may be given again."
)
@click.option("--source", metavar="URI", help="Where the model itself lies.")
@click.option("--content-hash", help="Hash of the model's files.")
@click.option("--description")
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]")
@asks
def create_version(
    name: str, run_id: str | None, trained_on: tuple[str, ...], source: str | None, content_hash: str | None,
    description: str | None, tags: tuple[str, ...],
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Make a new version of NAME, from the run that trained it or with the datasets that it learnt from."""
    asked = {
        "model": name, "runId": run_id, "trainedOn": list(trained_on) or None, "sourceUri": source,
        "contentHash": content_hash, "description": description, "tags": [_tag(tag) for tag in tags],
    }  # fmt: skip
    with answering(url, data, neo4j) as server:
        made = outcome(ask(server, queries.CREATE_VERSION, input=asked)["createModelVersion"])["modelVersion"]
    if json_:
        write_json(made)
        return
    say(
        f"{made['model']['name']} has a version {made['version']}: models:/{made['model']['name']}/{made['version']}"
    )


@model.command()
@click.argument("ref", shell_complete=complete_ref)
@click.option("--to", "stage", required=True, metavar="STAGE", help="Where it goes.")
@click.option("-m", "--comment", help="Why; kept for ever.")
@click.option(
    "--expected-revision", type=int, help="Only if the model is still at this revision; else exit 4."
)
@click.option("--archive-existing", is_flag=True, help="Archive who stands there now.")
@asks
def promote(
    ref: str, stage: str, comment: str | None, expected_revision: int | None, archive_existing: bool,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Move a version to another stage. REF is models:/NAME/VERSION, or NAME/VERSION for short."""
    asked: dict[str, Any] = {"toStage": stage, "comment": comment, "expectedRevision": expected_revision}
    if archive_existing:
        asked["archiveExisting"] = True
    with answering(url, data, neo4j) as server:
        made = outcome(
            ask(server, queries.TRANSITION, input={**asked, **_version_of(ref)})["transitionStage"]
        )
    if json_:
        write_json(made)
        return
    version, move = made["modelVersion"], made["transition"]
    origin = f" from {move['fromStage']}" if move["fromStage"] else ""
    say(
        f"{version['model']['name']} version {version['version']} moved{origin} to {move['toStage']} (revision {made['revision']})."
    )
    if move["archivedVersions"]:
        say("Archived: " + ", ".join(f"version {v['version']}" for v in move["archivedVersions"]))


@model.command()
@click.argument("name")
@click.argument("alias")
@click.argument("version", required=False)
@click.option("--remove", is_flag=True, help="Take the alias away.")
@click.option("--expected-version", help="Only if it still points there; else exit 4.")
@asks
def alias(
    name: str, alias: str, version: str | None, remove: bool, expected_version: str | None,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Let ALIAS of model NAME point to VERSION."""
    if (version is None) != remove:
        raise click.UsageError("Give the version that the alias is to point to, or --remove.")
    asked = {
        "model": name,
        "alias": alias.removeprefix("@"),
        "version": version,
        "expectedVersion": expected_version,
    }
    with answering(url, data, neo4j) as server:
        made = outcome(ask(server, queries.SET_ALIAS, input=asked)["setAlias"])
    if json_:
        write_json(made)
        return
    before = f" (was {made['previous']['version']})" if made["previous"] else ""
    now = f"points to version {made['alias']['version']['version']}" if made["alias"] else "is gone"
    say(f"{name}@{asked['alias']} {now}{before}.")


@model.command()
@click.argument("ref", shell_complete=complete_ref)
@click.option("--first", type=click.IntRange(1), default=50, show_default=True, help="Show at most so many.")
@asks
def history(ref: str, first: int, url: str | None, data: str | None, neo4j: str | None, json_: bool) -> None:
    """Show who moved a model's versions, when, where to and why. REF is NAME, NAME/VERSION or models:/…"""
    reference = (
        ref if ref.startswith(("models:/", "hw:")) else f"models:/{ref}" if "/" in ref else f"hw:model:{ref}"
    )
    with answering(url, data, neo4j) as server:
        entity = ask(server, queries.HISTORY, ref=reference, first=first)["entity"]
    if entity is None or entity["__typename"] not in {"RegisteredModel", "ModelVersion"}:
        raise Failed(f"{ref!r} is no model and no version of one.", code="NOT_FOUND")
    versions = (
        [edge["node"] for edge in entity["versions"]["edges"]]
        if entity["__typename"] == "RegisteredModel"
        else [entity]
    )
    moves = [
        {"version": version["version"], **edge["node"]}
        for version in versions
        for edge in version["transitions"]["edges"]
    ]
    moves.sort(key=lambda move: str(move["requestedAt"]), reverse=True)
    if json_:
        write_json(moves)
    elif not moves:
        say(Text("It never moved.", style="dim"))
    else:
        rows = [
            [moment(m["requestedAt"]), f"v{m['version']}", m["fromStage"] or "–", m["toStage"], m["requestedBy"]["name"], m["comment"] or ""]
            for m in moves[:first]
        ]  # fmt: skip
        say(table(["When", "Version", "From", "To", "Who", "Why"], rows))


def _tag(text: str) -> dict[str, str | None]:
    key, equals, value = text.partition("=")
    if not key:
        raise click.UsageError(f"A tag is {text!r}, but must be KEY or KEY=VALUE.")
    return {"key": key, "value": value if equals else None}


def _version_of(ref: str) -> dict[str, str]:
    if ref.startswith(("models:/", "hw:")):
        return {"ref": ref}
    name, slash, version = ref.rpartition("/")
    if not slash or not name:
        raise click.UsageError(f"REF is {ref!r}, but must be NAME/VERSION or models:/NAME/VERSION.")
    return {"model": name, "version": version}
