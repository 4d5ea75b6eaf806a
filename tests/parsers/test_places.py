"""Where things stand in the text."""

from headwater_parsers import parse


def test_an_edge_points_at_the_expression_that_makes_its_column() -> None:
    sql = "INSERT INTO t (a, b)\nSELECT x,\n       sum(coalesce(y, 0)) AS b\nFROM s"
    script = parse(sql)
    found = {e.output.name: e for e in script.edges}
    span = found["b"].span
    assert span is not None
    assert (span.line, span.col) == (3, 8)
    assert sql[span.start : span.end] == "sum(coalesce(y, 0)) AS b"
    assert found["b"].expression == "sum(coalesce(y, 0)) AS b"
    assert found["a"].expression == "x"


def test_a_statement_has_its_own_span() -> None:
    script = parse("SELECT 1;\n\n  SELECT a FROM t")
    assert [(s.span.line, s.span.col) for s in script.statements] == [(1, 1), (3, 3)]


def test_a_diagnostic_has_line_and_column() -> None:
    (problem,) = parse(
        "SELECT a,\n  b FROM t, u WHERE t.a = 1 AND nope.x = 1",
        "",
        {
            "t": {"a": None},
            "u": {"b": None},
        },
    ).diagnostics
    assert (problem.code, problem.line, problem.col) == ("unknown-qualifier", 2, 33)


def test_places_survive_templates() -> None:
    sql = "{{ config(a=1) }}\nSELECT a,\n  upper(b) AS c\nFROM {{ ref('some_table') }}"
    script = parse(sql)
    span = next(e.span for e in script.edges if e.output.name == "c")
    assert span is not None
    assert sql[span.start : span.end] == "upper(b) AS c"


def test_places_survive_parameters() -> None:
    sql = "INSERT INTO ${hiveconf:db}.t SELECT a,\n  lower(b) AS c FROM s WHERE d = %(day)s"
    script = parse(sql, "hive")
    assert [t.name for t in script.outputs] == ["db.t"]
    span = next(e.span for e in script.edges if e.output.name == "c")
    assert span is not None
    assert sql[span.start : span.end] == "lower(b) AS c"


def test_places_inside_a_routine_are_those_of_the_script() -> None:
    sql = "DO $$\nBEGIN\n  INSERT INTO t (a) SELECT lower(b) FROM s;\nEND $$;"
    (edge,) = parse(sql, "postgres").edges
    assert edge.span is not None
    assert (edge.span.line, sql[edge.span.start : edge.span.end]) == (3, "lower(b)")
