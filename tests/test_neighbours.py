"""Rows whose vectors are nearest to that of a row, at /api/tables/{name}/neighbours, beside numpy's."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_digits

from embeddings import lake  # noqa: F401
from limn_server import Limn, problem


@pytest.fixture(scope="module")
def server(lake):
    with Limn(lake) as limn:
        yield limn


def neighbours(server, table, row, **parameters):
    response = server.get(f"/api/tables/{table}/neighbours", params={"row": row, **parameters})
    assert response.status_code == 200, response.text
    return response.json()


def nearest(distances, row, count):
    order = [other for other in np.argsort(distances, kind="stable") if other != row]
    return order[:count], distances[order[:count]]


def cosine(values, row):
    values = values.astype("float64")
    norms = np.linalg.norm(values, axis=1)
    return 1 - values @ values[row] / (norms * norms[row])


def euclidean(values, row):
    return np.linalg.norm(values.astype("float64") - values[row].astype("float64"), axis=1)


@pytest.mark.parametrize("distance", [cosine, euclidean])
@pytest.mark.parametrize(("row", "count"), [(0, 20), (1796, 1), (900, 1000)])
def test_the_same_as_measured_by_numpy(server, row, count, distance):
    digits = load_digits().data
    answer = neighbours(server, "digits", row, count=count, distance=distance.__name__)
    rows, distances = nearest(distance(digits, row), row, count)
    assert answer["column"] == "emb" and answer["left_out"] == 0
    assert np.allclose([found["distance"] for found in answer["neighbours"]], distances, rtol=1e-9, atol=1e-12)
    # Rows as far as each other change places by their last digits.
    assert {found["row"] for found in answer["neighbours"][: count // 2]} <= set(rows)
    assert row not in {found["row"] for found in answer["neighbours"]}


def test_row_numbers_are_those_of_the_table(server):
    # A Delta table of two files: a row's number counts through both.
    answer = neighbours(server, "digits_delta", 1500, count=5)
    in_order = server.arrow({"table": "digits_delta", "columns": ["_row", "emb"]})
    values = np.array(in_order["emb"].to_pylist())
    at = in_order["_row"].to_pylist()
    place = at.index(1500)
    rows, _ = nearest(cosine(values, place), place, 5)
    assert [found["row"] for found in answer["neighbours"]] == [at[row] for row in rows]


def test_only_rows_that_pass(server, lake):
    digits = pq.read_table(lake / "digits.parquet")["digit"].to_numpy()
    filters = json.dumps([{"column": "digit", "op": "eq", "value": 3}])
    answer = neighbours(server, "digits", 0, filters=filters, count=50)
    assert len(answer["neighbours"]) == 50
    assert {digits[found["row"]] for found in answer["neighbours"]} == {3}
    assert neighbours(server, "digits", 0, filters=json.dumps([{"column": "digit", "op": "eq", "value": 77}]))["neighbours"] == []


def test_rows_without_a_vector(server):
    # [1, 2], null, [nan, 1], [0, 0], [3, 4], [1, null]
    answer = neighbours(server, "odd", 0)
    assert [found["row"] for found in answer["neighbours"]] == [4] and answer["left_out"] == 4
    answer = neighbours(server, "odd", 0, distance="euclidean")
    assert [found["row"] for found in answer["neighbours"]] == [3, 4] and answer["left_out"] == 3
    for row in (1, 2, 3, 5, 6):
        problem(server.get("/api/tables/odd/neighbours", params={"row": row}), 400, field="row")


def test_what_cannot_be_asked_is_refused(server):
    def refused(table, field, status=400, **parameters):
        return problem(server.get(f"/api/tables/{table}/neighbours", params=parameters), status, field=field)

    refused("digits", "row")
    refused("digits", None, row="x")
    refused("digits", "row", row=1797)
    refused("digits", "count", row=0, count=0)
    refused("digits", "count", row=0, count=1001)
    refused("digits", "distance", row=0, distance="manhattan")
    refused("digits", "column", row=0, column="digit")
    assert "did you mean" in refused("digits", "column", row=0, column="embb")["detail"]
    refused("plain", "column", row=0)
    assert "a, b" in refused("two", "column", row=0)["detail"]
    assert "different lengths" in refused("ragged", "column", row=0)["detail"]
    refused("none", "table", 404, row=0)
    server.assert_alive()
