"""What is aimed at beside peers, and what is known of where that is not met."""

# Times better than the fastest peer, on the row of each bench that is a gate.
AIMS = {"W1": 3, "W2": 3, "W4": 3, "W5": 3, "W7": 3, "size": 3, "W3": 1, "W6": 1, "W8": 1, "W10": 1, "server-scan": 1,
        "embedding-kmeans": 1.3, "embedding-pca": 1.3, "embedding-umap": 4, "embedding-neighbours": 1, "embedding-tsne": 2, "embedding-hdbscan": 4}

# By bench and the beginning of a metric. What is measured says whether it is needed.
REASONS = {
    ("W3", "median, pointer"): "the page asks only once the pointer has rested for 16 ms; of the rest most is one frame",
    ("W3", "median"): "the question goes to the worker and back, where kdbush is called in place on the thread of the page",
    ("W6", "first page"): "the whole order is made at once, so that any later page is there; the peer finds the first hundred rows alone",
    ("W6", "median of a page"): "cells come as text that is ready to be shown, over the boundary of a worker",
    ("W8", "median"): "ours is drawn as well, and waits for the next frame, of which there are sixty a second",
    ("embedding-kmeans", "an iteration"): "with many dimensions the products are nearly all of it, and theirs are as quick; of a thousand clusters runs were 1.1 to 1.6 times quicker",
    ("embedding-pca", "a fit"): "most of it is the products of all pairs of columns",
    ("embedding-umap", "a layout"): "runs were 3.2 to 4.7 times quicker: the same map takes 0.9 s or 1.4 s as the machine gives its two cores whole or shared",
    ("size", "page"): "what is not on the first screen is still being split off",
}


def is_met(entry):
    """Whether the gate of a row holds; absent where the row is none, or nothing to be beside."""
    if not entry["gate"] or entry["ratio"] is None:
        return None
    return entry["ratio"] >= AIMS[entry["bench"]]


def mark(entry):
    """What the table says of a row's gate."""
    met = is_met(entry)
    if met is None:
        return ""
    return f"≥ {AIMS[entry['bench']]}: {'met' if met else '**not met**'}"


def sentences(entries):
    """A line for every gate that is not met, and why."""
    for entry in entries:
        if is_met(entry) is not False:
            continue
        known = (why for (bench, metric), why in REASONS.items()
                 if bench == entry["bench"] and entry["metric"].startswith(metric))
        rows = f", {entry['rows']:,} rows" if entry["rows"] else ""
        yield (f"- {entry['bench']}, {entry['workload']}{rows}, {entry['metric']}: {entry['ratio']:.2f} times "
               f"{entry['peer']}, where {AIMS[entry['bench']]} are aimed at: {next(known, 'the reason is not known yet')}.")
