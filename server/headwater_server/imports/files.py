"""Reading what other tools write: JSON, YAML. A file that cannot be read is told of by its name."""

import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from headwater_server.errors import Invalid, NotFound


def read_json(path: Path) -> dict[str, Any]:
    """An object.

    Raises:
        NotFound: there is no such file.
        Invalid: it holds something else.

    """
    return _object(path, _json)


def read_yaml(path: Path) -> dict[str, Any]:
    """A mapping; the errors of `read_json`."""
    return _object(path, _yaml)


def _object(path: Path, parse: Any) -> dict[str, Any]:
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", ref=str(path), didYouMean=[]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise Invalid(f"{path} holds {type(found).__name__}, but must hold an object.")
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Invalid(f"This is not JSON: {error}.") from None


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid(f"This is not YAML: {' '.join(str(error).split())}.") from None
