"""Makes a large table of clustered points: the workload of the benchmarks, at any size.

    python tools/generate_table.py ROWS OUT [--seed 1]

OUT ending in .parquet is one Parquet file, in .arrow an Arrow IPC file, in .arrows
a stream; any other name is a Delta table, one file per ten million rows. The rows
are made and written block by block, so that memory does not grow with their number,
and a block depends on the seed and its place alone.
"""

import argparse
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from delta_log import DeltaLog

N_CLUSTERS = 24
CLASSES = [f"class_{i:02d}" for i in range(12)]
ROWS_PER_BLOCK = 1_000_000
ROWS_PER_GROUP = 122_880
ROWS_PER_FILE = 10_000_000
FIRST_SECOND, LAST_SECOND = 1_577_836_800, 1_735_689_600  # 2020-01-01 to 2025-01-01


class Clusters:
    """Twenty-four Gaussian clouds of unequal weight and width."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.x = random.normal(0, 4, N_CLUSTERS)
        self.y = random.normal(0, 4, N_CLUSTERS)
        self.width = random.uniform(0.2, 1.0, N_CLUSTERS)
        self.weight = random.dirichlet(np.full(N_CLUSTERS, 2.0))

    def block(self, random, start, n_rows, n_total):
        cluster = random.choice(N_CLUSTERS, n_rows, p=self.weight)
        x = self.x[cluster] + random.normal(0, 1, n_rows) * self.width[cluster]
        y = self.y[cluster] + random.normal(0, 1, n_rows) * self.width[cluster]
        # A class follows its cloud, but for one row in seven or so.
        strays = random.random(n_rows) >= 0.85
        classes = np.where(strays, random.integers(0, 12, n_rows), cluster % 12).astype("i1")
        # Times ascend over the whole table, each block within its own share of the years.
        span = LAST_SECOND - FIRST_SECOND
        share = [FIRST_SECOND + span * edge // n_total for edge in (start, start + n_rows)]
        seconds = np.sort(random.integers(share[0], max(share[1], share[0] + 1), n_rows))
        return {
            "id": pa.array(np.arange(start, start + n_rows, dtype="i8")),
            "x": pa.array(x.astype("f4")),
            "y": pa.array(y.astype("f4")),
            "cat": pa.DictionaryArray.from_arrays(pa.array(classes), pa.array(CLASSES)),
            "delay": pa.array(random.gamma(2, 15, n_rows).astype("f4") - np.float32(20)),
            "dist": pa.array(random.lognormal(6.3, 0.7, n_rows).astype("f4")),
            "hour": pa.array((random.beta(3, 2, n_rows) * 24).astype("f4")),
            "score": pa.array(random.normal(0, 1, n_rows).astype("f4")),
            "price": pa.array(random.exponential(40, n_rows).astype("f4")),
            "ts": pa.array(seconds * 1000, pa.int64()).cast(pa.timestamp("ms")),
        }


def blocks(n_rows, seed):
    clusters = Clusters(seed)
    for index, start in enumerate(range(0, n_rows, ROWS_PER_BLOCK)):
        random = np.random.default_rng([seed, index])
        columns = clusters.block(random, start, min(ROWS_PER_BLOCK, n_rows - start), n_rows)
        yield pa.table(columns)


SCHEMA = next(blocks(1, 0)).schema


@contextmanager
def writer_for(path):
    """Something with write_table, by the name's ending."""
    if path.suffix == ".parquet":
        with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            yield lambda table: writer.write_table(table, row_group_size=ROWS_PER_GROUP)
        return
    new = pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream
    with pa.OSFile(str(path), "wb") as sink, new(sink, SCHEMA) as writer:
        yield lambda table: writer.write_table(table, max_chunksize=ROWS_PER_BLOCK)


def write_delta(folder, n_rows, seed):
    """Delta knows neither dictionaries nor milliseconds, so both are widened."""
    fields = {"cat": pa.string(), "ts": pa.timestamp("us")}
    schema = pa.schema([pa.field(field.name, fields.get(field.name, field.type)) for field in SCHEMA])
    log = DeltaLog(folder, schema, features=["timestampNtz"], identity=f"{n_rows} rows of seed {seed}")
    waiting = []
    for table in blocks(n_rows, seed):
        waiting.append(table.cast(schema))
        if sum(part.num_rows for part in waiting) >= ROWS_PER_FILE:
            log.add(pa.concat_tables(waiting))
            waiting = []
    if waiting:
        log.add(pa.concat_tables(waiting))
    log.commit("WRITE", mode="ErrorIfExists")


def generate(n_rows, out, seed):
    draft = out.with_name(f".{time.time_ns()}-{out.name}")
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        if out.suffix in (".parquet", ".arrow", ".arrows"):
            with writer_for(draft) as write:
                for table in blocks(n_rows, seed):
                    write(table)
        else:
            write_delta(draft, n_rows, seed)
        draft.rename(out)
    finally:
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.rows < 1:
        parser.error("ROWS is at least 1")
    if arguments.out.exists():
        raise SystemExit(f"{arguments.out} is there already: remove it first")
    began = time.monotonic()
    generate(arguments.rows, arguments.out, arguments.seed)
    print(f"{arguments.rows} rows in {arguments.out}: {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
