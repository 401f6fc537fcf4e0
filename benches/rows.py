"""The rows that benches leave behind: what was measured, beside whom, how many times better."""

import datetime
import json
import os
import platform
import re
from pathlib import Path

import gates

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "latest.json"


def machine():
    """The processor, its cores and the memory: enough to know what a figure is worth."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, no GPU used"
    except OSError:
        return model


def row(bench, workload, rows, metric, unit, ours, peer, peer_version, peer_value,
        better="lower", gate=False):
    """One comparison; `ratio` says how many times better ours is."""
    ratio = None
    if peer_value is not None and ours:
        ratio = peer_value / ours if better == "lower" else ours / peer_value
    return {
        "bench": bench, "workload": workload, "rows": rows, "metric": metric, "unit": unit,
        "ours": round(ours, 4), "peer": peer, "peer_version": peer_version,
        "peer_value": None if peer_value is None else round(peer_value, 4),
        "ratio": None if ratio is None else round(ratio, 3), "better": better, "gate": gate,
        "date": datetime.date.today().isoformat(), "machine": machine(),
    }


def order(entry):
    """W2 comes before W10, and what is of one workload stays together."""
    name, number = re.fullmatch(r"([^\d]*)(\d*)", entry["bench"]).groups()
    return (name, int(number or 0), entry["rows"], entry["workload"], entry["metric"], entry["peer"] or "")


def merge(new):
    """Puts new rows in the place of old ones of the same bench and size, and rewrites the table."""
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    fresh = {(entry["bench"], entry["rows"]) for entry in new}
    rows = [entry for entry in old if (entry["bench"], entry["rows"]) not in fresh] + new
    rows.sort(key=order)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    write_table(rows)


def write_table(rows):
    """The figures for people, between the two marks of README.md."""
    readme = HERE / "README.md"
    text = readme.read_text()
    begin, end = "<!-- figures -->", "<!-- end of figures -->"
    head, rest = text.split(begin, 1)
    tail = rest.split(end, 1)[1]
    lines = [
        "| bench | workload | rows | metric | ours | peer | theirs | times better | gate |",
        "|---|---|---:|---|---:|---|---:|---:|---|",
    ]
    for entry in rows:
        theirs = "" if entry["peer_value"] is None else f"{entry['peer_value']:.4g} {entry['unit']}"
        ratio = "" if entry["ratio"] is None else f"{entry['ratio']:.2f}"
        n_rows = f"{entry['rows']:,}" if entry["rows"] else ""
        peer = " ".join(filter(None, [entry["peer"], entry["peer_version"]]))
        lines.append(
            f"| {entry['bench']} | {entry['workload']} | {n_rows} | {entry['metric']} "
            f"| {entry['ours']:.4g} {entry['unit']} | {peer} | {theirs} | {ratio} | {gates.mark(entry)} |"
        )
    dates = sorted({entry["date"] for entry in rows})
    machines = sorted({entry["machine"] for entry in rows})
    note = f"Measured {', '.join(dates)} by `make bench` on {'; '.join(machines)}."
    unmet = list(gates.sentences(rows))
    if unmet:
        lines += ["", "Gates that are not met, and why:", "", *unmet]
    readme.write_text(f"{head}{begin}\n{note}\n\n" + "\n".join(lines) + f"\n{end}{tail}")
