"""Scores the SQL parser on a corpus of statements with known lineage, and prints the table.

HEADWATER_SQL_CORPUS names a folder with `score.py`, the scorer, and `*.jsonl`, the corpus:

    HEADWATER_SQL_CORPUS=path python bench/score_sql.py [a file of the folder ...]
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from headwater_parsers import score_entry

PEERS = {
    "DataHub": (88.5, 82.4),
    "sqlglot.lineage": (85.8, 73.8),
    "openlineage-sql": (82.0, 40.6),
    "collate-sqllineage": (84.2, 34.9),
}
LONGEST = 20.0  # seconds of one statement


def main() -> int:
    folder = os.environ.get("HEADWATER_SQL_CORPUS")
    if not folder:
        print("HEADWATER_SQL_CORPUS is not set: there is no corpus to score.")
        return 0
    files = sys.argv[1:] or sorted(p.name for p in Path(folder).glob("*.jsonl"))
    scorer = _scorer(Path(folder) / "score.py")
    records: list[dict[str, Any]] = []
    for name in files:
        text = (Path(folder) / name).read_text(encoding="utf-8")
        records += [json.loads(line) for line in text.splitlines()]
    score_entry("SELECT a FROM t", "", None, None)  # pay for the imports first
    summary, _ = scorer.report(scorer.run(score_entry, records, LONGEST))
    _print(summary)
    return 0


def _scorer(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _print(summary: dict[str, Any]) -> None:
    head = ("group", "n", "tables", "columns", "col F1", "types", "indirect F1", "st/CPU-s")
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for group in sorted(summary, key=lambda g: (g != "ALL", g)):
        found = summary[group]
        cells = (
            group,
            found["n"],
            found["table_exact"],
            found["col_exact"],
            found["col_PRF"][2] if found["col_PRF"] else None,
            found["type_mask_ok"],
            found["indirect_PRF"][2] if found["indirect_PRF"] else None,
            found["stmts_per_s"],
        )
        print("| " + " | ".join("" if c is None else str(c) for c in cells) + " |")
    every = summary["ALL"]
    crashes, timeouts = every["crash"], every["timeout"]
    print(f"\ncrashes {crashes}, time-outs {timeouts}, slowest {every['max_ms']:.0f} ms")
    for peer, (tables, columns) in PEERS.items():
        print(f"{peer}: tables {tables}, columns {columns}")


if __name__ == "__main__":
    sys.exit(main())
