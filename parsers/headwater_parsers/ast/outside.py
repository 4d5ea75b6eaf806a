"""Recognises calls in FROM that only name a table or a file."""

from sqlglot import exp

from headwater_parsers.ast.names import at_of, table_of
from headwater_parsers.dialects import Traits
from headwater_parsers.tree import Table

_READERS = frozenset(
    {
        "readparquet", "readcsv", "readcsvauto", "readjson", "readjsonauto", "readndjson",
        "parquetscan", "deltascan", "icebergscan", "readxlsx", "readtext", "readblob", "readfiles",
        "s3", "s3cluster", "gcs", "url", "file", "hdfs", "azureblobstorage", "deltalake",
        "iceberg", "openrowset", "cloudfiles",
    }
)  # fmt: skip
_REMOTE = frozenset({"remote", "remotesecure", "cluster", "clusterallreplicas"})


def named_by(node: exp.Expr, traits: Traits) -> Table | None:
    """Return what `read_parquet('s3://...')`, `identifier('db.t')` or `remote(h, db.t)` names."""
    name = (node.name if isinstance(node, exp.Anonymous) else type(node).key).lower()
    if name in ("identifier", "table", "dynamicidentifier", "tablefromrows"):
        return _in_string(node, traits)
    if name in _REMOTE:
        for arg in node.expressions[1:]:
            if isinstance(arg, exp.Column | exp.Dot):
                return table_of(arg, traits)
    if name.replace("_", "") in _READERS:
        for literal in node.find_all(exp.Literal):
            if literal.is_string and any(c in literal.this for c in "/.*"):
                return Table((str(literal.this),), kind="file", at=at_of(literal))
    return None


def _in_string(node: exp.Expr, traits: Traits) -> Table | None:
    inside = node.expressions[0] if node.expressions else node.args.get("this")
    if not isinstance(inside, exp.Literal) or not inside.is_string:
        return None
    parts = tuple(traits.fold(p, quoted=False) for p in inside.this.split("."))
    return Table(parts, at=at_of(inside))
