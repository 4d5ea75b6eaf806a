"""Instants as microseconds since 1970 UTC: read from text, written to text, written to sort."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = 62_135_596_800_000_000  # year 1, so that a sort key is never negative
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)?"
    r"\s*([Zz]|[+-]\d\d:?\d\d)?(?:\[[^\]]*\])?"
)
_PERIOD = re.compile(r"-?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def parse(text: str) -> int:
    """Any ISO-8601 date-time; nanoseconds are cut to microseconds; without a zone it is UTC.

    Raises:
        ValueError: not a time. 24:00 and 60 seconds are not either (ISO 8601-1:2019).

    """
    return read(text)[0]


def read(text: str) -> tuple[int, bool]:
    """As `parse`; and whether it names a zone."""
    found = _ISO.fullmatch(text.strip())
    if not found:
        raise ValueError(f"not an ISO-8601 date-time: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    moment = datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
        int((fraction or "0").ljust(6, "0")[:6]), tzinfo=UTC,
    )  # fmt: skip
    micros = (moment - _EPOCH) // timedelta(microseconds=1)
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "")
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * 60_000_000
        micros += -offset if zone[0] == "+" else offset
    return micros, zone is not None


def period(text: str) -> int | None:
    """Microseconds of an ISO-8601 duration like `P7D` or `PT12H`; None: not one."""
    found = _PERIOD.fullmatch(text.strip())
    if not found or not any(found.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(g or 0) for g in found.groups())
    whole = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return whole // timedelta(microseconds=1)


def text(micros: int) -> str:
    """`2026-01-31T12:00:00.123Z`; microseconds are shown when there are any."""
    try:
        moment = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # an offset took year 1 or 9999 over the edge
        moment = datetime.min if micros < 0 else datetime.max
    precise = moment.strftime("%H:%M:%S") + (
        f".{moment.microsecond:06d}" if moment.microsecond % 1000 else f".{moment.microsecond // 1000:03d}"
    )
    return f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}T{precise}Z"


def sortable(micros: int) -> str:
    """Text of 18 digits in the order of the instants."""
    return f"{micros + _OFFSET:018d}"


def from_sortable(digits: str) -> int:
    return int(digits) - _OFFSET
