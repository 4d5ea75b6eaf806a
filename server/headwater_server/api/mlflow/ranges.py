"""Which part of a file is asked for (RFC 9110, 14: one range of bytes; others are answered with the whole)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from headwater_server.artifacts.port import Stored

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` to before `end`."""

    status: int
    start: int
    end: int
    headers: Mapping[str, str]


def span_of(asked: Mapping[str, str], stored: Stored) -> Span:
    size = stored.size
    whole = Span(200, 0, size, {"Content-Length": str(size)})
    found = _RANGE.fullmatch(asked.get("range", "").strip())
    if (
        found is None
        or found[0] == "bytes=-"
        or asked.get("if-range", f'"{stored.sha256}"') != f'"{stored.sha256}"'
    ):
        return whole
    first, last = found[1], found[2]
    if not first:  # the last so many
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return whole
    if start >= size or start >= end:
        return Span(416, 0, 0, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
    headers = {"Content-Range": f"bytes {start}-{end - 1}/{size}", "Content-Length": str(end - start)}
    return Span(206, start, end, headers)
