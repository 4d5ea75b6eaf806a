"""Bytes become JSON, within limits: size before and after gzip, UTF-8, one document or many."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import orjson

from headwater_server.errors import TooLarge, Unplaceable, Unreadable, Unsupported

_CHUNK = 64 * 1024


class Inflater:
    """Takes a body's chunks as they come; never holds more than `limit` bytes of it.

    Raises:
        Unsupported: an encoding other than gzip and identity.
        TooLarge: as soon as it is, not at the end.
        Unreadable: not gzip, or cut off.

    """

    def __init__(self, encoding: str, *, limit: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise Unsupported(f"Content-Encoding {encoding!r} is not read here. Send gzip or identity.")
        self._limit = limit
        self._raw = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._gzip = zlib.decompressobj(wbits=31) if "gzip" in encoding else None

    def feed(self, chunk: bytes) -> None:
        self._raw += len(chunk)
        if self._raw > self._limit:
            raise self._too_large()
        if self._gzip is None:
            self._add(chunk)
            return
        try:
            while chunk:
                if self._gzip.eof:  # concatenated members are one gzip file (RFC 1952)
                    self._gzip = zlib.decompressobj(wbits=31)
                self._add(self._gzip.decompress(chunk, _CHUNK))
                chunk = self._gzip.unconsumed_tail or self._gzip.unused_data
        except zlib.error as error:
            raise Unreadable(f"the body is not gzip as its Content-Encoding says ({error}).") from None

    def done(self) -> bytes:
        if self._gzip is not None and not self._gzip.eof:
            raise Unreadable("the gzip body ends too early. Send it again, whole.")
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise self._too_large()
        if part:
            self._parts.append(part)

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"the body has more than {self._limit} bytes. Send smaller events (large facets can be switched "
            "off in most producers), or raise the limit in the server's settings.",
            limit=self._limit,
        )


MAX_DEPTH = 64
"""Levels of arrays and objects."""


def load(raw: bytes) -> Any:
    """One JSON document.

    Raises:
        Unreadable: not JSON (RFC 8259: UTF-8, no byte order mark, no NaN), with the place.
        Unplaceable: nested too deep.

    """
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Unreadable(
            f"the body is not JSON (RFC 8259, in UTF-8): {error.msg} at line {error.lineno} column {error.colno}."
        ) from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_deeper(parsed, MAX_DEPTH):
        raise Unplaceable(
            f"the body is nested deeper than {MAX_DEPTH} levels.",
            pointer="",
            expected=f"at most {MAX_DEPTH} levels",
            got="more",
        )
    return parsed


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(
        _is_deeper(item, levels - 1) for item in inner if item.__class__ is dict or item.__class__ is list
    )


def refuse_duplicates(raw: bytes, canonical: bytes) -> None:
    """`canonical` is the same document written again: a name that came twice in one object is gone from it.

    Two readers may disagree on which of the two counts, so neither does (RFC 8259 section 4).

    Raises:
        Unplaceable: with the name.

    """
    if raw.count(b'"') == canonical.count(b'"'):
        return  # nothing was lost; otherwise it may still be an escape written in another way

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise Unplaceable(
                f"the name {twice[:80]!r} stands twice in one object. Send each name once.",
                pointer="",
                expected="each name once in an object",
                got=f"{twice[:80]!r} twice",
            )
        return found

    json.loads(raw, object_pairs_hook=check)


def elements(raw: bytes) -> Iterator[bytes]:
    """The elements of a JSON array, each as the bytes it was sent as (so that facets stay verbatim).

    Raises:
        Unreadable: not a JSON array.

    """
    whole = load(raw)
    if not isinstance(whole, list):
        raise Unreadable("the body of a batch is a JSON array of events, or NDJSON with its content type.")
    text, at = raw.decode(), 0
    at = text.index("[") + 1
    decoder = json.JSONDecoder()
    for _ in whole:
        while text[at] in " \t\r\n,":
            at += 1
        _, end = decoder.raw_decode(text, at)
        yield text[at:end].encode()
        at = end


def lines(raw: bytes) -> Iterator[bytes]:
    """The lines of NDJSON; empty ones are passed over."""
    return (line for line in raw.split(b"\n") if line.strip())


def content_type(given: str) -> str:
    """`application/json` of `application/json; charset=UTF-8`.

    Raises:
        Unsupported: a charset other than UTF-8.

    """
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Unsupported(f"charset {value} is not read here. Send UTF-8.")
    return kind
