"""A JSON document without its secrets, and what was taken out: rule and place, never the value."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from headwater_parsers.literals import without_literals
from headwater_server.redaction.names import is_placeholder, is_sensitive
from headwater_server.redaction.prefilter import families
from headwater_server.redaction.rules import REDACTED, RULES, Rule

NOTE = "_redacted"
"""The name under which a record tells what was taken out of it."""
ENVIRONMENT = frozenset(
    {
        "AIRFLOW_CTX_*", "CI", "CI_COMMIT_*", "CI_PIPELINE_ID", "CI_PROJECT_PATH", "DBT_TARGET", "ENV", "ENVIRONMENT",
        "GIT_BRANCH", "GIT_COMMIT", "GITHUB_JOB", "GITHUB_REF", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_SHA",
        "GITHUB_WORKFLOW", "JAVA_VERSION", "LANG", "LC_*", "PYTHON_VERSION", "REGION", "AWS_REGION", "AWS_DEFAULT_REGION",
        "SPARK_VERSION", "STAGE", "TZ",
    }
)  # fmt: skip
"""Variables whose values are kept (facet environmentVariables); `*` at the end stands for anything."""
_WRAPPED = frozenset({"string_value", "stringValue"})
"""OpenTelemetry says `{"key": name, "value": {"stringValue": text}}`: the text has the name of what is around it."""
_SHORTEST = 8
"""Characters of a text that can hold a name and a secret."""


@dataclass(frozen=True, slots=True)
class Redaction:
    rule: str
    pointer: str
    """JSON pointer (RFC 6901) to the text that was changed."""


class Redactor:
    """Safe in threads. `variables`: names kept beside ENVIRONMENT; `strip_literals`: SQL keeps none of its values."""

    def __init__(self, *, variables: Sequence[str] = (), strip_literals: bool = False) -> None:
        names = sorted({*ENVIRONMENT, *(v.upper() for v in variables)})
        self._kept = re.compile("|".join(re.escape(n).replace(r"\*", ".*") for n in names), re.IGNORECASE)
        self._strip = strip_literals

    def redact(self, document: Any, canonical: bytes) -> tuple[Any, list[Redaction]]:
        """The document, the very same when nothing was found. `canonical`: its JSON, without needless escapes.

        What comes out goes through unchanged.
        """
        found = families(canonical)
        if not self._may_find(canonical, found):
            return document, []
        rules = [rule for family, some in RULES.items() if family in found for rule in some]
        pass_ = _Pass(rules, self._kept, named="assigned" in found, strip=self._strip)
        clean = pass_.value(document, "", "")
        return (clean, pass_.done) if pass_.done else (document, [])

    def redact_json(self, body: bytes) -> tuple[Any, list[Redaction]]:
        """As `redact`, parsed only when something may be found: None and nothing otherwise."""
        if not self._may_find(body, families(body)):
            return None, []
        return self.redact(orjson.loads(body), body)

    def _may_find(self, canonical: bytes, found: set[str]) -> bool:
        return (
            bool(found) or b'"environmentVariables"' in canonical or (self._strip and b'"sql"' in canonical)
        )

    def text(self, text: str) -> str:
        """A text without its secrets, for what is logged."""
        return str(self.redact(text, orjson.dumps(text, default=str))[0])


class _Pass:
    def __init__(self, rules: Sequence[Rule], kept: re.Pattern[str], *, named: bool, strip: bool) -> None:
        self._rules = rules
        self._kept = kept
        self._named = named
        self._strip = strip
        self._fine: set[str] = set()
        """Names that stay as they are: most come again and again."""
        self.done: list[Redaction] = []

    def value(self, value: Any, pointer: str, name: str) -> Any:
        """`name` is the one that the value stands under."""
        if isinstance(value, str):
            return self._text(value, pointer, name)
        if isinstance(value, list):
            if name == "environmentVariables":
                return [self._variable(v, f"{pointer}/{i}") for i, v in enumerate(value)]
            return [self.value(v, f"{pointer}/{i}", "") for i, v in enumerate(value)]
        if isinstance(value, dict):
            return self._object(value, pointer, name)
        return value

    def _object(self, given: Mapping[str, Any], pointer: str, name: str) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        pair = given.get("name", given.get("key")) if self._named else None
        of_secret = isinstance(pair, str) and is_sensitive(pair)
        for key, value in given.items():
            if pointer == "" and key == NOTE:
                clean[key] = value
                continue
            shown = self._key(key, pointer)
            where = f"{pointer}/{_escaped(shown)}"
            under = name if key in _WRAPPED else str(pair) if of_secret and key == "value" else key
            if self._strip and name == "sql" and key == "query" and isinstance(value, str):
                value = self._stripped(value, where, given.get("dialect"))  # noqa: PLW2901 - goes on from there
            clean[shown] = self.value(value, where, under)
        return clean

    def _key(self, key: str, pointer: str) -> str:
        if len(key) < _SHORTEST or key in self._fine:
            return key
        before = len(self.done)
        shown = self._ruled(key, pointer)
        if shown == key:
            self._fine.add(key)
        self.done[before:] = [Redaction(d.rule, f"{pointer}/{_escaped(shown)}") for d in self.done[before:]]
        return shown

    def _text(self, text: str, pointer: str, name: str) -> str:
        if self._named and is_sensitive(name) and not is_placeholder(text):
            self.done.append(Redaction("named-secret", pointer))
            return REDACTED
        return text if len(text) < _SHORTEST else self._ruled(text, pointer)

    def _ruled(self, text: str, pointer: str) -> str:
        low = text.lower()
        for rule in self._rules:
            if not any(word in low for word in rule.words):
                continue
            clean = rule.pattern.sub(rule.replace, text)
            if clean != text:
                self.done.append(Redaction(rule.name, pointer))
                text = clean
        return text

    def _variable(self, given: Any, pointer: str) -> Any:
        if not isinstance(given, dict):
            return self.value(given, pointer, "")
        clean = self._object(given, pointer, "")
        value = clean.get("value")
        if not self._kept.fullmatch(str(given.get("name"))) and value not in (None, "", REDACTED):
            self.done.append(Redaction("environment-variable", f"{pointer}/value"))
            clean["value"] = REDACTED
        return clean

    def _stripped(self, sql: str, pointer: str, dialect: Any) -> str:
        clean = without_literals(sql, dialect=dialect if isinstance(dialect, str) else None)
        if clean != sql:
            self.done.append(Redaction("sql-literal", pointer))
        return clean


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def noted(document: Any, done: Sequence[Redaction]) -> Any:
    """The document with a note of what was taken out, beside what it told of before."""
    before = document.get(NOTE)
    known = before if isinstance(before, list) else []
    news = [{"rule": d.rule, "pointer": d.pointer} for d in done]
    return {**document, NOTE: [*known, *(n for n in news if n not in known)]}
