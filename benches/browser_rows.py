"""Turns what browser.mjs measured into rows of results/latest.json.

    python benches/browser_rows.py MEASURED.json
"""

import json
import os
import sys
from pathlib import Path

import rows

N_ROWS = {"d1m": 1_000_000, "d3m": 3_000_000, "d5m": 5_000_000, "d10m": 10_000_000}
PACKAGES = {
    "arquero": "arquero",
    "atlas": "embedding-atlas",
    "crossfilter": "crossfilter2",
    "duckdb": "@duckdb/duckdb-wasm",
    "kdbush": "kdbush",
    "mosaic": "@uwdata/mosaic-core",
    "perspective": "@perspective-dev/server",
    "regl": "regl-scatterplot",
}
NAMES = {"mosaic": "Mosaic on duckdb-wasm", "perspective": "Perspective", "loop": "plain loop"}
# No product, but what a page could do without one.
BASELINES = {"loop"}


def version(package):
    manifest = rows.HERE / "node_modules" / package / "package.json"
    return json.loads(manifest.read_text())["version"]


def beside(bench, workload, n_rows, metric, ours, theirs=None, unit="ms", gate=False):
    """Rows of one figure beside each peer that has it; the gate is on the best of them."""
    theirs = {side: figure for side, figure in (theirs or {}).items() if figure is not None}
    if not theirs:
        yield rows.row(bench, workload, n_rows, metric, unit, ours, None, None, None)
        return
    products = {side: figure for side, figure in theirs.items() if side not in BASELINES}
    best = min(products, key=products.get) if products else None
    for side, figure in theirs.items():
        package = PACKAGES.get(side)
        yield rows.row(bench, workload, n_rows, metric, unit, ours, NAMES.get(side, package),
                       package and version(package), figure, gate=gate and side == best)


def figures(sides, *path):
    """What each peer has at a path."""
    found = {}
    for side, figure in sides.items():
        for step in path:
            figure = figure.get(step) if isinstance(figure, dict) else None
        if side != "limn" and figure is not None:
            found[side] = figure
    return found


def brush_rows(entry, n_rows):
    sides = {side: entry[side] for side in ("limn", *PACKAGES) if side in entry}
    limn, workload = sides["limn"], "brush step over 4 histograms"
    for metric, gate in (("median", True), ("p95", False)):
        yield from beside("W1", workload, n_rows, f"{metric} of a step", limn[metric], figures(sides, metric), gate=gate)
    yield from beside("W1", workload, n_rows, "load and build before the first step",
                      limn["load"] + limn["build"], figures(sides, "build"))
    yield from beside("W1", workload, n_rows, "counts by place of the brushed column, when the pointer enters",
                      limn["cube"], figures(sides, "cube"))
    yield from beside("W1", workload, n_rows, "counts by place of the brushed column, ranked already", limn["recube"])
    yield from beside("W1", workload, n_rows, "step of another column, unprepared", limn["other"]["median"])


def explore_rows(sides, n_rows):
    limn = sides["limn"]

    def median(bench, workload, metric, key, gate=True, names=None):
        theirs = figures(sides, key, "median")
        theirs = {side: figure for side, figure in theirs.items() if names is None or side in names}
        return beside(bench, workload, n_rows, metric, limn[key]["median"], theirs, gate=gate)

    yield from median("W2", "points under a brush", "median until they are known", "mask")
    yield from median("W2", "points under a brush", "median until they are drawn", "picture", gate=False)
    if "kdbush" in sides:
        kdbush = sides["kdbush"]
        yield from beside("W3", "point under the pointer", n_rows, "median", limn["hover"]["median"],
                          {"kdbush": kdbush["median"]}, gate=True)
        yield from beside("W3", "point under the pointer", n_rows, "first, the index with it", limn["hoverIndex"],
                          {"kdbush": kdbush["build"]}, gate=True)
    if "loop" in sides:
        theirs = {**figures(sides, "lasso", "median"), "loop": sides["loop"]["median"]}
        yield from beside("W4", "lasso of 30 corners", n_rows, "median", limn["lasso"]["median"], theirs, gate=True)
    if "firstPicture" in limn and "regl" in sides:
        frame = "frame of 1000 × 700"
        yield from beside("W5", frame, n_rows, "first picture", limn["firstPicture"], figures(sides, "firstPicture"))
        yield from median("W5", frame, "median of a pan", "pan")
    if "arquero" in sides:
        yield from beside("W6", "rows by a number", n_rows, "first page, the sort with it", limn["sort"],
                          figures(sides, "sort"), gate=True)
        yield from median("W6", "rows by a number", "median of a page", "page")
        yield from median("W6", "rows in table order", "median of a page", "scroll")


def grid_rows(sides, n_rows):
    for metric, gate in (("median", True), ("p95", False)):
        yield from beside("W8", "filtered grid of 512² counts", n_rows, f"{metric}; ours drawn too",
                          sides["limn"][metric], figures(sides, metric), gate=gate)


def page_rows(entry, n_rows):
    page, atlas = entry["page"], entry.get("atlasPage", {})
    workload = "address to screen, fresh profile"
    yield from beside("W7", workload, n_rows, "shell interactive", page["shell"])
    yield from beside("W7", workload, n_rows, "first points", page["points"], {"atlas": atlas.get("points")}, gate=True)
    yield from beside("W7", workload, n_rows, "all views", page["views"])
    yield from beside("wire", "one visit, shell and columns", n_rows, "bytes on the wire", page["wire"] / 1e6, unit="MB")


def memory_rows(held, n_rows):
    workload = "the page at rest, all columns and views"
    for metric, key in (("in use by its programs", "inUse"), ("their memories, which never shrink", "memory"),
                        ("heaps of their scripts", "scripts")):
        yield rows.row("memory", workload, n_rows, metric, "MB", held[key] / 1e6, "the columns as Arrow", "",
                       held["arrow"] / 1e6)


def hand_rows(entry, n_rows):
    hand, atlas = entry["hand"], entry.get("atlasHand")
    hover = {"atlas": atlas["hover"]["median"]} if atlas else {}
    lasso = {"atlas": atlas["lasso"]} if atlas else {}
    yield from beside("W1", "brush step over 4 histograms", n_rows, "median, pointer to painted page", hand["brush"]["median"])
    yield from beside("W1", "brush step over 4 histograms", n_rows, "p95, pointer to painted page", hand["brush"]["p95"])
    yield from beside("W3", "point under the pointer", n_rows, "median, pointer to painted page",
                      hand["hover"]["median"], hover, gate=True)
    yield from beside("W4", "lasso of 30 corners", n_rows, "median, pointer to painted page; theirs to the count",
                      hand["lasso"]["median"], lasso, gate=True)
    yield from beside("W4", "lasso of 30 corners", n_rows, "p95, pointer to painted page", hand["lasso"]["p95"])


def rows_of_table(entry):
    n_rows = N_ROWS[entry["table"]]
    if "limn" in entry:
        yield from brush_rows(entry, n_rows)
    if "explore" in entry:
        yield from explore_rows(entry["explore"], n_rows)
    if "hand" in entry:
        yield from hand_rows(entry, n_rows)
    if "grid" in entry:
        yield from grid_rows(entry["grid"], n_rows)
    if "memory" in entry:
        yield from memory_rows(entry["memory"], n_rows)
    if "page" in entry:
        yield from page_rows(entry, n_rows)


def main(measured):
    measured = json.loads(Path(measured).read_text())
    found = [row for entry in measured["tables"] for row in rows_of_table(entry)]
    if "boot" in measured:
        boot = measured["boot"]
        found += beside("W10", "cold profile", 0, "address to shell; theirs to an engine that answers", boot["limn"],
                        figures(boot), gate=True)
    if "size" in measured:
        size = measured["size"]
        theirs = {side: size[side] / 1e6 for side in ("atlas", "perspective")}
        found += beside("size", "first load", 0, "page, worker, style, scripts; gzip", size["total"] / 1e6, theirs, unit="MB", gate=True)
    # A part runs what it needs of others, but says nothing of them.
    only = os.environ.get("ONLY", "").split()
    rows.merge([row for row in found if not only or row["bench"] in only])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
