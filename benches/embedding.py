"""Clusters and projections beside scikit-learn, faiss and others: the command, and its peers from Python.

All read the same rows and start cold; what is compared is the time of the computation alone,
which each tells of itself. Results are held equal before any time is looked at. Layouts are in
`layouts.py`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sklearn
import sklearnex.cluster
import sklearnex.decomposition
from importlib.metadata import version
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

import layouts
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
    theirs = [
        ("scikit-learn", sklearn.__version__, iteration(scikit(KMeans), data, init, iterations)),
        ("scikit-learn-intelex", INTELEX, iteration(scikit(sklearnex.cluster.KMeans), data, init, iterations)),
        ("faiss-cpu", faiss.__version__, iteration(by_faiss, data, init, iterations)),
    ]
    best = KMeans(k, n_init=1, max_iter=1 + iterations, random_state=0).fit(data).inertia_
    inertia = spent[1 + iterations][0]["inertia"]
    assert abs(inertia / best - 1) < 0.02, (inertia, best)
    return [row("kmeans", name, len(data), "an iteration", ours, *peer) for peer in theirs]


INTELEX = version("scikit-learn-intelex")


def scikit(kind):
    def fit(data, init, most):
        done = kind(len(init), init=init, n_init=1, max_iter=most, tol=0).fit(data)
        assert done.n_iter_ == most
    return fit


def by_faiss(data, init, most):
    # All rows, as the others do: by default it takes some of them.
    means = faiss.Kmeans(data.shape[1], len(init), niter=most, max_points_per_centroid=len(data), min_points_per_centroid=1)
    means.train(data, init_centroids=init)


def iteration(fit, data, init, iterations):
    """Milliseconds: of two fits the difference, so that what both begin with falls out."""
    spent = {
        most: statistics.median(timed(lambda: fit(data, init, most))[0] for _ in range(RUNS))
        for most in (1, 1 + iterations)
    }
    return (spent[1 + iterations] - spent[1]) / iterations * 1000


def pca(binary, lake, data):
    ours = [limn(binary, lake, "project", "t", "--algorithm", "pca") for _ in range(RUNS)]
    seconds = statistics.median(run["fit_seconds"] for run in ours)
    name = f"{len(data) // 1000}k x {data.shape[1]} to 2"
    found = []
    for peer, of, kind in (("scikit-learn", sklearn.__version__, PCA), ("scikit-learn-intelex", INTELEX, sklearnex.decomposition.PCA)):
        def work():
            fit = kind(2)
            # As ours: where the rows are, too.
            fit.fit_transform(data)
            return fit
        theirs = [timed(work) for _ in range(RUNS)]
        ratio = theirs[0][1].explained_variance_ratio_
        assert np.allclose(ours[0]["explained_variance_ratio"], ratio, rtol=1e-4), (ours[0], ratio)
        spent = statistics.median(t for t, _ in theirs) * 1000
        found.append(row("pca", name, len(data), "a fit and its projection", seconds * 1000, peer, of, spent))
    return found


def row(bench, workload, n, metric, ours, peer, of, theirs):
    return rows.row(f"embedding-{bench}", workload, n, metric, "ms", round(ours, 1), peer, of, round(theirs, 1), gate=True)


def main(binary):
    found = []
    for n, d, ks in ((200_000, 128, (64,)), (50_000, 768, (64, 1000))):
        data = clouds(n, d)
        with tempfile.TemporaryDirectory() as lake:
            pq.write_table(pa.table({"emb": pa.FixedSizeListArray.from_arrays(pa.array(data.ravel()), d)}), Path(lake) / "t.parquet")
            for k in ks:
                found += kmeans(binary, lake, data, k)
            found += pca(binary, lake, data)
    rows.merge(found)
    rows.merge(layouts.measured(binary))


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
