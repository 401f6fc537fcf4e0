"""Clusters and projections beside scikit-learn: the command as a whole, and its peers from Python.

Both read the same Parquet file and start cold; what is compared is the time of the computation
alone, which each tells of itself. Results are held equal before any time is looked at.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sklearn
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

import rows

RUNS = 3
ITERATIONS = 10


def clouds(n, d, seed=5):
    """Fifty clouds about corners that are not far from each other."""
    random = np.random.default_rng(seed)
    corners = random.normal(size=(50, d)) * 0.6
    return (corners[random.integers(50, size=n)] + random.normal(size=(n, d))).astype("f4")


def limn(binary, lake, *arguments):
    command = [binary, *map(str, arguments), "--lake", str(lake), "--into", "out", "--overwrite", "--normalize", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["metrics"]


def timed(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def kmeans(binary, lake, data, k):
    name = f"{len(data) // 1000}k x {data.shape[1]}, k={k}"
    runs = RUNS
    # A thousand of them rest after a few iterations.
    iterations = ITERATIONS if k < 500 else 4
    # Iterations alone: the same fit with and without, so that what both begin with falls out.
    spent = {
        most: [limn(binary, lake, "cluster", "t", "-k", k, "--max-iterations", most) for _ in range(runs)]
        for most in (1, 1 + iterations)
    }
    # Neither may have ended before: it would have been quicker by doing less.
    assert all(run["iterations"] == most for most, runs in spent.items() for run in runs), name
    seconds = {most: statistics.median(run["fit_seconds"] for run in runs) for most, runs in spent.items()}
    ours = (seconds[1 + iterations] - seconds[1]) / iterations * 1000
    init = data[np.random.default_rng(1).choice(len(data), k, replace=False)]
    peers = {
        most: [timed(lambda: KMeans(k, init=init, n_init=1, max_iter=most, tol=0).fit(data)) for _ in range(runs)]
        for most in (1, 1 + iterations)
    }
    assert all(fit.n_iter_ == most for most, fits in peers.items() for _, fit in fits), name
    spent_by_them = {most: statistics.median(time for time, _ in fits) for most, fits in peers.items()}
    theirs = (spent_by_them[1 + iterations] - spent_by_them[1]) / iterations * 1000
    best = KMeans(k, n_init=1, max_iter=1 + iterations, random_state=0).fit(data).inertia_
    inertia = spent[1 + iterations][0]["inertia"]
    assert abs(inertia / best - 1) < 0.02, (inertia, best)
    return row("kmeans", name, len(data), "an iteration", ours, theirs)


def pca(binary, lake, data):
    ours = [limn(binary, lake, "project", "t", "--algorithm", "pca") for _ in range(RUNS)]
    theirs = [timed(lambda: PCA(2).fit(data)) for _ in range(RUNS)]
    ratio = theirs[0][1].explained_variance_ratio_
    assert np.allclose(ours[0]["explained_variance_ratio"], ratio, rtol=1e-4), (ours[0], ratio)
    seconds = statistics.median(run["fit_seconds"] for run in ours)
    name = f"{len(data) // 1000}k x {data.shape[1]} to 2"
    return row("pca", name, len(data), "a fit and its projection", seconds * 1000, statistics.median(t for t, _ in theirs) * 1000)


def row(bench, workload, n, metric, ours, theirs):
    return rows.row(f"embedding-{bench}", workload, n, metric, "ms", round(ours, 1), "scikit-learn", sklearn.__version__, round(theirs, 1), gate=True)


def main(binary):
    found = []
    for n, d, ks in ((200_000, 128, (64,)), (50_000, 768, (64, 1000))):
        data = clouds(n, d)
        with tempfile.TemporaryDirectory() as lake:
            pq.write_table(pa.table({"emb": pa.FixedSizeListArray.from_arrays(pa.array(data.ravel()), d)}), Path(lake) / "t.parquet")
            found += [kmeans(binary, lake, data, k) for k in ks]
            found.append(pca(binary, lake, data))
    rows.merge(found)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
