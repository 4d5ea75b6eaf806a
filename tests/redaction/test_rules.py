"""Secrets are found, what only looks like one is left, and no text takes long."""

import time

import orjson
import pytest

from headwater_server.redaction.prefilter import families
from headwater_server.redaction.redactor import Redaction, Redactor
from headwater_server.redaction.rules import RULES
from tests.redaction.shapes import HARMLESS, LONG, SHAPES, WORD, Shape

REDACTOR = Redactor()


def redact(document: object, redactor: Redactor = REDACTOR) -> tuple[object, list[Redaction]]:
    return redactor.redact(document, orjson.dumps(document))


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: case.text[:40])
def test_a_secret_is_replaced_and_nothing_else(case: Shape) -> None:
    clean, done = redact({"a": [{"b": case.text}]})
    assert clean == {"a": [{"b": case.left}]}
    assert done == [Redaction(case.rule, "/a/0/b")]
    assert redact(clean) == (clean, [])


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_is_left(text: str) -> None:
    assert redact({"a": text}) == ({"a": text}, [])


def test_what_is_called_a_secret_is_one() -> None:
    given = {
        "spark.hadoop.fs.s3a.secret.key": WORD,
        "clientSecret": WORD,
        "apiKey": WORD,
        "PGPASSWORD": WORD,
        "auth_token": WORD,
        "max_tokens": "256000000",
        "pad_token": "<pad></pad>",
        "password": {"type": "varchar(20)"},
        "token": 7,
        "columns": [{"name": "password", "type": "string"}, {"name": "password", "value": WORD}],
    }
    clean, done = redact(given)
    assert clean == {
        **given,
        **dict.fromkeys(
            ("spark.hadoop.fs.s3a.secret.key", "clientSecret", "apiKey", "PGPASSWORD", "auth_token"),
            "REDACTED",
        ),
        "columns": [{"name": "password", "type": "string"}, {"name": "password", "value": "REDACTED"}],
    }
    assert {d.rule for d in done} == {"named-secret"}
    assert "/columns/1/value" in {d.pointer for d in done}


def test_of_an_environment_only_what_is_known_to_be_harmless_is_kept() -> None:
    variables = [
        {"name": n, "value": f"of {n}"} for n in ("LANG", "AIRFLOW_CTX_DAG_ID", "DB_PASSWORD", "HOME", "TEAM")
    ]
    given = {
        "environmentVariables": {
            "_producer": "p",
            "environmentVariables": [*variables, {"name": "EMPTY", "value": ""}],
        }
    }
    for redactor, kept in (
        (REDACTOR, {"LANG", "AIRFLOW_CTX_DAG_ID"}),
        (Redactor(variables=["te*"]), {"LANG", "AIRFLOW_CTX_DAG_ID", "TEAM"}),
    ):
        clean, done = redact(given, redactor)
        assert isinstance(clean, dict)
        values = {v["name"]: v["value"] for v in clean["environmentVariables"]["environmentVariables"]}
        expected = {n: f"of {n}" if n in kept else "REDACTED" for n in values}
        assert values == {**expected, "EMPTY": ""}
        assert len(done) == 5 - len(kept)
        assert redact(clean, redactor) == (clean, [])


def test_names_of_objects_are_cleaned_too() -> None:
    name = "glpat-" + LONG[:20]
    assert redact({name: 1}) == ({"REDACTED": 1}, [Redaction("gitlab-token", "/REDACTED")])


def test_sql_loses_its_values_where_that_is_wanted() -> None:
    given = {
        "sql": {"query": "select a from t where b = 'x' and c > 5 -- y", "dialect": "postgres"},
        "query": "'x'",
    }
    clean, done = redact(given, Redactor(strip_literals=True))
    assert clean == {
        "sql": {"query": "select a from t where b = '?' and c > 1  ", "dialect": "postgres"},
        "query": "'x'",
    }
    assert done == [Redaction("sql-literal", "/sql/query")]


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: case.text[:40])
def test_the_prefilter_lets_no_secret_by(case: Shape) -> None:
    found = families(orjson.dumps({"a": case.text}))
    assert any(rule.name == case.rule for family in found for rule in RULES[family])


PIECES = [
    "password", "password=", "password='", 'password="', "password=\\", "--password ", "token:", "secret, ", "://", "://a:", "://:", ":",
    "@", "jdbc:oracle:thin:a/", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "identified by ", "identified ", "password $$", "password '",
    "password (", "bearer ", "authorization: basic ", "eyJaaaaaaa.", "eyJaaaaaaa", "AKIA", "ghp_", "glpat-", "sk-", "sk-ant-", "xoxb-", "hw_a_",
    "hw_", "sig=", "'", '"', "\\'", '\\"', "$$", "''", '""', " ", "api", "key", "a.", "_", "-", "\n", "hooks.slack.com/services/", "(", "w",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_repetition_takes_long(piece: str) -> None:
    """A pattern that gives back what it took would need minutes here: its time grows with the square."""
    for end in ("", "@", "'"):
        text = piece * (100_000 // len(piece)) + end
        began = time.process_time()
        families(text.encode())
        for some in RULES.values():
            for rule in some:
                rule.pattern.sub(rule.replace, text)
        assert time.process_time() - began < 10
