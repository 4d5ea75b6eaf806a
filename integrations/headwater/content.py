"""Content hashes of what a run reads: every row counts, so that the exact version of the data is known."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_BLOCK = 1 << 20


def digest(data: Any) -> str:
    """32 hexadecimal characters of SHA-256 over all content: a DataFrame (pandas, polars), an Arrow table, an array
    (NumPy, anything with `__array__`), bytes, a file or a folder by its path.

    The same content gives the same digest within one version of the library that holds it.

    Raises:
        TypeError: none of these.

    """
    found = hashlib.sha256()
    for part in _parts(data):
        found.update(part)
    return found.hexdigest()[:32]


def _parts(data: Any) -> Iterable[Any]:
    if isinstance(data, (bytes, bytearray, memoryview)):
        yield data
    elif isinstance(data, (str, Path)):
        yield from _file_parts(Path(data))
    elif _is(data, "pandas", "DataFrame"):
        from pandas.util import hash_pandas_object

        yield json.dumps([[str(n), str(t)] for n, t in data.dtypes.items()]).encode()
        yield hash_pandas_object(data, index=True).to_numpy().tobytes()
    elif _is(data, "polars", "DataFrame"):
        yield json.dumps([[n, str(t)] for n, t in data.schema.items()]).encode()
        yield from _arrow_parts(data.to_arrow())
    elif _is(data, "pyarrow", "Table"):
        yield from _arrow_parts(data)
    elif hasattr(data, "__array__"):
        array = data.__array__()
        yield f"{array.dtype.str}{array.shape}".encode()
        yield array.tobytes()
    else:
        raise TypeError(
            f"the content of a {type(data).__name__} is not known; give a DataFrame, an Arrow table, an array, bytes or a path"
        )


def _arrow_parts(table: Any) -> Iterable[bytes]:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    yield sink.getvalue()


def _file_parts(path: Path) -> Iterable[bytes]:
    if path.is_dir():
        for one in sorted(p for p in path.rglob("*") if p.is_file()):
            yield one.relative_to(path).as_posix().encode() + b"\x00"
            yield from _file_parts(one)
        return
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def columns(data: Any) -> list[dict[str, str]]:
    """Name and type of each column; empty for what has none."""
    if _is(data, "pandas", "DataFrame"):
        return [{"name": str(n), "type": str(t)} for n, t in data.dtypes.items()]
    if _is(data, "polars", "DataFrame"):
        return [{"name": n, "type": str(t)} for n, t in data.schema.items()]
    if _is(data, "pyarrow", "Table"):
        return [{"name": f.name, "type": str(f.type)} for f in data.schema]
    return []


def rows(data: Any) -> int | None:
    return (
        len(data)
        if _is(data, "pandas", "DataFrame") or _is(data, "polars", "DataFrame")
        else getattr(data, "num_rows", None)
    )


def _is(data: Any, module: str, name: str) -> bool:
    """Without importing the library."""
    return any(
        base.__name__ == name and base.__module__.partition(".")[0] == module for base in type(data).__mro__
    )
