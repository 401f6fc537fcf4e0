"""Turns what browser.mjs measured into rows of results/latest.json.

    python benches/browser_rows.py MEASURED.json
"""

import json
import sys
from pathlib import Path

import rows

N_ROWS = {"d1m": 1_000_000, "d3m": 3_000_000}


def version(package):
    manifest = rows.HERE / "node_modules" / package / "package.json"
    return json.loads(manifest.read_text())["version"]


def rows_of_table(entry):
    n_rows = N_ROWS[entry["table"]]
    limn = entry["limn"]
    peers = [
        ("crossfilter2", version("crossfilter2"), entry["crossfilter"]),
        ("duckdb-wasm", version("@duckdb/duckdb-wasm"), entry["duckdb"]),
    ]
    fastest = min(peers, key=lambda peer: peer[2]["median"])[0]
    for name, release, theirs in peers:
        for metric in ("median", "p95"):
            yield rows.row(
                "W1", "brush step over 4 histograms", n_rows, f"{metric} of a step", "ms",
                limn[metric], name, release, theirs[metric],
                gate=metric == "median" and name == fastest,
            )
        yield rows.row(
            "W1", "brush step over 4 histograms", n_rows, "load and build before the first step",
            "ms", limn["load"] + limn["build"], name, release, theirs["build"],
        )
    page = entry["page"]
    for metric, millis in (("shell interactive", page["shell"]), ("first points", page["points"]),
                           ("all views", page["views"])):
        yield rows.row("W7", "address to screen, fresh profile", n_rows, metric, "ms", millis, None, None, None)
    yield rows.row("wire", "one visit, shell and columns", n_rows, "bytes on the wire", "MB",
                   page["wire"] / 1e6, None, None, None)


def main(measured):
    measured = json.loads(Path(measured).read_text())
    found = [row for entry in measured["tables"] for row in rows_of_table(entry)]
    aim = 1.5e6
    found.append(rows.row("size", "first load", 0, "page, worker, style, scripts; gzip", "MB",
                          measured["size"]["total"] / 1e6, "aim", None, aim / 1e6, gate=True))
    rows.merge(found)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
