"""What the files beside a model tell: its signature, its flavours, the packages it needs. Pure; nothing is executed."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
import yaml  # type: ignore[import-untyped]

from headwater_server.graph import names

MAX_BYTES = 2**20
"""Of a file that is read; a larger one is kept and not read."""
MAX_NAMES = 10_000
"""Columns of a signature, packages of an environment; the rest is not read."""
MAX_NAME, MAX_DEPTH, MAX_EVENTS = 500, 64, 200_000
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._\-]{0,200})\s*(?:\[[^\]]*\])?\s*([^;#]*)")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unread(ValueError):
    """The file is not what its name says; the text tells why."""


def read_file(name: str, raw: bytes) -> Mapping[str, Any]:
    """As facts keep it: plain texts, numbers and lists of them.

    Raises:
        Unread: it is too large, too deep or no such file.

    """
    if len(raw) > MAX_BYTES:
        raise Unread(f"larger than {MAX_BYTES} bytes")
    try:
        return READERS[name](raw)
    except Exception as error:  # noqa: BLE001 - YAML's reader raises KeyError, IndexError … at tags that lie (`!!bool x`)
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise Unread(said[0][:300]) from None


def read_content(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of an MLmodel that a client sends without the file."""
    try:
        return _mlmodel(said)
    except (RecursionError, ValueError) as error:
        return {"unread": str(error)[:300]}


def _mlmodel(said: Mapping[str, Any]) -> Mapping[str, Any]:
    signature = said.get("signature")
    signature = signature if isinstance(signature, dict) else {}
    flavors = said.get("flavors")
    found: dict[str, Any] = {
        "features": _columns(signature.get("inputs")),
        "targets": _columns(signature.get("outputs")),
        "flavors": sorted(_texts(flavors))[:100] if isinstance(flavors, dict) else [],
        "uuid": _text(said.get("model_uuid")),
        "version": _text(said.get("mlflow_version")),
    }
    size = said.get("model_size_bytes")
    if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**63:
        found["bytes"] = size
    return {name: value for name, value in found.items() if value not in ("", [])}


def _columns(schema: Any) -> list[list[str]]:
    """[name, type] of each named column; a tensor without a name is none."""
    if isinstance(schema, str):
        schema = orjson.loads(schema)
    if not isinstance(schema, list):
        return []
    named = (one for one in schema if isinstance(one, dict) and _text(one.get("name")))
    found = {_text(one["name"]): _kind(one) for one in named}
    return [[name, kind] for name, kind in list(found.items())[:MAX_NAMES]]


def _kind(column: Mapping[str, Any]) -> str:
    tensor = column.get("tensor-spec")
    return _text(tensor.get("dtype")) if isinstance(tensor, dict) else _text(column.get("type"))


def _requirements(raw: bytes) -> Mapping[str, Any]:
    return {"needs": _needs(raw.decode().replace("\\\n", " ").splitlines())}


def _conda(raw: bytes) -> Mapping[str, Any]:
    said = _mapping(raw).get("dependencies")
    lines = said if isinstance(said, list) else []
    parts = [one["pip"] for one in lines if isinstance(one, dict) and isinstance(one.get("pip"), list)]
    pip = [line for part in parts for line in part]
    python = next((_text(one)[7:] for one in lines if _text(one).startswith("python=")), "")
    return {"needs": _needs(_texts(pip)), **({"python": python} if python else {})}


def _python_env(raw: bytes) -> Mapping[str, Any]:
    said = _mapping(raw)
    needs = said.get("dependencies")
    found = {"needs": _needs(_texts(needs)) if isinstance(needs, list) else []}
    python = _text(said.get("python"))
    return {**found, "python": python} if python else found


def _needs(lines: Iterable[str]) -> list[list[str]]:
    """[name, spec] by PEP 503's normal form of the name; options, files and comments are passed over."""
    found: dict[str, str] = {}
    for line in lines:
        match = _REQUIREMENT.match(line.strip())
        if match and len(found) < MAX_NAMES:
            name = names.package(match[1])
            found.setdefault(name, match[2].partition(" --")[0].strip()[:MAX_NAME])
    return [[name, found[name]] for name in sorted(found)]


def _mapping(raw: bytes) -> Mapping[str, Any]:
    depth = 0
    for number, event in enumerate(yaml.parse(raw, Loader=_LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or number > MAX_EVENTS:
            raise ValueError(f"deeper than {MAX_DEPTH} levels or more than {MAX_EVENTS} parts")
    found = yaml.load(raw, Loader=_LOADER)  # noqa: S506 - a safe loader: plain values only
    if not isinstance(found, dict):
        raise ValueError("no YAML mapping")  # noqa: TRY004 - a file's fault, not a caller's
    return found


def _text(given: Any) -> str:
    return given[:MAX_NAME] if isinstance(given, str) else ""


def _texts(given: Iterable[Any]) -> list[str]:
    return [one[:MAX_NAME] for one in given if isinstance(one, str)]


READERS: Mapping[str, Callable[[bytes], Mapping[str, Any]]] = {
    "MLmodel": lambda raw: _mlmodel(_mapping(raw)),
    "requirements.txt": _requirements,
    "conda.yaml": _conda,
    "python_env.yaml": _python_env,
}
