"""Tables of feature importance, known by what is in them, whatever the file is called."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater_server.tracking.importances import read_importances

SHARES = {"price": 0.75, "visits": 0.25}


def shares(path: str, content: str | bytes) -> tuple[str, dict[str, float]]:
    raw = content if isinstance(content, bytes) else content.encode()
    found = read_importances(path, raw)
    return found.get("method", ""), dict(found.get("shares", ()))


@pytest.mark.parametrize(
    ("path", "content", "method"),
    [
        ("feature_importance_gain.json", '{"price": 300.0, "visits": 100}', "GAIN"),
        ("feature_importance_weight.json", '{"visits": [50, 50], "price": [100.0, 200.0]}', "WEIGHT"),
        ("x/report.json", '{"auc": 0.9, "feature_importances": {"price": 3, "visits": 1}}', "IMPORTANCE"),
        ("x.json", '[{"feature": "visits", "importance": 0.1}, {"feature": "price", "importance": 0.3}]', "IMPORTANCE"),
        ("x.json", '{"columns": ["feature", "shap"], "data": [["price", 0.3], ["visits", -0.1]]}', "SHAP"),
        ("x.json", '{"feature": {"0": "price", "1": "visits"}, "importance": {"0": 6, "1": 2}}', "IMPORTANCE"),
        ("x.json", '{"feature": ["price", "visits"], "mean_abs_shap": [6, 2]}', "SHAP"),
        ("importance.csv", "feature,gain\nprice,3\nvisits,1\n", "GAIN"),
        ("series_importance.csv", ",0\nprice,3\nvisits,1\n", "IMPORTANCE"),
        ("x.csv", ",rank,feature,importance_std,importance\n0,1,price,0.1,3\n1,2,visits,0.1,1\n", "IMPORTANCE"),
        ("perm.csv", "feature;importances_mean;importances_std\nprice;0.3;0.1\nvisits;0.1;0.1\nid;-0.2;0.1\n", "PERMUTATION"),
        ("shap/values.csv", "price,visits\n3,-1\n-3,1\n", "SHAP"),
        ("coef_importance.csv", "name\tcoef\nprice\t-3\nvisits\t1\n", "COEFFICIENT"),
    ],
)  # fmt: skip
def test_a_table_tells_the_share_of_each_feature(path: str, content: str, method: str) -> None:
    found, said = shares(path, content)
    assert found == method
    assert {name: share for name, share in said.items() if share} == pytest.approx(SHARES)


def test_shap_values_as_an_array_are_in_the_order_of_the_features() -> None:
    for kind, by_column in (("<f8", False), ("<f4", False), ("<f8", True), (">f8", False)):
        numbers = [3.0, -1.0, -3.0, 1.0] if not by_column else [3.0, -3.0, -1.0, 1.0]
        head = f"{{'descr': '{kind}', 'fortran_order': {by_column}, 'shape': (2, 2), }}\n".encode()
        body = struct.pack(f"{kind[0]}4{'d' if kind[2] == '8' else 'f'}", *numbers)
        raw = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body
        assert read_importances("model_explanations_shap/shap_values.npy", raw) == {
            "method": "SHAP",
            "ordered": [0.75, 0.25],
        }
        assert read_importances("model_explanations_shap/shap_values.npy", raw[:-1]) == {}
    pickled = b"\x93NUMPY\x01\x00\x40\x00{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }\n"
    assert read_importances("shap_values.npy", pickled) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(said=JSON, text=st.text(), raw=st.binary())
def test_whatever_a_file_says_reading_it_ends_in_shares_or_in_nothing(
    said: object, text: str, raw: bytes
) -> None:
    for path, content in (
        ("importance.json", json.dumps(said).encode()),
        ("importance.csv", text.encode(errors="replace")),
        ("shap_values.npy", b"\x93NUMPY" + raw),
    ):
        found = read_importances(path, content)
        assert not found or sum(share for _, share in found["shares"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("shape_stats.json", '{"rows": 10, "columns": 3}'),
        ("metrics.json", '{"auc": 0.9, "loss": 0.1}'),
        ("importance.json", '{"price": "much"}'),
        ("importance.json", '{"price": 0, "visits": 0}'),
        ("importance.json", '{"price": NaN}'),
        ("importance.json", "[" * 100_000),
        ("importance.json", '{"a":' * 500 + "1" + "}" * 500),
        ("importance.json", "{}"),
        ("importance.json", "7"),
        ("importance.csv", ""),
        ("importance.csv", "feature,importance\n"),
        ("importance.csv", "a,b\nx,y\n"),
        ("importance.csv", b"\xff\xfe\x00"),
        ("importance.csv", "feature,importance\nprice,1e999\n"),
        ("importance.json", json.dumps({"x" * 2**20: 1})),
        ("importance.pkl", '{"price": 1}'),
        ("shap_values.npy", b"\x93NUMPY"),
        ("shap_values.npy", b"\x93NUMPY\x01\x00\xff\xff"),
        ("orders.csv", "id,price\n1,2\n"),
        ("importance.json", json.dumps([{f"a{n}": n} for n in range(40_000)])),
        ("importance.json", json.dumps({"columns": [["x"] * 100_000], "data": [[1]] * 40_000})),
    ],
)
def test_what_is_no_such_table_tells_nothing(path: str, content: str | bytes) -> None:
    assert read_importances(path, content if isinstance(content, bytes) else content.encode()) == {}
