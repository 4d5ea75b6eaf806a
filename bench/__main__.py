"""`make bench`: every figure, one table. `python -m bench [NAME …] [--size N] [--json FILE] [--write] [--no-neo4j]`."""

import argparse
import importlib
import inspect
import time
from pathlib import Path

from bench import figures

NAMES = ("ingest", "steps", "walks", "columns", "runs", "graphql_rows", "listening", "starting")
DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "benchmarks.md", "bench ARGS=--write"
APART = {"mlflow": (DOCS / "mlflow.md", "bench-mlflow ARGS=--write")}
"""Asked for by their names alone, with a table on a page of their own."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"any of {', '.join(NAMES)}; all without one; or {', '.join(APART)}",
    )
    parser.add_argument("--size", type=float, default=1.0, help="0.1 for a tenth of the work (default 1)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--write", action="store_true", help="put the table into its page of the docs")
    parser.add_argument("--no-neo4j", action="store_true", help="the embedded store alone")
    given = parser.parse_args()
    if strange := set(given.names) - {*NAMES, *APART}:
        there = ", ".join((*NAMES, *APART))
        parser.error(f"no benchmark is called {', '.join(sorted(strange))}; there are {there}")
    apart = set(given.names) & APART.keys()
    if apart and len(given.names) > 1:
        parser.error(f"{', '.join(sorted(apart))} has a page of its own: ask for it alone")
    found: list[figures.Figure] = []
    for name in given.names or NAMES:
        began = time.monotonic()
        measure = importlib.import_module(f"bench.{name}").measure
        takes_store = "with_neo4j" in inspect.signature(measure).parameters
        options = {"with_neo4j": not given.no_neo4j} if takes_store else {}
        found.extend(measure(given.size, **options))
        figures.progress(f"{name}: {time.monotonic() - began:.0f} s")
    print(figures.table(found))
    if given.json:
        figures.save(given.json, found)
    if given.write:
        page, by = APART.get(next(iter(apart), ""), PAGE)
        figures.write_into(page, found, by=by)


if __name__ == "__main__":
    main()
