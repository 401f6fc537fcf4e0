"""Delta tables of other writers: those made here by `deltalake`, and the protocol's own golden tables.

The golden tables lie beside the checkout (LIMN_TEST_DATA); without them those tests do not run.
"""

import datetime
import math
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, WriterProperties, write_deltalake

from lakes import delta_rows, small
from limn_server import Limn, problem

WITH_EXPECTED = [
    "basic-with-inserts-deletes-checkpoint",
    "basic-with-inserts-updates",
    "corrupted-last-checkpoint-kernel",
    "data-reader-array-complex-objects",
    "data-reader-date-types-Asia",
    "data-reader-escaped-chars",
    "data-reader-map",
    "data-reader-nested-struct",
    "data-reader-primitives",
    "data-reader-timestamp_ntz",
    "dv-partitioned-with-checkpoint",
    "dv-with-columnmapping",
    "kernel-timestamp-int96",
    "log-replay-special-characters",
    "multi-part-checkpoint",
    "parquet-decimal-type",
    "snapshot-data3",
    "table-with-columnmapping-mode-name",
    "time-travel-schema-changes-b",
    "time-travel-start-start20",
    "v2-checkpoint-json",
]
REFUSED = {
    "deltalog-invalid-protocol-version": "protocol",
    "deltalog-state-reconstruction-without-metadata": "metadata",
    "versions-not-contiguous": "1",
}


@pytest.fixture(scope="module")
def golden(test_data):
    with Limn(test_data / "delta") as limn:
        yield limn


def settled(value):
    """A value that compares: instants without zone, floats by their text, nested ones as tuples."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value
    if isinstance(value, (list, tuple)):
        return tuple(settled(item) for item in value)
    if isinstance(value, dict):
        return tuple(sorted((key, settled(item)) for key, item in value.items()))
    return value


def as_bag(table, columns):
    return Counter(tuple(settled(row[name]) for name in columns) for row in table.to_pylist())


def assert_same_rows(found, expected):
    assert sorted(found.column_names) == sorted(expected.column_names)
    assert found.num_rows == expected.num_rows
    names = sorted(found.column_names)
    assert as_bag(found, names) == as_bag(expected, names)


@pytest.mark.parametrize("name", WITH_EXPECTED)
def test_a_golden_table_has_the_expected_rows(golden, test_data, name):
    expected = pq.read_table(test_data / "delta" / name / "expected")
    assert_same_rows(golden.arrow({"table": f"{name}/delta"}), expected)


@pytest.mark.parametrize("name, reason", REFUSED.items())
def test_a_golden_table_that_must_be_refused(golden, name, reason):
    body = problem(golden.query({"table": f"{name}/delta"}), 422)
    assert reason in body["detail"].lower()
    listed = golden.tables()[f"{name}/delta"]
    assert listed["rows"] is None
    assert listed["error"]["detail"]


@pytest.mark.parametrize(
    "name", ["compacted-log-files-table", "v2-checkpoints-json-with-sidecars", "table-with-dv-small"]
)
def test_a_golden_table_that_another_reader_agrees_on(golden, test_data, name):
    assert_same_rows(golden.arrow({"table": name}), delta_rows(test_data / "delta" / name))


def test_the_small_table_with_a_deletion_vector(golden):
    rows = golden.rows({"table": "table-with-dv-small", "columns": ["_row", "value"]})
    assert sorted(value for _, value in rows) == list(range(1, 9))


def test_widened_types_are_cast_on_read(golden, test_data):
    table = test_data / "delta" / "type-widening"
    answer = golden.arrow({"table": "type-widening"})
    parts = [pq.read_table(file).cast(answer.schema.remove_metadata(), safe=True) for file in table.glob("*.parquet")]
    assert_same_rows(answer, pa.concat_tables(parts))


def test_a_filter_on_a_golden_table_with_vectors_and_partitions(golden, test_data):
    expected = pq.read_table(test_data / "delta/dv-partitioned-with-checkpoint/expected").to_pylist()
    column = "part" if "part" in expected[0] else next(iter(expected[0]))
    value = expected[0][column]
    query = {
        "table": "dv-partitioned-with-checkpoint/delta",
        "filters": [{"column": column, "op": "eq", "value": value}],
    }
    assert golden.arrow(query).num_rows == sum(row[column] == value for row in expected)


def test_old_versions_of_golden_tables(golden, test_data):
    for name in ("basic-with-inserts-deletes-checkpoint", "snapshot-data3", "dv-partitioned-with-checkpoint"):
        path = test_data / "delta" / name / "delta"
        for version in range(DeltaTable(str(path)).version() + 1):
            found = golden.rows({"table": f"{name}/delta", "version": version, "aggregates": [{"op": "count"}]})
            assert found == [(delta_rows(path, version).num_rows,)], (name, version)


# Tables made here


@pytest.fixture
def lake(tmp_path):
    return tmp_path


def check_every_version(limn, path, name):
    for version in range(DeltaTable(str(path)).version() + 1):
        found = limn.arrow({"table": name, "version": version})
        assert_same_rows(found, delta_rows(path, version))


def test_partition_values_of_every_type(lake, serve):
    table = pa.table(
        {
            "row": pa.array(range(6)),
            "text": pa.array(["a b", "ä/ö", None, "x=y", "%20", "'"]),
            "day": pa.array([datetime.date(2024, 1, i + 1) if i != 3 else None for i in range(6)]),
            "flag": pa.array([True, False, None, True, False, True]),
            "number": pa.array([1, -2, None, 4, 5, 6], pa.int32()),
        }
    )
    write_deltalake(str(lake / "t"), table, partition_by=["text", "day", "flag", "number"])
    limn = serve(lake)
    check_every_version(limn, lake / "t", "t")
    for column, value, n_rows in (
        ("text", "ä/ö", 1),
        ("text", "%20", 1),
        ("day", "2024-01-02", 1),
        ("flag", True, 3),
        ("number", -2, 1),
    ):
        query = {"table": "t", "filters": [{"column": column, "op": "eq", "value": value}]}
        assert limn.arrow(query).num_rows == n_rows, (column, value)
    assert limn.arrow({"table": "t", "filters": [{"column": "text", "op": "is_null"}]}).num_rows == 1


def test_history_of_every_operation(lake, serve):
    path = str(lake / "t")
    write_deltalake(path, small(50))
    write_deltalake(path, small(50, 50), mode="append")
    DeltaTable(path).update(predicate="number < 10", new_values={"word": "'changed'"})
    DeltaTable(path).delete("number >= 90")
    source = small(20, 80)
    (
        DeltaTable(path)
        .merge(source, predicate="t.number = s.number", source_alias="s", target_alias="t")
        .when_matched_update_all()
        .when_not_matched_insert_all()
        .execute()
    )
    DeltaTable(path).optimize.z_order(["day"])
    write_deltalake(path, small(5), mode="overwrite")
    DeltaTable(path).restore(5)
    limn = serve(lake)
    check_every_version(limn, lake / "t", "t")


def test_checkpoints_and_a_log_that_was_cleaned(lake, serve):
    path = str(lake / "t")
    for start in range(12):
        write_deltalake(
            path,
            small(3, start * 3),
            mode="append",
            configuration={"delta.logRetentionDuration": "interval 0 days"} if not start else None,
        )
    DeltaTable(path).create_checkpoint()
    for start in range(12, 15):
        write_deltalake(path, small(3, start * 3), mode="append")
    log = lake / "t" / "_delta_log"
    for version in range(11):
        (log / f"{version:020d}.json").unlink(missing_ok=True)
    limn = serve(lake)
    assert sorted(limn.arrow({"table": "t"})["number"].to_pylist()) == list(range(45))
    assert limn.arrow({"table": "t", "version": 12}).num_rows == 39
    problem(limn.query({"table": "t", "version": 3}), 404, 410)


def test_many_small_files_and_statistics_that_prune(lake, serve):
    path = str(lake / "t")
    properties = WriterProperties(max_row_group_size=100)
    for start in range(0, 4000, 500):
        write_deltalake(path, small(500, start), mode="append", writer_properties=properties)
    limn = serve(lake)
    for low, high in ((0, 0), (499, 500), (1234, 2345), (3999, 9999), (-5, -1)):
        query = {
            "table": "t",
            "columns": ["number"],
            "filters": [{"column": "number", "op": "between", "value": [low, high]}],
        }
        assert sorted(limn.arrow(query)["number"].to_pylist()) == list(range(max(low, 0), min(high, 3999) + 1))


def test_table_names_with_spaces_and_paths_with_escapes(lake, serve):
    folder = lake / "a folder" / "with % and ü"
    write_deltalake(str(folder), small(), partition_by=["word"])
    limn = serve(lake)
    assert limn.arrow({"table": "a folder/with % and ü"}).num_rows == 100
