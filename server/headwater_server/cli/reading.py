"""Events out of files: NDJSON line by line, a JSON array, or one event; gzipped or not. Pure but for the reading."""

import gzip
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headwater_server.cli.output import Failed

SUFFIXES = (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz")
STDIN = "-"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Found:
    """One event as bytes without a newline, and where it stands, for people to find it."""

    body: bytes
    place: str


def sources(given: str) -> list[str]:
    """The files that a FILE, a DIR or `-` stands for, in order.

    Raises:
        Failed: nothing is there, or a folder holds no file of events.

    """
    if given == STDIN:
        return [STDIN]
    path = Path(given)
    if path.is_dir():
        files = sorted(str(p) for p in path.rglob("*") if p.is_file() and p.name.lower().endswith(SUFFIXES))
        if not files:
            raise Failed(f"{given} holds no file that ends in {', '.join(SUFFIXES)}.")
        return files
    if not path.exists():
        raise Failed(f"There is no file or folder {given}.")
    return [given]


def size(source: str) -> int:
    return 0 if source == STDIN else Path(source).stat().st_size


def events(source: str, advance: Callable[[int], None] = lambda _: None) -> Iterator[Found]:
    """Every event of a source; `advance` hears how many bytes of the file went by.

    A line of NDJSON goes on as it is, sound or not: the server says what is wrong with it.
    """
    name = "<stdin>" if source == STDIN else source
    raw: IO[bytes] = sys.stdin.buffer if source == STDIN else Path(source).open("rb")  # noqa: SIM115 - see finally
    try:
        stream: Iterable[bytes] = raw
        if source.endswith(".gz"):
            stream = gzip.open(raw)  # noqa: SIM115 - `raw` is closed below, and holds all there is to close
        yield from _events(stream, name, raw, advance)
    except (gzip.BadGzipFile, EOFError) as error:
        raise Failed(f"{name} cannot be read as gzip: {error}") from None
    finally:
        if source != STDIN:
            raw.close()


def _events(
    stream: Iterable[bytes], name: str, raw: IO[bytes], advance: Callable[[int], None]
) -> Iterator[Found]:
    at, told, number = 0, 0, 0
    for line in stream:
        number += 1
        body = line.strip() if number > 1 else line.removeprefix(_BOM).strip()
        if not body:
            continue
        if not at and not _is_object(body):
            yield from _whole(body + b"\n" + b"".join(stream), name)
            return
        at += 1
        yield Found(body, f"{name}:{number}")
        if raw.seekable() and at % 64 == 0:
            advance(raw.tell() - told)
            told = raw.tell()


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _whole(content: bytes, name: str) -> Iterator[Found]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Failed(
            f"{name} is neither NDJSON, nor a JSON array of events, nor one event: {error}"
        ) from None
    if not isinstance(value, list):
        yield Found(_compact(value), name)
        return
    for index, event in enumerate(value):
        yield Found(_compact(event), f"{name}[{index}]")


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
