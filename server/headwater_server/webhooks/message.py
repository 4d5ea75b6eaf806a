"""What is sent: the body and the headers that receivers built for MLflow read and verify. Pure."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from headwater_server import __version__

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def body_of(event: str, data: Mapping[str, Any], at: int) -> bytes:
    """`at` is when it happened, in microseconds: the body is the same however often it is sent."""
    entity, _, action = event.partition(".")
    moment = (_EPOCH + timedelta(microseconds=at)).isoformat()
    return orjson.dumps({"entity": entity, "action": action, "timestamp": moment, "data": data})


def delivery_id(webhook: str, seq: int, nth: int) -> str:
    """The same for every try, also after a restart: by it a receiver knows what it has already."""
    return str(uuid.uuid5(uuid.UUID(webhook), f"{seq}/{nth}"))


def headers_of(body: bytes, id_: str, seconds: int, secret: str) -> dict[str, str]:
    """`seconds` since 1970, of this try: receivers refuse what was signed long ago."""
    found = {
        "Content-Type": "application/json",
        "User-Agent": f"Headwater/{__version__}",
        "X-MLflow-Delivery-Id": id_,
        "X-MLflow-Timestamp": str(seconds),
    }
    if secret:
        signed = b".".join((id_.encode(), str(seconds).encode(), body))
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        found["X-MLflow-Signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return found
