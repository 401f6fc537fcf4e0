"""Tables with vectors, and the commands that cluster and project them: what several tests share."""

import json
import subprocess

import deltalake
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_digits, load_iris

from limn_server import binary


def vectors(values, kind=None):
    """A column of vectors of one row each of a matrix."""
    values = np.asarray(values)
    flat = pa.array(values.ravel())
    if kind is None:
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    offsets = np.arange(len(values) + 1) * values.shape[1]
    return kind.from_arrays(offsets, flat)


def digits_table():
    digits = load_digits()
    return pa.table(
        {
            "uuid": [f"digit-{i:04}" for i in range(len(digits.target))],
            "digit": pa.array(digits.target, pa.int8()),
            "emb": vectors(digits.data.astype("float32")),
        }
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Digits, iris, odd vectors of every kind, and many rows that take a while."""
    folder = tmp_path_factory.mktemp("embeddings")
    digits = digits_table()
    pq.write_table(digits, folder / "digits.parquet")
    deltalake.write_deltalake(folder / "digits_delta", digits.slice(0, 1000))
    deltalake.write_deltalake(folder / "digits_delta", digits.slice(1000), mode="append")
    iris = load_iris()
    pq.write_table(pa.table({"Key": np.arange(150), "vector": vectors(iris.data, pa.LargeListArray)}), folder / "iris.parquet")
    random = np.random.default_rng(5)
    pq.write_table(pa.table({"id": np.arange(60_000), "emb": vectors(random.normal(size=(60_000, 64)).astype("f4"))}), folder / "many.parquet")
    pq.write_table(pa.table({"n": [1, 2], "words": ["a", "b"]}), folder / "plain.parquet")
    deltalake.write_deltalake(folder / "frozen", pa.table({"a": [1]}), configuration={"delta.appendOnly": "true"})
    pq.write_table(pa.table({"a": vectors([[1.0]]), "b": vectors([[1.0]])}), folder / "two.parquet")
    odd = pa.array([[1.0, 2.0], None, [float("nan"), 1.0], [0.0, 0.0], [3.0, 4.0], [1.0, None]], pa.list_(pa.float32()))
    pq.write_table(pa.table({"emb": odd}), folder / "odd.parquet")
    ragged = pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float64()))
    pq.write_table(pa.table({"emb": ragged}), folder / "ragged.parquet")
    return folder


def limn(*arguments, lake):
    command = [binary(), *map(str, arguments), "--lake", str(lake)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def done(*arguments, lake):
    run = limn(*arguments, lake=lake)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def written(lake, name):
    """A result as deltalake reads it, which is not our reader."""
    return deltalake.DeltaTable(lake / name).to_pyarrow_table()
