"""The commands by name: the module (and the name in it, if another) and what it is for, in a line. Costs nothing to import."""

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "Start the server and print what to paste into your pipelines."),
    "status": ("upkeep", "Say whether the server is ready and how much it holds."),
    "ingest": ("ingest", "Send OpenLineage events from files, folders or standard input."),
    "import": ("importing:import_", "Take in what dbt and DVC keep in files, and another MLflow server."),
    "search": ("show", "Find datasets, columns, jobs and models by name."),
    "show": ("show", "Show one thing: its columns, runs, versions, owners and tags."),
    "lineage": ("lineage", "Draw what a thing is made of and what is made of it."),
    "impact": ("impact", "Say what breaks when something changes, worst first."),
    "paths": ("paths", "Show how data flows from one thing to another."),
    "why": ("paths", "Show who said that one thing feeds another, and when."),
    "diff": ("lineage", "Compare the lineage of a thing at two moments."),
    "events": ("events", "List the records that were accepted, newest first."),
    "model": ("model", "Register models, make versions, move them between stages."),
    "export": ("export", "Write the events behind a thing, to be ingested elsewhere."),
    "token": ("token", "Make, list and revoke the tokens that open a server."),
    "backup": ("backup", "Copy the data folder, also while a server works on it."),
    "restore": ("backup", "Put a backup into a new data folder, verified."),
    "audit": ("audit", "Verify the log, prove what is in it, take checkpoints, erase for good."),
    "dlq": ("dlq", "List records that could not be projected; try them again or leave them out."),
    "migrate": ("migrate", "Move the graph from the embedded store to Neo4j, or back."),
    "sql": ("sql", "Column lineage of SQL files, without a server."),
    "rebuild": ("upkeep", "Make the graph again from the record log."),
    "hash": ("upkeep:hash_", "Print a hash of the graph's content."),
    "doctor": ("upkeep", "Check the installation, the settings, the log and the graph."),
    "schema": ("shell", "Print the GraphQL schema."),
    "completion": ("shell", "Print the script that completes commands in a shell."),
}

GROUPS: dict[str, tuple[str, ...]] = {
    "Start": ("up", "status", "ingest", "import"),
    "Ask": ("search", "show", "lineage", "impact", "paths", "why", "diff", "events"),
    "Govern": ("model", "export", "token", "audit", "backup", "restore"),
    "Check": ("sql", "dlq", "migrate", "rebuild", "hash", "doctor"),
    "Shell": ("schema", "completion"),
}


def overview() -> str:
    """The text of `headwater --help`."""
    lines = [
        "Usage: headwater COMMAND [OPTIONS] [ARGS]...",
        "",
        "One graph for data lineage and the model registry.",
    ]
    for title, names in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<11} {COMMANDS[name][1]}" for name in names)]
    lines += [
        "",
        "Options:",
        "  --version   Print the version.",
        "  -h, --help  Print this; after a command: its own options.",
        "",
        "Every command knows --json. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 above a threshold,",
        "4 somebody else changed it first. Commands that ask a server find it by --url or HEADWATER_URL",
        "(default http://127.0.0.1:4747) and show it HEADWATER_TOKEN; --data DIR or --neo4j URI works without one.",
    ]
    return "\n".join(lines)
