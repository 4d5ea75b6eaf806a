"""Lineage as OpenLineage events carry it."""

from headwater_parsers import TableRef, parse
from headwater_parsers.openlineage import dataset_name, datasets

SQL = """
INSERT INTO mart.t (a, n)
SELECT upper(s.x), count(s.y) FROM raw.s AS s JOIN raw.r AS r ON s.k = r.k
WHERE s.z > 1 GROUP BY 1
"""


def test_conditions_of_the_rows_stand_once_for_the_dataset() -> None:
    (output,) = datasets(parse(SQL), "postgres://db:5432")["outputs"]
    facet = output["facets"]["columnLineage"]
    assert facet["_schemaURL"].endswith(
        "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
    )
    assert set(facet["fields"]) == {"a", "n"}
    reasons = {(i["field"], t["subtype"]) for i in facet["dataset"] for t in i["transformations"]}
    assert reasons == {("k", "JOIN"), ("z", "FILTER"), ("x", "GROUP_BY")}


def test_a_field_says_how_it_was_made_and_whether_it_is_masked() -> None:
    (output,) = datasets(parse(SQL), "ns")["outputs"]
    (made,) = output["facets"]["columnLineage"]["fields"]["n"]["inputFields"]
    assert made == {
        "namespace": "ns",
        "name": "raw.s",
        "field": "y",
        "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION", "description": "", "masking": True}],
    }


def test_an_ambiguous_column_makes_no_field() -> None:
    (output,) = datasets(parse("INSERT INTO t (a) SELECT x FROM s, r"))["outputs"]
    assert "facets" not in output


def test_files_are_named_by_their_bucket() -> None:
    assert dataset_name(TableRef(("s3://b/k/x.csv",), "file"), "ns") == ("s3://b", "k/x.csv")
    assert dataset_name(TableRef(("gcs://b/k",), "file"), "ns") == ("gs://b", "k")
    assert dataset_name(TableRef(("/data/x",), "file"), "ns") == ("file", "/data/x")
    assert dataset_name(TableRef(("a", "b")), "ns") == ("ns", "a.b")
