"""Finding tables: names, layouts, schemas, statistics, versions, and tables that cannot be read."""

import datetime
import json
import re

import pyarrow.parquet as pq
import pytest
import requests
from deltalake import DeltaTable, write_deltalake

from lakes import delta_rows, small
from limn_server import problem

GOOD = {
    "loose": ("parquet", 100),
    "comma": ("csv", 100),
    "file": ("arrow", 100),
    "stream": ("arrow", 100),
    "stream-named-as-file": ("arrow", 100),
    "zstd": ("arrow", 100),
    "kinds-in-ipc": ("arrow", 100),
    "every-kind": ("parquet", 200),
    "whole": ("parquet", 150),
    "hive": ("parquet", 60),
    "mixed/a": ("parquet", 100),
    "mixed/b": ("csv", 100),
    "sales/2024/orders": ("delta", 100),
    "sales/2024/quarter one": ("parquet", 100),
    "sales/2024/größe": ("parquet", 100),
    "versions": ("delta", 195),
    "clash": ("delta", 10),
    "clash.parquet": ("parquet", 20),
    "empty": ("parquet", 0),
    "empty-delta": ("delta", 0),
}
BAD = [
    "bad-truncated",
    "bad-empty",
    "bad-magic",
    "bad-cut",
    "bad-hole",
    "bad-missing-file",
    "bad-feature",
]


def test_health(made):
    health = made.get("/api/health").json()
    assert health["status"] == "ok"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", health["version"])
    assert health["engine"] in ("local", "ballista")
    assert "gpu" in health


def test_listing_names_every_table_and_nothing_hidden(made):
    tables = made.tables()
    assert set(tables) == set(GOOD) | set(BAD)
    for name, (form, _) in GOOD.items():
        assert tables[name]["format"] == form, name


@pytest.mark.parametrize("name", GOOD)
def test_a_table_answers_with_all_its_rows(made, name):
    table = made.table(name)
    form, n_rows = GOOD[name]
    assert table["format"] == form
    assert table["rows"] in (n_rows, None)
    counted = made.rows({"table": name, "aggregates": [{"op": "count", "as": "n"}]})
    assert counted == [(n_rows,)]
    answer = made.arrow({"table": name})
    assert answer.num_rows == n_rows
    assert [column["name"] for column in table["columns"]] == answer.column_names


@pytest.mark.parametrize("name", ["loose", "comma", "file", "stream", "zstd", "mixed/b", "sales/2024/orders"])
def test_layouts_hold_the_same_rows(made, name):
    columns = ["number", "third", "word"]
    expected = [tuple(row.values()) for row in small().select(columns).to_pylist()]
    assert made.rows({"table": name, "columns": columns}) == expected
    days = [row["day"] for row in small().to_pylist()]
    assert [day for (day,) in made.rows({"table": name, "columns": ["day"]})] == days


def test_files_of_a_folder_come_by_path(made):
    assert [number for (number,) in made.rows({"table": "whole", "columns": ["number"]})] == list(range(150))


def test_hive_folders_become_columns(made):
    kinds = {column["name"]: column for column in made.table("hive")["columns"]}
    assert {"year", "month"} <= set(kinds)
    rows = made.rows(
        {
            "table": "hive",
            "filters": [{"column": "year", "op": "eq", "value": 2024}],
            "group_by": ["year", "month"],
            "aggregates": [{"op": "count", "as": "n"}],
        }
    )
    assert [tuple(map(int, row)) for row in rows] == [(2024, 1, 20), (2024, 2, 20)]


@pytest.mark.parametrize("name", BAD)
def test_a_broken_table_is_listed_and_says_why(made, name):
    listed = made.tables()[name]
    # What is broken may show only when the data is read.
    if listed.get("error"):
        assert listed["rows"] is None
        assert listed["columns"] == []
        assert {"type", "title", "detail"} <= set(listed["error"])
    body = problem(made.query({"table": name, "limit": 10_000}), 422)
    wanted = {
        "bad-hole": "1",
        "bad-feature": "quantumFolding",
        "bad-missing-file": ".parquet",
    }.get(name)
    assert wanted is None or wanted in body["detail"], body


def test_a_stream_that_breaks_off_breaks_the_answer(made):
    """The first batch is good, so the answer may have begun before the end of the file is missed."""
    broken = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)
    try:
        response = made.query({"table": "bad-cut"})
    except broken:
        return
    problem(response, 422)


@pytest.mark.parametrize("name", ["bad-hole", "bad-feature", "bad-empty", "bad-magic", "bad-truncated"])
def test_breakage_that_needs_no_data_shows_in_the_listing(made, name):
    assert made.tables()[name]["error"]["detail"]
    problem(made.get(f"/api/tables/{name}"), 422)


KINDS = {
    "i8": "number",
    "i64": "number",
    "u64": "number",
    "f32": "number",
    "f64": "number",
    "price": "number",
    "boolean": "boolean",
    "text": "text",
    "large_text": "text",
    "category": "category",
    "day": "time",
    "at_ms": "time",
    "at_ns": "time",
    "at_utc": "time",
    "at_berlin": "time",
    "vector": "vector",
    "floats": "vector",
    "tags": "nested",
    "nested": "nested",
}


def test_kinds_follow_the_schema(made):
    columns = {column["name"]: column for column in made.table("every-kind")["columns"]}
    found = {name: columns[name]["kind"] for name in KINDS}
    # Text with few distinct values counts as a category once they are known.
    for name in ("text", "large_text"):
        assert found.pop(name) in ("text", "category")
    assert found == {name: kind for name, kind in KINDS.items() if name not in ("text", "large_text")}
    assert all(isinstance(column["nullable"], bool) and column["type"] for column in columns.values())


def test_statistics_of_a_table(made):
    statistics = made.table("loose")["statistics"]
    by_name = statistics if isinstance(statistics, dict) else {entry["column"]: entry for entry in statistics}
    number = by_name["number"]
    assert (number["min"], number["max"], number["null_count"]) == (0, 99, 0)
    assert number["distinct_count"] in (100, None)
    assert by_name["day"]["min"] == "2024-01-01"


def test_versions_come_newest_first(made, made_lake):
    versions = made.get("/api/tables/versions/versions").json()["versions"]
    history = DeltaTable(str(made_lake / "versions")).history()
    assert [entry["version"] for entry in versions] == [entry["version"] for entry in history]
    assert [entry["operation"] for entry in versions] == [entry["operation"] for entry in history]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", entry["timestamp"]) for entry in versions)


@pytest.mark.parametrize("version", range(6))
def test_every_version_holds_what_another_reader_finds(made, made_lake, version):
    expected = sorted(delta_rows(made_lake / "versions", version)["number"].to_pylist())
    found = made.arrow({"table": "versions", "version": version, "columns": ["number", "third"]})
    assert sorted(found["number"].to_pylist()) == expected
    assert (-1.0 in found["third"].to_pylist()) == (version >= 3)
    assert made.table("versions", version)["version"] == version


def test_a_column_added_later_is_null_before(made):
    answer = made.arrow({"table": "versions", "columns": ["number", "extra"], "order_by": [{"column": "number"}]})
    extra = answer["extra"].to_pylist()
    assert extra[:190] == [None] * 190
    assert extra[190:] == ["x"] * 5


def test_a_version_by_time(made, made_lake):
    first = DeltaTable(str(made_lake / "versions")).history()[-1]["timestamp"]
    problem(made.query({"table": "versions", "version": "1999-01-01T00:00:00Z"}), 404, 410)
    later = made.query({"table": "versions", "version": "2999-01-01T00:00:00Z", "limit": 1})
    assert later.status_code in (200, 404)
    moment = datetime.datetime.fromtimestamp((first + 1) / 1000, datetime.timezone.utc).isoformat()
    assert made.query({"table": "versions", "version": moment, "limit": 1}).status_code == 200


@pytest.mark.parametrize(
    "version, statuses",
    [(99, (404,)), (-1, (400, 404)), ("f-0123456789abcdef", (400, 404, 410)), ("x", (400,)), (1.5, (400,))],
)
def test_a_version_that_is_not_there(made, version, statuses):
    problem(made.query({"table": "versions", "version": version}), *statuses)


def test_files_have_a_fingerprint_for_a_version(made):
    version = made.table("loose")["version"]
    assert re.fullmatch(r"f-[0-9a-f]{16}", version)
    assert made.rows({"table": "loose", "version": version, "columns": ["number"], "limit": 1}) == [(0,)]
    problem(made.query({"table": "loose", "version": "f-0000000000000000"}), 404, 410)


@pytest.mark.parametrize(
    "name",
    [
        "../loose",
        "..",
        ".",
        "",
        "/etc/passwd",
        "loose/../loose",
        "_private",
        ".private",
        "_folder/inside",
        "loose.parquet/../../x",
        "..%2f..%2fetc%2fpasswd",
        "loose\x00",
        "C:\\windows",
        "a" * 5000,
        "notes",
        "notes.txt",
    ],
)
def test_nothing_outside_the_lake_is_reachable(made, name):
    problem(made.query({"table": name}), 400, 404)


def test_an_unknown_table_names_a_near_one(made):
    body = problem(made.query({"table": "lose"}), 404)
    assert "loose" in body["detail"]
    problem(made.get("/api/tables/lose"), 404)


def test_names_are_encoded_in_routes(made):
    assert made.get("/api/tables/sales%2F2024%2Forders").status_code == 200
    assert made.table("sales/2024/größe")["name"] == "sales/2024/größe"
    assert made.table("sales/2024/quarter one")["rows"] in (100, None)


def test_named_lakes_prefix_their_tables(serve, made_lake, sample_lake):
    limn = serve(f"left={made_lake / 'sales'}", f"right={sample_lake}")
    names = set(limn.tables())
    assert {"left/2024/orders", "right/flights", "right/penguins"} <= names
    assert limn.rows({"table": "right/penguins", "aggregates": [{"op": "count"}]}) == [(344,)]


def test_a_table_that_appears_is_found(serve, tmp_path):
    limn = serve(tmp_path)
    assert limn.tables() == {}
    pq.write_table(small(3), tmp_path / "late.parquet")
    assert limn.rows({"table": "late", "aggregates": [{"op": "count"}]}) == [(3,)]
    assert "late" in limn.tables()


def test_a_new_version_is_seen_at_once(serve, tmp_path):
    write_deltalake(str(tmp_path / "t"), small(3))
    limn = serve(tmp_path)
    count = {"table": "t", "aggregates": [{"op": "count"}]}
    assert limn.rows(count) == [(3,)]
    write_deltalake(str(tmp_path / "t"), small(4), mode="append")
    assert limn.rows(count) == [(7,)]
    assert limn.rows(count | {"version": 0}) == [(3,)]


def test_a_version_whose_files_are_gone_is_gone(serve, tmp_path):
    path = str(tmp_path / "t")
    write_deltalake(path, small(3))
    write_deltalake(path, small(4), mode="overwrite")
    DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    limn = serve(tmp_path)
    assert limn.rows({"table": "t", "aggregates": [{"op": "count"}]}) == [(4,)]
    problem(limn.query({"table": "t", "version": 0}), 410)


def test_the_listing_is_json_of_the_contract(sample):
    for table in json.loads(sample.get("/api/tables").text)["tables"]:
        assert {"name", "format", "version", "rows", "bytes", "columns"} <= set(table)
        assert table["format"] in ("delta", "parquet", "csv", "arrow")
        for column in table["columns"]:
            assert set(column) >= {"name", "type", "kind", "nullable"}
