"""Rows given names: `limn label`, and jobs of kind label; names beside those of another engine."""

import json

import deltalake
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embeddings import digits_table, done, lake, limn, written  # noqa: F401
from limn_server import Limn, explain, problem
from test_jobs import follow, started

LOW = {"name": "low", "filters": [{"column": "digit", "op": "lt", "value": 3}]}
ODD = {"name": "odd ones", "filters": [{"column": "digit", "op": "in", "value": [1, 3, 5, 7, 9]}]}
LATE = {"name": "low", "filters": [{"column": "uuid", "op": "ge", "value": "digit-1700"}, {"column": "digit", "op": "eq", "value": 9}]}


@pytest.fixture(scope="module")
def server(lake):
    with Limn(lake) as limn:
        yield limn


def labelled(server, **job):
    job = follow(server, started(server, kind="label", **job))
    assert job["state"] == "done", job
    return job


def names(table, column="label"):
    return dict(zip(table["uuid"].to_pylist(), table[column].to_pylist()))


def expected(case):
    """Of each row what DuckDB calls it."""
    digits = digits_table().select(["uuid", "digit"])
    rows = duckdb.sql(f"select uuid, {case} from digits").fetchall()
    return dict(rows)


def test_rows_get_the_name_of_the_last_group_they_are_in(server, lake):
    job = labelled(server, table="digits", groups=[LOW, ODD, LATE], into="label-digits")
    table = written(lake, "label-digits")
    # All that the table has stays, vectors too.
    assert table.column_names == ["uuid", "digit", "emb", "label"]
    case = """case when uuid >= 'digit-1700' and digit = 9 then 'low' when digit % 2 = 1 then 'odd ones'
              when digit < 3 then 'low' end"""
    found = names(table)
    assert found == expected(case)
    assert sorted(table["emb"].to_pylist()) == sorted(digits_table()["emb"].to_pylist())
    counts = {group["name"]: group["rows"] for group in job["metrics"]["groups"]}
    values = list(found.values())
    assert counts == {name: values.count(name) for name in ("low", "odd ones")}
    assert job["metrics"]["rows_without_name"] == values.count(None) > 0
    assert job["result"] == {"table": "label-digits", "version": 0, "rows": 1797}
    assert f"{values.count(None)} without a name" in job["message"]


def test_the_table_says_where_its_names_come_from(server, lake):
    groups = [{"name": "x", "filters": [{"column": "digit", "op": "gt", "value": (1 << 53) + 1}]}]
    wanted = dict(table="digits_delta", groups=groups, into="label-lineage")
    labelled(server, **wanted)
    [commit] = deltalake.DeltaTable(lake / "label-lineage").history()
    said = commit["limn"]
    assert (said["source"]["table"], said["source"]["version"]) == ("digits_delta", 1)
    assert [group["name"] for group in said["groups"]] == ["x"] and said["as"] == "label"
    # Every digit that was written.
    assert str((1 << 53) + 1) in said["groups_text"]
    assert commit["operationParameters"]["job"] == "label"
    # The same again is there already; another is refused.
    assert started(server, kind="label", **wanted)["state"] == "done"
    problem(server.post("/api/jobs", wanted | {"kind": "label", "as": "other"}), 409, field="into")


def test_rows_of_no_group_keep_what_they_were_called(server, lake):
    labelled(server, table="digits", groups=[LOW], otherwise="digit", **{"as": "kind"}, into="label-otherwise")
    table = written(lake, "label-otherwise")
    assert names(table, "kind") == expected("case when digit < 3 then 'low' else digit::varchar end")
    # Once more, over the names that are there: the column goes on, and the table has a version more.
    change = dict(table="label-otherwise", groups=[ODD], otherwise="kind", into="label-otherwise", mode="overwrite")
    job = labelled(server, **change, **{"as": "kind"})
    assert job["result"]["version"] == 1
    table = written(lake, "label-otherwise")
    assert table.column_names == ["uuid", "digit", "emb", "kind"]
    case = "case when digit % 2 = 1 then 'odd ones' when digit < 3 then 'low' else digit::varchar end"
    assert names(table, "kind") == expected(case)
    before = deltalake.DeltaTable(lake / "label-otherwise", version=0).to_pyarrow_table()
    assert names(before, "kind") != names(table, "kind")
    # Of what was, nothing is written over what is.
    old = change | {"kind": "label", "version": 0, "as": "kind"}
    problem(server.post("/api/jobs", old), 400, field="version")


def test_a_drawn_outline_is_a_group(server, lake):
    follow(server, started(server, kind="embed", table="digits", into="label-map", keep="all", steps=[{"kind": "project"}]))
    points = written(lake, "label-map")
    inside = {"columns": ["dim_1", "dim_2"], "op": "within", "value": [[0, 0], [0.5, 0], [0, 0.5]]}
    labelled(server, table="label-map", groups=[{"name": "corner", "filters": [inside]}], into="label-drawn")
    rows = duckdb.sql("select uuid, case when dim_1 >= 0 and dim_2 >= 0 and dim_1 + dim_2 <= 0.5 then 'corner' end from points").fetchall()
    found = names(written(lake, "label-drawn"))
    assert found == dict(rows) and 20 < list(found.values()).count("corner") < 900


def test_rows_and_columns_are_chosen(server, lake):
    few = [{"column": "digit", "op": "eq", "value": 4}]
    labelled(server, table="digits", filters=few, groups=[LOW | {"filters": []}], keep=["digit"], into="label-few")
    table = written(lake, "label-few")
    assert table.column_names == ["uuid", "digit", "label"] and set(table["digit"].to_pylist()) == {4}
    # Rows that nothing names say their number; a group may be of rows' numbers too.
    first = [{"name": "first", "filters": [{"column": "_row", "op": "lt", "value": 1}]}]
    labelled(server, table="plain", groups=first, keep=["n"], into="label-rows")
    assert written(lake, "label-rows").to_pylist() == [{"_row": 0, "n": 1, "label": "first"}, {"_row": 1, "n": 2, "label": None}]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"groups": []}, 400, "groups"),
        ({"groups": [LOW, {"name": "", "filters": []}]}, 400, "groups[1].name"),
        ({"groups": [{"name": "a", "filters": [{"column": "digits", "op": "lt", "value": 3}]}]}, 400, "groups[0].filters[0].column"),
        ({"groups": [{"name": "a", "filters": [{"column": "digit", "op": "lt", "value": "three"}]}]}, 400, "groups[0].filters[0].value"),
        ({"as": "digit"}, 400, "as"),
        ({"as": "DIGIT"}, 400, "as"),
        ({"otherwise": "emb"}, 400, "otherwise"),
        ({"otherwise": "nothing"}, 400, "otherwise"),
        ({"keep": ["nothing"]}, 400, "keep[0]"),
        ({"table": "nothing"}, 404, "table"),
        ({"version": 7, "table": "digits_delta"}, 404, "version"),
        ({"into": "digits"}, 409, "into"),
        ({"into": "../digits"}, 400, "into"),
        ({"into": "frozen", "mode": "overwrite"}, 422, "into"),
        ({"k": 3}, 400, "k"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(server, change, status, field):
    job = {"kind": "label", "table": "digits", "groups": [LOW], "into": "label-refused"} | change
    problem(server.post("/api/jobs", job), status, field=field)


def test_what_it_takes_is_told_before(server):
    response = server.post("/api/jobs/estimate", {"kind": "label", "table": "digits", "groups": [LOW], "into": "o"})
    assert response.status_code == 200, explain(response)
    assert response.json()["rows"] == 1797 and 0 < response.json()["seconds"] < 5


def test_no_rows_are_no_table(server, lake):
    none = [{"column": "digit", "op": "gt", "value": 90}]
    job = follow(server, started(server, kind="label", table="digits", filters=none, groups=[LOW], into="label-none"))
    assert job["state"] == "failed" and "there are no rows" in job["message"]
    assert not list((lake / "label-none").rglob("*.parquet")) and "label-none" not in server.tables()


def test_the_command_does_the_same(server, lake, tmp_path):
    told = done("label", "digits", "--into", "label-command", "--group", "low", json.dumps(LOW["filters"]), "--group", "odd ones", json.dumps(ODD["filters"]), "--otherwise", "digit", lake=lake)
    case = "case when digit % 2 = 1 then 'odd ones' when digit < 3 then 'low' else digit::varchar end"
    assert names(written(lake, "label-command")) == expected(case)
    assert told["metrics"]["rows_without_name"] == 0 and told["result"]["rows"] == 1797
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"kind": "label", "table": "digits", "groups": [ODD], "into": "label-recipe"}))
    done("label", "--config", recipe, "--as", "kind", lake=lake)
    assert set(written(lake, "label-recipe")["kind"].to_pylist()) == {"odd ones", None}
    wrong = limn("label", "digits", "--into", "o", "--group", "a", "{", lake=lake)
    assert wrong.returncode == 2 and "--group" in wrong.stderr
    other = limn("cluster", "--config", recipe, lake=lake)
    assert other.returncode == 2 and "kind label" in other.stderr


def test_types_that_delta_has_not_are_converted_or_left_out(lake, server):
    table = pa.table(
        {
            "small": pa.array([1, 2], pa.uint8()),
            "kind": pa.array(["a", None]).dictionary_encode(),
            "when": pa.array([0, 1], pa.timestamp("ns")),
            "nested": pa.array([{"at": 0}, {"at": 1}], pa.struct({"at": pa.timestamp("us")})),
            "times": pa.array([[("a", 0)], []], pa.map_(pa.string(), pa.timestamp("us"))),
        }
    )
    pq.write_table(table, lake / "label-kinds.parquet")
    groups = [{"name": "two", "filters": [{"column": "small", "op": "eq", "value": 2}]}]
    job = labelled(server, table="label-kinds", groups=groups, otherwise="kind", into="label-converted")
    found = written(lake, "label-converted")
    assert found.column_names == ["small", "kind", "when", "nested", "label"] and "times" in job["message"]
    assert [at["at"].timestamp() for at in found["nested"].to_pylist()] == [0, 1e-6]
    assert found["label"].to_pylist() == ["a", "two"] and found["kind"].to_pylist() == ["a", None]
