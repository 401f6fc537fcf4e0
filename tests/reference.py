"""What an answer should be, worked out by DuckDB on the very files, and how to compare with it."""

import datetime
import decimal
import math

import duckdb
from deltalake import DeltaTable


class Reference:
    """DuckDB views over the files of the sample lake, Delta tables through their live files."""

    def __init__(self, lake):
        self.database = duckdb.connect()
        self.database.execute("SET TimeZone = 'UTC'")
        for path in sorted(lake.iterdir()):
            if path.name.startswith((".", "_")):
                continue
            self._view(path)

    def _view(self, path):
        if (path / "_delta_log").is_dir():
            table = DeltaTable(str(path))
            # DuckDB from the registry has no Delta reader, and the files of a
            # table with deletion vectors are not its rows.
            if "deletionVectors" in (table.protocol().reader_features or []):
                return
            # With partitions the order of the files is that of their paths.
            files = sorted(table.file_uris())
            hive = bool(table.metadata().partition_columns)
            source = f"read_parquet({files!r}, hive_partitioning={str(hive).lower()}, union_by_name=true)"
        elif path.is_dir():
            hive = any("=" in child.name for child in path.iterdir())
            pattern = f"{path}/*/*.parquet" if hive else f"{path}/*.parquet"
            source = f"read_parquet('{pattern}', hive_partitioning={str(hive).lower()})"
        elif path.suffix == ".parquet":
            source = f"read_parquet('{path}')"
        elif path.suffix == ".csv":
            source = f"read_csv('{path}')"
        else:
            return
        self.database.execute(f"CREATE VIEW {path.name.split('.')[0]} AS SELECT * FROM {source}")

    def rows(self, sql):
        return self.database.execute(sql).fetchall()


def assert_same(found, expected, relative=1e-9):
    assert len(found) == len(expected), f"{len(found)} rows instead of {len(expected)}\n{found[:5]}\n{expected[:5]}"
    for index, (left, right) in enumerate(zip(found, expected)):
        assert len(left) == len(right), f"row {index}: {left} instead of {right}"
        for position, (mine, theirs) in enumerate(zip(left, right)):
            assert same(mine, theirs, relative), f"row {index}, column {position}: {mine!r} instead of {theirs!r}"


def same(left, right, relative=1e-9):
    if left is None or right is None:
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        if isinstance(left, str) or isinstance(right, str):
            return False
        left, right = float(left), float(right)
        return (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=relative, abs_tol=1e-12)
    if isinstance(left, decimal.Decimal) or isinstance(right, decimal.Decimal):
        return decimal.Decimal(left) == decimal.Decimal(right)
    if isinstance(left, datetime.datetime) and isinstance(right, datetime.datetime):
        return instant(left) == instant(right)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(same(a, b, relative) for a, b in zip(left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key], relative) for key in left)
    return left == right


def instant(moment):
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(datetime.timezone.utc)
