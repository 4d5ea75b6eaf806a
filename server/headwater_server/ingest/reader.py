"""Bytes become JSON, within limits: size before and after gzip, UTF-8, depth, numbers, names that stand twice."""

import json
import re
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
        self.received = 0
        """Bytes that came, before inflating."""
        self._parts: list[bytes] = []
        self._size = 0
        self._gzip = zlib.decompressobj(wbits=31) if "gzip" in encoding else None

    def feed(self, chunk: bytes) -> int:
        """How many bytes more it holds."""
        before = self._size
        self.received += len(chunk)
        if self.received > self._limit:
            raise self._too_large()
        if self._gzip is None:
            self._add(chunk)
            return self._size - before
        try:
            while chunk:
                if self._gzip.eof:  # concatenated members are one gzip file (RFC 1952)
                    self._gzip = zlib.decompressobj(wbits=31)
                self._add(self._gzip.decompress(chunk, _CHUNK))
                chunk = self._gzip.unconsumed_tail or self._gzip.unused_data
        except zlib.error as error:
            raise Unreadable(f"the body is not gzip as its Content-Encoding says ({error}).") from None
        return self._size - before

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
MAX_NUMBER = 40
"""Characters of a number: a decimal of 38 digits with sign and point."""

_MARKS = bytes.maketrans(b"{}", b"[]")
_NO_MARKS = bytes(c for c in range(256) if c not in b'{}[]"')
_IN_QUOTES = re.compile(rb'"[^"]*"?')
_DIGITS = bytes(48 if c in b"0123456789+-.eE" else 32 for c in range(256))
_STRIDE = 4  # of 8, every fifth event of plain text had five in a row
_LONG = b"0" * (MAX_NUMBER // _STRIDE)
_LONG_NUMBER = re.compile(rb"[0-9+\-.eE]{%d}" % (MAX_NUMBER + 1))
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


def load(raw: bytes) -> Any:
    """One JSON document.

    Raises:
        Unreadable: not JSON (RFC 8259: UTF-8, no byte order mark, no NaN), with the place.
        Unplaceable: nested too deep, a number too long, half of a surrogate pair.

    """
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _refuse_depth(raw)
    _refuse_long_numbers(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        if "surrogate" in error.msg and "UTF-8" not in error.msg:
            raise _refused(f"half of a surrogate pair in a text at {place}", "whole characters") from None
        raise Unreadable(f"the body is not JSON (RFC 8259, in UTF-8): {error.msg} at {place}.") from None


def _refuse_depth(raw: bytes) -> None:
    """Counts brackets outside of texts, without a parser: each pass takes the innermost pairs away."""
    left = _brackets(raw)
    for _ in range(MAX_DEPTH):
        if b"[" * (MAX_DEPTH + 1) in left:
            break
        less = left.replace(b"[]", b"")
        if not less or len(less) == len(left):
            return  # nothing is left, or what is left is not JSON: the parser says where
        left = less
    raise _refused(f"more than {MAX_DEPTH} levels", f"at most {MAX_DEPTH} levels of arrays and objects")


def _brackets(raw: bytes) -> bytes:
    """`[` and `]` for every bracket that is not in a text. Exact for whatever is JSON.

    A text without brackets leaves two quotes side by side. In a longer run of quotes it does not matter which
    two go: whether one is in a text behind it depends on whether their number is even.
    """
    marks = _without_escapes(raw).translate(_MARKS, _NO_MARKS).replace(b'""', b"")
    return _IN_QUOTES.sub(b"", marks) if b'"' in marks else marks


def _without_escapes(raw: bytes) -> bytes:
    return raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw


def _refuse_long_numbers(raw: bytes) -> None:
    # A number that is too long holds ten of the bytes that are looked at here, a UUID nine.
    if _LONG in raw[::_STRIDE].translate(_DIGITS) and _LONG_NUMBER.search(_STRING.sub(b" ", raw)):
        raise _refused(f"a number of more than {MAX_NUMBER} characters", f"numbers of at most {MAX_NUMBER}")


def refuse_duplicates(raw: bytes, canonical: bytes) -> None:
    """`canonical` is the same document written again: a name that came twice in one object is gone from it.

    Two readers may disagree on which of the two counts, so neither does (RFC 8259 section 4).

    Raises:
        Unplaceable: with the name.

    """
    if _without_escapes(raw).count(b'"') == _without_escapes(canonical).count(b'"'):
        return  # as many texts: none was lost

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise _refused(f"the name {twice[:80]!r} twice in one object", "each name once in an object")
        return found

    json.loads(raw, object_pairs_hook=check)


def _refused(got: str, expected: str) -> Unplaceable:
    return Unplaceable(
        f"The body has {got}; expected are {expected}. Correct the producer and send it again.",
        pointer="",
        expected=expected,
        got=got,
    )


_SPACE = re.compile(r"[ \t\r\n]*")
_ELEMENT = json.JSONDecoder(parse_int=float)  # int() refuses 4,300 digits; here only the end of it counts


def elements(raw: bytes) -> Iterator[bytes]:
    """The elements of a JSON array, each as the bytes it was sent as (so that facets stay verbatim). What is
    wrong within one is found when that one is loaded, and spoils no other.

    Raises:
        Unreadable: not a JSON array.
        Unplaceable: nested much too deep.

    """
    try:
        yield from _elements(raw.decode())
    except RecursionError:
        raise _refused(f"more than {MAX_DEPTH} levels", f"at most {MAX_DEPTH} levels in an event") from None
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8: {error.reason} at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise Unreadable(f"the body is not JSON (RFC 8259, in UTF-8): {error.msg} at {place}.") from None


def _elements(text: str) -> Iterator[bytes]:
    at = _after_space(text, 0)
    if not text.startswith("[", at):
        raise Unreadable("the body of a batch is a JSON array of events, or NDJSON with its content type.")
    at = _after_space(text, at + 1)
    closed = text.startswith("]", at)
    while not closed:
        _, end = _ELEMENT.raw_decode(text, at)
        yield text[at:end].encode()
        at = _after_space(text, end)
        closed = text.startswith("]", at)
        if not closed and not text.startswith(",", at):
            raise json.JSONDecodeError("expected , or ]", text, at)
        at = at if closed else _after_space(text, at + 1)
    if _after_space(text, at + 1) < len(text):
        raise json.JSONDecodeError("expected nothing behind the array", text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


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
