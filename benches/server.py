"""Scan + filter + group-by over Parquet: Limn's companion beside DuckDB and Polars, on the
same files, each in a fresh process so that nothing is warm but the disk's cache.

    python benches/server.py BINARY LAKE TABLE.parquet
"""

import json
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import duckdb
import polars
import pyarrow as pa

import rows

RUNS = 5

QUERIES = {
    "filter + group by a category": {
        "limn": {
            "filters": [{"column": "delay", "op": "between", "value": [0, 60]}],
            "group_by": ["cat"],
            "aggregates": [
                {"op": "count", "as": "n"},
                {"op": "mean", "column": "price", "as": "mean_price"},
                {"op": "max", "column": "dist", "as": "max_dist"},
            ],
        },
        "sql": "select cat::varchar as cat, count(*) as n, avg(price) as mean_price,"
               " max(dist) as max_dist from t where delay between 0 and 60 group by 1 order by 1",
        "polars": "lf.filter(c('delay').is_between(0, 60)).group_by(c('cat').cast(pl.String))"
                  ".agg(pl.len().alias('n'), c('price').mean().alias('mean_price'),"
                  " c('dist').max().alias('max_dist')).sort('cat')",
    },
    "histogram under two filters": {
        "limn": {
            "filters": [
                {"column": "hour", "op": "between", "value": [6, 18]},
                {"column": "cat", "op": "in", "value": ["class_01", "class_02", "class_03"]},
            ],
            "group_by": [{"column": "price", "bin": {"step": 8}}],
            "aggregates": [{"op": "count", "as": "n"}],
        },
        "sql": "select floor(price / 8) * 8 as price, count(*) as n from t where hour between 6"
               " and 18 and cat in ('class_01', 'class_02', 'class_03') group by 1 order by 1",
        "polars": "lf.filter(c('hour').is_between(6, 18) & c('cat').cast(pl.String).is_in("
                  "['class_01', 'class_02', 'class_03'])).group_by(((c('price') / 8).floor() * 8)"
                  ".cast(pl.Float64).alias('price')).agg(pl.len().alias('n')).sort('price')",
    },
    "groups by a category and a bin": {
        "limn": {
            "group_by": ["cat", {"column": "hour", "bin": {"step": 1}}],
            "aggregates": [{"op": "count", "as": "n"}, {"op": "mean", "column": "delay", "as": "m"}],
        },
        "sql": "select cat::varchar as cat, floor(hour) as hour, count(*) as n, avg(delay) as m"
               " from t group by 1, 2 order by 1, 2",
        "polars": "lf.group_by(c('cat').cast(pl.String), c('hour').floor().cast(pl.Float64))"
                  ".agg(pl.len().alias('n'), c('delay').cast(pl.Float64).mean().alias('m'))"
                  ".sort('cat', 'hour')",
    },
    # No aim rests on these two: an order, and as many groups as rows.
    "the ten highest of all rows": {
        "gate": False,
        "limn": {
            "columns": ["id", "price"],
            "order_by": [{"column": "price", "descending": True}],
            "limit": 10,
        },
        "sql": "select id, price from t order by price desc, id limit 10",
        "polars": "lf.select('id', 'price').sort('price', 'id', descending=[True, False]).head(10)",
    },
    "groups by a key of every row": {
        "gate": False,
        "limn": {
            "group_by": ["id"],
            "aggregates": [{"op": "max", "column": "dist", "as": "d"}],
            "order_by": [{"column": "d", "descending": True}, {"column": "id"}],
            "limit": 10,
        },
        "sql": "select id, max(dist) as d from t group by 1 order by 2 desc, 1 limit 10",
        "polars": "lf.group_by('id').agg(c('dist').max().alias('d'))"
                  ".sort('d', 'id', descending=[True, False]).head(10)",
    },
    "count under a selective filter": {
        "limn": {
            "filters": [{"column": "ts", "op": "between", "value": ["2022-01-01", "2022-01-07"]}],
            "aggregates": [{"op": "count", "as": "n"}, {"op": "mean", "column": "score", "as": "m"}],
        },
        "sql": "select count(*) as n, avg(score) as m from t where ts >= '2022-01-01' and"
               " ts < '2022-01-08'",
        "polars": "lf.filter((c('ts') >= pl.datetime(2022, 1, 1)) & (c('ts') < pl.datetime(2022,"
                  " 1, 8))).select(pl.len().alias('n'), c('score').mean().alias('m'))",
    },
}


def measure_limn(binary, lake, table, body):
    """Milliseconds of the first query of a fresh server, and the answer."""
    server = subprocess.Popen(
        [binary, "serve", "--lake", str(lake), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    try:
        for line in server.stdout:
            if "http://127.0.0.1:" in line:
                address = "http://" + line.split("http://", 1)[1].split()[0].rstrip("/.")
                break
        else:
            raise SystemExit("the server did not start")
        urllib.request.urlopen(f"{address}/api/health").read()
        request = urllib.request.Request(
            f"{address}/api/query", json.dumps({"table": table, **body}).encode(),
            {"content-type": "application/json"},
        )
        began = time.perf_counter()
        answer = urllib.request.urlopen(request).read()
        millis = (time.perf_counter() - began) * 1e3
        return millis, pa.ipc.open_stream(answer).read_all()
    finally:
        server.terminate()
        server.wait()


def measure_child(kind, file, text):
    """Milliseconds of the query in a fresh Python, imports not counted, and the answer."""
    program = {
        "duckdb": "import duckdb, sys, time, pyarrow as pa\n"
                  "con = duckdb.connect()\n"
                  "t = time.perf_counter()\n"
                  "con.execute(f\"create view t as select * from '{sys.argv[1]}'\")\n"
                  "r = con.execute(sys.argv[2]).to_arrow_table()\n",
        "polars": "import polars as pl, sys, time, pyarrow as pa\n"
                  "c = pl.col\n"
                  "t = time.perf_counter()\n"
                  "lf = pl.scan_parquet(sys.argv[1])\n"
                  "r = eval(sys.argv[2]).collect(engine='streaming').to_arrow()\n",
    }[kind] + (
        "ms = (time.perf_counter() - t) * 1e3\n"
        "sys.stdout.buffer.write(f'{ms}\\n'.encode())\n"
        "w = pa.ipc.new_stream(sys.stdout.buffer, r.schema); w.write_table(r); w.close()\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", program, str(file), text], check=True, capture_output=True
    ).stdout
    millis, _, body = out.partition(b"\n")
    return float(millis), pa.ipc.open_stream(body).read_all()


def same(ours, theirs):
    """Equal rows: counts and labels exactly, floats to 1e-6 (f32 sums in another order)."""
    a, b = ours.to_pylist(), theirs.to_pylist()
    if len(a) != len(b):
        return False
    for x, y in zip(a, b):
        for p, q in zip(x.values(), y.values()):
            if isinstance(p, float) or isinstance(q, float):
                if abs(p - q) > 1e-6 * max(1.0, abs(q)):
                    return False
            elif p != q:
                return False
    return True


def main(binary, lake, file):
    file = Path(file)
    n_rows = duckdb.execute(f"select count(*) from '{file}'").fetchone()[0]
    found = []
    for workload, forms in QUERIES.items():
        times = {"limn": [], "duckdb": [], "polars": []}
        for _ in range(RUNS):
            millis, ours = measure_limn(binary, lake, file.stem, forms["limn"])
            times["limn"].append(millis)
            for peer, text in (("duckdb", forms["sql"]), ("polars", forms["polars"])):
                millis, theirs = measure_child(peer, file, text)
                times[peer].append(millis)
                if not same(ours, theirs):
                    raise SystemExit(f"{workload}: not the rows of {peer}:\n{ours}\n{theirs}")
        middle = {name: statistics.median(values) for name, values in times.items()}
        print(f"{workload}: " + ", ".join(f"{name} {ms:.0f} ms" for name, ms in middle.items()))
        fastest = min(("duckdb", "polars"), key=middle.get)
        for peer, version in (("duckdb", duckdb.__version__), ("polars", polars.__version__)):
            found.append(rows.row(
                "server-scan", workload, n_rows, "first query of a fresh process, median", "ms",
                middle["limn"], peer, version, middle[peer],
                gate=forms.get("gate", True) and peer == fastest,
            ))
    rows.merge(found)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
