"""Small lakes made on the spot: every layout, every way to name a table, and files that are broken."""

import datetime
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from limn_server import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from sample_tables import every_kind  # noqa: E402


def small(n_rows=100, start=0):
    """Plain rows that are easy to tell apart."""
    number = np.arange(start, start + n_rows)
    return pa.table(
        {
            "number": pa.array(number, pa.int64()),
            "third": pa.array(number / 3, pa.float64()),
            "word": pa.array([f"w{value % 7}" for value in number]),
            "day": pa.array([datetime.date(2024, 1, 1) + datetime.timedelta(int(value)) for value in number]),
        }
    )


def ipc(path, table, kind="file", compression=None, rows_per_batch=64):
    new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows_per_batch)


def make(folder):
    """Every layout once. What is where stands in tests/test_lake.py."""
    folder = Path(folder)
    pq.write_table(small(), folder / "loose.parquet")
    pyarrow.csv.write_csv(small(), folder / "comma.csv")
    ipc(folder / "file.arrow", small())
    ipc(folder / "stream.arrows", small(), "stream")
    # Told by content, whatever the name says.
    ipc(folder / "stream-named-as-file.arrow", small(), "stream", "lz4")
    ipc(folder / "zstd.arrow", small(), "file", "zstd")
    ipc(folder / "kinds-in-ipc.arrow", every_ipc_kind())
    pq.write_table(every_kind(200), folder / "every-kind.parquet", row_group_size=64)

    whole = folder / "whole"
    whole.mkdir()
    for part in range(3):
        pq.write_table(small(50, part * 50), whole / f"part-{part}.parquet")

    for year, month in ((2023, 12), (2024, 1), (2024, 2)):
        hive = folder / "hive" / f"year={year}" / f"month={month}"
        hive.mkdir(parents=True)
        pq.write_table(small(20, year + month), hive / "rows.parquet")

    mixed = folder / "mixed"
    mixed.mkdir()
    pq.write_table(small(), mixed / "a.parquet")
    pyarrow.csv.write_csv(small(), mixed / "b.csv")

    nested = folder / "sales" / "2024"
    nested.mkdir(parents=True)
    write_deltalake(str(nested / "orders"), small())
    pq.write_table(small(), nested / "quarter one.parquet")
    # Another schema, so that the two files are two tables.
    pq.write_table(small().drop_columns(["day"]), nested / "größe.parquet")

    versions(folder / "versions")
    # The same name in two formats: Delta keeps the bare one.
    write_deltalake(str(folder / "clash"), small(10))
    pq.write_table(small(20), folder / "clash.parquet")

    empty = small().slice(0, 0)
    pq.write_table(empty, folder / "empty.parquet")
    write_deltalake(str(folder / "empty-delta"), empty)

    hidden(folder)
    broken(folder)


def delta_rows(path, version=None):
    """All rows of a Delta table as the `deltalake` library reads them."""
    reader = QueryBuilder().register("t", DeltaTable(str(path), version=version))
    return pa.table(reader.execute("SELECT * FROM t").read_all())


def versions(path):
    """A Delta table by the `deltalake` writer: five versions, partitions, a checkpoint."""
    location = str(path)
    write_deltalake(location, small(100), partition_by=["word"])
    write_deltalake(location, small(100, 100), mode="append")
    DeltaTable(location).delete("number < 10")
    DeltaTable(location).update(predicate="number = 50", new_values={"third": "-1.0"})
    DeltaTable(location).optimize.compact()
    DeltaTable(location).create_checkpoint()
    wider = small(5, 200).append_column("extra", pa.array(["x"] * 5))
    write_deltalake(location, wider, mode="append", schema_mode="merge")


def hidden(folder):
    pq.write_table(small(), folder / "_private.parquet")
    pq.write_table(small(), folder / ".private.parquet")
    (folder / "_folder").mkdir()
    pq.write_table(small(), folder / "_folder" / "inside.parquet")
    (folder / "notes.txt").write_text("not a table\n")


def broken(folder):
    whole = (folder / "loose.parquet").read_bytes()
    (folder / "bad-truncated.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "bad-empty.parquet").write_bytes(b"")
    (folder / "bad-magic.parquet").write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    stream = (folder / "stream.arrows").read_bytes()
    (folder / "bad-cut.arrows").write_bytes(stream[: len(stream) - 100])
    hole = folder / "bad-hole"
    for start in range(3):
        write_deltalake(str(hole), small(10, start * 10), mode="append")
    (hole / "_delta_log" / f"{1:020d}.json").unlink()
    gone = folder / "bad-missing-file"
    write_deltalake(str(gone), small())
    next(gone.glob("*.parquet")).unlink()
    future = folder / "bad-feature"
    write_deltalake(str(future), small())
    log = future / "_delta_log" / f"{0:020d}.json"
    text = log.read_text()
    start = text.index('{"protocol"')
    end = text.index("\n", start)
    protocol = (
        '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,'
        '"readerFeatures":["quantumFolding"],"writerFeatures":["quantumFolding"]}}'
    )
    log.write_text(text[:start] + protocol + text[end:])


def every_ipc_kind():
    """Types that Parquet cannot hold as they are: views, halves, large lists."""
    n_rows = 100
    text = [None if i % 9 == 8 else f"text number {i} is longer than twelve bytes"[: 3 * i] for i in range(n_rows)]
    return pa.table(
        {
            "id": pa.array(range(n_rows), pa.int32()),
            "half": pa.array(np.linspace(-2, 2, n_rows).astype("f2")),
            "view": pa.array(text, pa.string_view()),
            "bytes_view": pa.array([t and t.encode() for t in text], pa.binary_view()),
            "large": pa.array(text, pa.large_string()),
            "large_list": pa.array([[i] * (i % 3) for i in range(n_rows)], pa.large_list(pa.int16())),
            "category": pa.array(text).dictionary_encode(),
            "nothing": pa.nulls(n_rows),
            "runs": pa.RunEndEncodedArray.from_arrays(pa.array([40, 100], pa.int32()), pa.array([1.5, 2.5])),
        }
    )
