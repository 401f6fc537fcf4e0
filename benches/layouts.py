"""Layouts, neighbours and clusters by density beside umap-learn, openTSNE, faiss and fast_hdbscan.

Each peer runs in a process of its own, which tells how long its second fit took: the first one
compiles. What is timed of a cold process is all of it, from its start to its end. How good a
layout is, is compared first: no gain is one that costs neighbours.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import rows

RUNS = 3
# Of each row, as UMAP asks for them by default.
NEIGHBOURS = 14
# Layouts may keep so much less of neighbourhoods.
WORSE_MAX = 0.01
# Rows of which trustworthiness is measured: it looks at all pairs.
MEASURED = 4000


def clouds(n, d, seed=5):
    """Twenty clouds that touch."""
    random = np.random.default_rng(seed)
    corners = random.normal(size=(20, d))
    return (corners[random.integers(20, size=n)] + random.normal(size=(n, d)) * 0.7).astype("f4")


def blobs(n, seed=7):
    """A map of thirty dense places, and noise between them."""
    random = np.random.default_rng(seed)
    places = random.uniform(-50, 50, size=(30, 2))
    points = places[random.integers(30, size=n)] + random.normal(size=(n, 2)) * 0.6
    is_noise = random.random(n) < 0.05
    points[is_noise] = random.uniform(-60, 60, size=(int(is_noise.sum()), 2))
    return points.astype("f4")


def peer(kind, path, is_cold):
    """Runs in a process of its own: what it prints is what it found."""
    data = np.load(path)
    began = time.perf_counter()

    def fit(seed):
        if kind == "umap-learn":
            import umap

            return umap.UMAP(n_neighbors=15, min_dist=0.1).fit_transform(data)
        if kind == "openTSNE":
            import openTSNE

            return np.asarray(openTSNE.TSNE(perplexity=30, n_jobs=os.cpu_count(), random_state=seed).fit(data))
        if kind == "PCA":
            from sklearn.decomposition import PCA

            return PCA(2).fit_transform(data)
        if kind in FAISS:
            return FAISS[kind](data)
        import fast_hdbscan

        return fast_hdbscan.HDBSCAN(min_cluster_size=100, min_samples=15).fit_predict(data)

    found = fit(1)
    if not is_cold:
        began = time.perf_counter()
        found = fit(2)
    seconds = time.perf_counter() - began
    np.save(f"{path}.out.npy", found)
    print(json.dumps({"seconds": seconds}))


def flat(data):
    """The nearest of each row, itself among them, by all pairs."""
    import faiss

    index = faiss.IndexFlatL2(data.shape[1])
    index.add(data)
    return index.search(data, NEIGHBOURS + 1)[1]


def graph(data):
    """The same by a graph that is built and searched: about, as ours of so many rows."""
    import faiss

    index = faiss.IndexHNSWFlat(data.shape[1], 32)
    index.hnsw.efConstruction, index.hnsw.efSearch = 80, 64
    index.add(data)
    return index.search(data, NEIGHBOURS + 1)[1]


FAISS = {"faiss, all pairs": flat, "faiss, HNSW": graph}


def run_peer(kind, path, is_cold=False):
    """Seconds that it tells, seconds of the whole process, and what it found."""
    command = [sys.executable, __file__, kind, str(path), "cold" if is_cold else "warm"]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    whole = time.perf_counter() - began
    return json.loads(done.stdout.splitlines()[-1])["seconds"], whole, np.load(f"{path}.out.npy")


def run_limn(binary, lake, command, *arguments, seed=1, metric="fit_seconds", table="out"):
    """The same of ours. Its time has no reading and writing in it, as theirs has none. A seed that was
    asked for before is answered from its result."""
    began = time.perf_counter()
    done = subprocess.run(
        [binary, command, "t", *map(str, arguments), "--lake", str(lake), "--into", "out", "--overwrite", "--normalize", "none", "--seed", str(seed)],
        capture_output=True, text=True, check=True,
    )
    whole = time.perf_counter() - began
    metrics = json.loads(done.stdout)["metrics"]
    files = sorted(Path(lake, table).glob("*.parquet"), key=lambda path: path.stat().st_mtime)
    return metrics[metric], whole, pq.read_table(files[-1])


def points(table):
    table = table.sort_by("id")
    return np.stack([table["dim_1"].to_numpy(), table["dim_2"].to_numpy()], axis=1)


def trust(data, layout):
    from sklearn.manifold import trustworthiness

    sample = np.random.default_rng(3).choice(len(data), min(MEASURED, len(data)), replace=False)
    return trustworthiness(data[sample], layout[sample], n_neighbors=15)


class Lake:
    """Rows as a table for us, and as an array for them."""

    def __init__(self, data):
        self.folder = tempfile.TemporaryDirectory()
        self.data = data
        self.path = Path(self.folder.name)
        self.array = self.path / "data.npy"
        np.save(self.array, data)
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(data.ravel()), data.shape[1])
        pq.write_table(pa.table({"id": np.arange(len(data)), "emb": vectors}), self.path / "t.parquet")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    @property
    def name(self):
        return f"{len(self.data) // 1000}k x {self.data.shape[1]}"


def row(bench, lake, metric, ours, peer_name, theirs, gate=True):
    of = "scikit-learn" if peer_name == "PCA" else peer_name
    return rows.row(
        f"embedding-{bench}", lake.name, len(lake.data), metric, "s", round(ours, 2), of, version(of.replace("_", "-")),
        round(theirs, 2), gate=gate,
    )


def layout(binary, lake, algorithm, peer_name):
    ours = [run_limn(binary, lake.path, "project", "--algorithm", algorithm, "--column", "emb", seed=seed) for seed in range(RUNS)]
    theirs = run_peer(peer_name, lake.array)
    own, theirs_own = trust(lake.data, points(ours[0][2])), trust(lake.data, theirs[2])
    assert own > theirs_own - WORSE_MAX, (algorithm, own, theirs_own)
    seconds = statistics.median(run[0] for run in ours)
    return [row(algorithm, lake, "a layout, compiled before", seconds, peer_name, theirs[0])]


def cold(binary, lake, algorithm, peer_name, bench):
    ours = run_limn(binary, lake.path, "project", "--algorithm", algorithm, "--column", "emb", seed=RUNS)
    theirs = run_peer(peer_name, lake.array, is_cold=True)
    return row(bench, lake, f"{algorithm}, the whole of a cold process", ours[1], peer_name, theirs[1], gate=False)


def kept(found, wanted):
    """The share of the true neighbours that was found."""
    return np.mean([len(np.intersect1d(a, b)) for a, b in zip(found, wanted)]) / NEIGHBOURS


def neighbours(binary, lake, peer_name):
    """Those that a layout begins with: ours as the job tells, and writes them."""
    import faiss

    arguments = ("--algorithm", "umap", "--column", "emb", "--neighbours-into", "near", "--keep", "id")
    told = {"metric": "neighbours_seconds", "table": "near"}
    ours = [run_limn(binary, lake.path, "project", *arguments, seed=seed, **told) for seed in range(10, 10 + RUNS)]
    near = ours[0][2].sort_by("id")["neighbours"]
    theirs = run_peer(peer_name, lake.array)
    asked = np.random.default_rng(3).choice(len(lake.data), 1000, replace=False)
    index = faiss.IndexFlatL2(lake.data.shape[1])
    index.add(lake.data)
    wanted = index.search(lake.data[asked], NEIGHBOURS + 1)[1][:, 1:]
    recalls = kept(near.take(asked).to_pylist(), wanted), kept(theirs[2][asked][:, 1:], wanted)
    assert recalls[0] > recalls[1] - WORSE_MAX, recalls
    assert peer_name != "faiss, all pairs" or min(recalls) > 0.999, recalls
    of, way = peer_name.split(", ")
    return rows.row(
        "embedding-neighbours", lake.name, len(lake.data), f"14 neighbours of each, theirs by {way}", "s",
        round(statistics.median(run[0] for run in ours), 2), of, version("faiss-cpu"), round(theirs[0], 2), gate=True,
    )


def density(binary, lake):
    from sklearn.metrics import adjusted_rand_score

    arguments = ("--algorithm", "hdbscan", "--min-cluster-size", 100, "--min-samples", 15, "--column", "emb")
    ours = [run_limn(binary, lake.path, "cluster", *arguments, seed=seed) for seed in range(RUNS)]
    theirs = run_peer("fast_hdbscan", lake.array)
    agreement = adjusted_rand_score(ours[0][2].sort_by("id")["cluster"].to_numpy(), theirs[2])
    assert agreement > 0.95, agreement
    seconds = statistics.median(run[0] for run in ours)
    return row("hdbscan", lake, "clusters, compiled before", seconds, "fast_hdbscan", theirs[0])


def measured(binary):
    found = []
    with Lake(clouds(20_000, 64)) as lake:
        found += layout(binary, lake, "umap", "umap-learn")
        found += layout(binary, lake, "tsne", "openTSNE")
        found.append(cold(binary, lake, "umap", "umap-learn", "umap"))
        found.append(neighbours(binary, lake, "faiss, all pairs"))
    with Lake(clouds(200_000, 64)) as lake:
        found.append(neighbours(binary, lake, "faiss, HNSW"))
    with Lake(blobs(250_000)) as lake:
        found.append(density(binary, lake))
    with Lake(clouds(50_000, 768)) as lake:
        found.append(cold(binary, lake, "pca", "PCA", "first-picture"))
        found.append(cold(binary, lake, "umap", "umap-learn", "first-picture"))
    return found


if __name__ == "__main__":
    peer(sys.argv[1], sys.argv[2], sys.argv[3] == "cold")
