"""What changed between two versions of a Delta table: `"version": "3..5"`, beside bags of rows as
`deltalake` reads the two versions."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake

from lakes import delta_rows, small, versions
from limn_server import Limn, problem
from test_delta import settled

CHANGES = ["unchanged", "added", "changed from", "changed to", "removed"]


def bag(table, columns):
    """Rows as a bag, with null where the table has no such column."""
    return Counter(tuple(settled(row.get(name)) for name in columns) for row in table.to_pylist())


def compared(limn, name, start, end, **more):
    return limn.arrow({"table": name, "version": f"{start}..{end}", **more})


def rows_of(table, *changes):
    return table.filter(pc.is_in(table["_change"].cast(pa.string()), pa.array(changes)))


def check(limn, name, path, start, end):
    found = compared(limn, name, start, end)
    assert set(pc.unique(found["_change"].cast(pa.string())).to_pylist()) <= set(CHANGES)
    columns = [column for column in found.column_names if column != "_change"]
    assert found.column_names == [*columns, "_change"]
    old, new = bag(delta_rows(path, start), columns), bag(delta_rows(path, end), columns)
    assert bag(rows_of(found, "unchanged"), columns) == old & new, (start, end)
    assert bag(rows_of(found, "added", "changed to"), columns) == new - old, (start, end)
    assert bag(rows_of(found, "removed", "changed from"), columns) == old - new, (start, end)
    # Without the rows that are gone, the comparison is the later version.
    filters = [{"column": "_change", "op": "not_in", "value": ["removed", "changed from"]}]
    now = compared(limn, name, start, end, filters=filters)
    assert bag(now, columns) == new, (start, end)
    # Row numbers count through what is shown, filtered or not.
    numbers = compared(limn, name, start, end, columns=["_row"], filters=filters)["_row"].to_pylist()
    kept = [at for at, change in enumerate(found["_change"].to_pylist()) if change not in ("removed", "changed from")]
    assert numbers == kept


@pytest.fixture(scope="module")
def made_versions(tmp_path_factory):
    lake = tmp_path_factory.mktemp("compared")
    versions(lake / "versions")
    with Limn(lake) as limn:
        yield limn, lake / "versions"


def test_every_pair_of_versions_differs_by_what_another_reader_says(made_versions):
    limn, path = made_versions
    last = DeltaTable(str(path)).version()
    for start in range(last + 1):
        for end in range(last + 1):
            check(limn, "versions", path, start, end)


def test_a_table_that_was_only_compacted_has_not_changed(made_versions):
    limn, path = made_versions
    history = {entry["version"]: entry["operation"] for entry in DeltaTable(str(path)).history()}
    compacted = next(version for version, operation in history.items() if operation == "OPTIMIZE")
    found = compared(limn, "versions", compacted - 1, compacted)
    assert pc.unique(found["_change"].cast(pa.string())).to_pylist() == ["unchanged"]


@pytest.mark.parametrize("name", ["dv-partitioned-with-checkpoint", "dv-with-columnmapping", "snapshot-data3"])
def test_golden_tables_with_deletion_vectors(test_data, name):
    path = test_data / "delta" / name / "delta"
    last = DeltaTable(str(path)).version()
    with Limn(path.parent) as limn:
        for start, end in {(0, last), (last, 0), (last // 2, last), (0, 1)}:
            if max(start, end) <= last:
                columns = [*delta_rows(path, end).column_names, "_change"]
                check_mapped = compared(limn, "delta", start, end)
                assert check_mapped.column_names == columns
                check(limn, "delta", path, start, end)


def test_rows_with_a_key_are_followed(tmp_path):
    path = tmp_path / "people"
    rows = {"id": pa.array(range(10)), "name": pa.array([f"n{i}" for i in range(10)])}
    write_deltalake(str(path), pa.table(rows))
    DeltaTable(str(path)).update(predicate="id = 3", new_values={"name": "changed"})
    DeltaTable(str(path)).delete("id = 5")
    write_deltalake(str(path), pa.table({"id": pa.array([11]), "name": pa.array(["new"])}), mode="append")
    # A key that is there twice is not followed, nor is none at all.
    twice = pa.table({"id": pa.array([7, None], pa.int64()), "name": pa.array(["again", "nobody"])})
    write_deltalake(str(path), twice, mode="append")
    DeltaTable(str(path)).update(predicate="name = 'n7'", new_values={"name": "seven"})
    with Limn(tmp_path) as limn:
        found = compared(limn, "people", 0, DeltaTable(str(path)).version())
        told = {(row["id"], row["name"]): row["_change"] for row in found.to_pylist()}
    expected = {(i, f"n{i}"): "unchanged" for i in range(10)}
    expected |= {(3, "n3"): "changed from", (3, "changed"): "changed to", (5, "n5"): "removed", (11, "new"): "added"}
    expected |= {(7, "n7"): "removed", (7, "seven"): "added", (7, "again"): "added", (None, "nobody"): "added"}
    assert told == expected


def test_changes_are_grouped_filtered_and_described_like_any_column(made_versions):
    limn, path = made_versions
    last = DeltaTable(str(path)).version()
    version = f"0..{last}"
    described = limn.table("versions", version)
    assert described["version"] == version
    change = described["columns"][-1]
    assert (change["name"], change["kind"], change["nullable"]) == ("_change", "category", False)
    total = compared(limn, "versions", 0, last).num_rows
    assert described["rows"] == total
    counts = limn.rows({"table": "versions", "version": version, "group_by": ["_change"], "aggregates": [{"op": "count"}]})
    assert sum(count for _, count in counts) == total
    options = limn.options("versions", column="_change", version=version)
    assert [(entry["value"], entry["count"]) for entry in options["values"]] == counts
    filters = [{"column": "_change", "op": "eq", "value": "added"}, {"column": "number", "op": "ge", "value": 150}]
    found = compared(limn, "versions", 0, last, filters=filters)
    assert sorted(found["number"].to_pylist()) == [*range(150, 205)]
    answer = limn.query({"table": "versions", "version": version, "limit": 1})
    assert answer.headers["Limn-Version"] == version and "immutable" not in answer.headers.get("Cache-Control", "")
    pinned = limn.query_by_get({"table": "versions", "version": version, "limit": 1})
    assert "immutable" in pinned.headers["Cache-Control"] and pinned.headers["ETag"]


def test_what_cannot_be_compared_is_said(tmp_path):
    write_deltalake(str(tmp_path / "taken"), pa.table({"_change": pa.array([1])}))
    write_deltalake(str(tmp_path / "taken"), pa.table({"_change": pa.array([2])}), mode="append")
    small_table = small(5)
    write_deltalake(str(tmp_path / "plain"), small_table)
    with Limn(tmp_path) as limn:
        body = problem(limn.query({"table": "taken", "version": "0..1"}), 422)
        assert "_change" in body["detail"]
        assert "latest is 0" in problem(limn.query({"table": "plain", "version": "0..9"}), 404, field="version")["detail"]
        for wrong in ("0..", "..0", "0..1..2", "a..b"):
            assert "3..5" in problem(limn.query({"table": "plain", "version": wrong}), 400, field="version")["detail"]
