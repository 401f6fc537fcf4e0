"""Turns what browser.mjs measured into rows of results/latest.json.

    python benches/browser_rows.py MEASURED.json
"""

import json
import sys
from pathlib import Path

import rows

N_ROWS = {"d1m": 1_000_000, "d3m": 3_000_000, "d5m": 5_000_000}


def version(package):
    manifest = rows.HERE / "node_modules" / package / "package.json"
    return json.loads(manifest.read_text())["version"]


def peer(entry, key, package=None):
    """Name, release and figures of one that was measured; none of one that was not."""
    if key not in entry:
        return None
    return (package or key, version(package or key), entry[key])


def brush_rows(entry, n_rows):
    limn = entry["limn"]
    peers = [peer(entry, "crossfilter", "crossfilter2"), peer(entry, "duckdb", "@duckdb/duckdb-wasm")]
    peers = [found for found in peers if found]
    fastest = min(peers, key=lambda found: found[2]["median"])[0]
    workload = "brush step over 4 histograms"
    for name, release, theirs in peers:
        for metric in ("median", "p95"):
            yield rows.row(
                "W1", workload, n_rows, f"{metric} of a step", "ms",
                limn[metric], name, release, theirs[metric],
                gate=metric == "median" and name == fastest,
            )
        yield rows.row(
            "W1", workload, n_rows, "load and build before the first step",
            "ms", limn["load"] + limn["build"], name, release, theirs["build"],
        )
    for metric, millis in (("ranks and cubes of the brushed column", limn["cube"]),
                           ("step of another column, unprepared", limn["other"]["median"])):
        yield rows.row("W1", workload, n_rows, metric, "ms", millis, None, None, None)


def explore_rows(entry, n_rows):
    limn = entry["limn"]
    duckdb = peer(entry, "duckdb", "@duckdb/duckdb-wasm")
    loop = ("plain loop", None, entry["loop"])
    kdbush, regl = peer(entry, "kdbush"), peer(entry, "regl", "regl-scatterplot")

    def beside(bench, workload, metric, ours, found, theirs, gate=False):
        name, release = found[:2] if found else (None, None)
        return rows.row(bench, workload, n_rows, metric, "ms", ours, name, release, theirs, gate=gate)

    mask, lasso, pan, hover = limn["mask"], limn["lasso"], limn["pan"], limn["hover"]
    yield beside("W2", "points under a brush", "median until they are known", mask["median"],
                 duckdb, duckdb[2]["mask"]["median"], gate=True)
    yield beside("W2", "points under a brush", "median until they are drawn", limn["picture"]["median"], None, None)
    yield beside("W3", "point under the pointer", "median", hover["median"], kdbush, kdbush[2]["median"])
    yield beside("W3", "point under the pointer", "first, the index with it", limn["hoverIndex"],
                 kdbush, kdbush[2]["build"])
    for found, theirs in ((regl, regl[2]["lasso"]), (duckdb, duckdb[2]["lasso"]), (loop, loop[2])):
        yield beside("W4", "lasso of 30 corners", "median", lasso["median"], found, theirs["median"],
                     gate=found is regl)
    yield beside("W5", "frame of 1000 × 700", "first picture", limn["firstPicture"], regl, regl[2]["firstPicture"])
    yield beside("W5", "frame of 1000 × 700", "median of a pan", pan["median"], regl, regl[2]["pan"]["median"],
                 gate=True)
    yield beside("W6", "rows by a number", "first page, the sort with it", limn["sort"], duckdb, duckdb[2]["sort"])
    yield beside("W6", "rows by a number", "median of a page", limn["page"]["median"],
                 duckdb, duckdb[2]["page"]["median"])
    yield beside("W6", "rows in table order", "median of a page", limn["scroll"]["median"], None, None)


def page_rows(page, n_rows):
    for metric, millis in (("shell interactive", page["shell"]), ("first points", page["points"]),
                           ("all views", page["views"])):
        yield rows.row("W7", "address to screen, fresh profile", n_rows, metric, "ms", millis, None, None, None)
    yield rows.row("wire", "one visit, shell and columns", n_rows, "bytes on the wire", "MB",
                   page["wire"] / 1e6, None, None, None)


def hand_rows(hand, n_rows):
    for bench, workload, name in (("W1", "brush step over 4 histograms", "brush"), ("W4", "lasso of 30 corners", "lasso")):
        for metric in ("median", "p95"):
            yield rows.row(bench, workload, n_rows, f"{metric}, pointer to painted page", "ms", hand[name][metric], None, None, None)


def rows_of_table(entry):
    n_rows = N_ROWS[entry["table"]]
    if "limn" in entry:
        yield from brush_rows(entry, n_rows)
    if "explore" in entry:
        yield from explore_rows(entry["explore"], n_rows)
    if "hand" in entry:
        yield from hand_rows(entry["hand"], n_rows)
    if "page" in entry:
        yield from page_rows(entry["page"], n_rows)


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
