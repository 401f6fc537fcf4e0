"""Jobs that make vectors, at /api/jobs, by the models of /api/models."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper
from PIL import Image

from embeddings import written
from limn_server import binary, explain, problem
from test_encode import SIDE, digit, image_model, name_of, save, text_model, theirs, unit, vectors
from test_jobs import children, follow, started

SENTENCES = ["red fox", "lazy dog", None, "quick red dog", "", "fox fox fox"]


def slow_model(folder, layers=12, channels=64):
    """A model of pictures that takes its time: convolutions upon convolutions."""
    random = np.random.default_rng(3)
    nodes, constants, below, depth = [], [], "pixels", 3
    for layer in range(layers):
        weights = random.normal(size=(channels, depth, 3, 3), scale=(9 * depth) ** -0.5).astype("f4")
        constants.append(onnx.numpy_helper.from_array(weights, f"w{layer}"))
        nodes.append(helper.make_node("Conv", [below, f"w{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1]))
        below, depth = f"c{layer}", channels
    nodes += [
        helper.make_node("AveragePool", [below], ["pooled"], kernel_shape=[SIDE // 2] * 2, strides=[SIDE // 2] * 2),
        helper.make_node("Flatten", ["pooled"], ["image_embeds"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["batch", channels * 4])]
    return save(folder / "slow.onnx", nodes, inputs, outputs, constants)


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    image_model(folder / "pixels")
    text_model(folder / "words")
    slow_model(folder)
    (folder / "broken.onnx").write_bytes(b"no model")
    (folder / "notes.txt").write_text("no model either")
    return folder


@pytest.fixture
def lake(tmp_path):
    """Digits as files, and tables of where they are, of what they are, and of sentences."""
    lake = tmp_path / "lake"
    (lake / "scans").mkdir(parents=True)
    paths = [f"scans/{name_of(at)}" for at in range(300)]
    for at, path in enumerate(paths):
        digit(at).save(lake / path)
    ids = list(range(300))
    pq.write_table(pa.table({"id": ids, "path": paths, "odd": [at % 2 == 1 for at in ids]}), lake / "places.parquet")
    pq.write_table(pa.table({"text": SENTENCES}), lake / "sentences.parquet")
    return lake


@pytest.fixture
def server(lake, models, serve):
    return serve(lake, arguments=["--models", models])


def encode(server, **job):
    return follow(server, started(server, kind="encode", **job))


def test_models_are_listed_with_what_they_take(server, lake, serve):
    answer = server.get("/api/models").json()
    assert answer["has_folder"] is True
    assert [(model["name"], model.get("takes")) for model in answer["models"]] == [
        ("broken.onnx", None), ("pixels/model.onnx", "pictures"), ("slow.onnx", "pictures"), ("words/model.onnx", "texts"),
    ]
    assert "no ONNX model" in answer["models"][0]["error"] and all(model["bytes"] > 0 for model in answer["models"])
    bare = serve(lake, environment={"LIMN_MODELS": None})
    assert bare.get("/api/models").json() == {"models": [], "has_folder": False}
    refused = bare.post("/api/jobs", {"kind": "encode", "table": "places", "model": "slow.onnx", "into": "o"})
    assert "--models" in problem(refused, 400, field="model")["detail"]


def test_the_command_lists_models(models, tmp_path):
    def listed(*arguments):
        return subprocess.run([binary(), "models", *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=60)

    # A folder that is named, or the one beside.
    for run in (listed("--models", models), listed()):
        assert run.returncode == 0, run.stderr
        lines = [line.split(maxsplit=2) for line in run.stdout.splitlines()]
        assert [(name, takes) for name, takes, _ in lines] == [
            ("broken.onnx", "cannot"), ("pixels/model.onnx", "pictures"), ("slow.onnx", "pictures"), ("words/model.onnx", "texts")
        ]
        assert "no ONNX model" in run.stdout
    none = listed("--models", tmp_path / "nothing")
    assert none.returncode == 2 and "nothing" in none.stderr
    (tmp_path / "empty").mkdir()
    empty = listed("--models", tmp_path / "empty")
    assert empty.returncode == 1 and ".onnx" in empty.stderr


def test_pictures_of_a_table_get_vectors(server, lake, models):
    job = encode(server, table="places", column="path", model="pixels/model.onnx", into="vectors", filters=[{"column": "odd", "op": "eq", "value": True}])
    assert job["state"] == "done", job
    assert (job["kind"], job["backend"], job["result"]) == ("encode", "cpu", {"table": "vectors", "version": 0, "rows": 150})
    assert {key: job["metrics"][key] for key in ("rows_added", "rows_before", "rows_without_vector", "dimensions")} == {
        "rows_added": 150, "rows_before": 0, "rows_without_vector": 0, "dimensions": 192,
    }
    table = written(lake, "vectors")
    assert table.column_names == ["id", "path", "odd", "emb"]
    expected = theirs(models / "pixels/model.onnx", [Image.open(lake / path) for path in table["path"].to_pylist()[:20]])
    assert np.abs(vectors(table)[:20] - expected).max() < 2e-3  # JPEG decoders differ in a bit
    # What it wrote is a table as any other: vectors of it are mapped by the next job.
    mapped = follow(server, started(server, kind="cluster", table="vectors", k=5, into="clusters"))
    assert mapped["state"] == "done" and mapped["result"]["rows"] == 150
    log = server.get(f"/api/jobs/{job['id']}/log").text
    assert "opening pixels/model.onnx" in log and "encoding: rows: " in log
    # The same again has nothing left to do; of other rows it is refused.
    again = encode(server, table="places", column="path", model="pixels/model.onnx", into="vectors", filters=[{"column": "odd", "op": "eq", "value": True}])
    assert (again["metrics"]["rows_added"], again["result"]) == (0, {"table": "vectors", "version": 0, "rows": 150})
    other = encode(server, table="places", column="path", model="pixels/model.onnx", into="vectors")
    assert other["state"] == "failed" and "was made of something else" in other["message"]
    whole = encode(server, table="places", column="path", model="pixels/model.onnx", into="vectors", mode="overwrite")
    assert (whole["state"], whole["result"]["rows"]) == ("done", 300)


def test_texts_get_vectors_and_rows_without_one_stay(server, lake):
    job = encode(server, table="sentences", model="words/model.onnx", into="of-words", **{"as": "words", "normalize": "none"})
    assert job["state"] == "done" and "2 without a vector" in job["message"], job
    table = written(lake, "of-words")
    rows = table["words"].to_pylist()
    assert [row is None for row in rows] == [sentence in (None, "") for sentence in SENTENCES]
    assert "row 2: " in server.get(f"/api/jobs/{job['id']}/log").text
    lengths = encode(server, table="sentences", model="words/model.onnx", into="of-length-one")
    assert lengths["state"] == "done"
    ones = written(lake, "of-length-one")["emb"].to_pylist()
    for row, one in zip(rows, ones):
        assert (row is None) == (one is None) and (row is None or np.allclose(unit(row), one, atol=1e-6))


def test_a_folder_of_a_lake_becomes_a_table(server, lake, tmp_path):
    job = encode(server, folder="scans", model="pixels/model.onnx", into="of-folder", thumbnails=16)
    assert job["state"] == "done" and job["result"]["rows"] == 300, job
    table = written(lake, "of-folder")
    assert table.column_names == ["path", "width", "height", "bytes", "modified", "image", "emb"]
    assert sorted(table["path"].to_pylist())[0] == f"scans/{name_of(0)}"
    # What is new is added, and what leads out of the lake is none of its folders.
    digit(300).save(lake / "scans" / name_of(300))
    job = encode(server, folder="scans", model="pixels/model.onnx", into="of-folder", thumbnails=16)
    assert (job["metrics"]["rows_added"], job["result"]["rows"]) == (1, 301)
    (tmp_path / "secret").mkdir()
    digit(1).save(tmp_path / "secret" / "own.png")
    (lake / "out").symlink_to(tmp_path / "secret")
    for folder in ("../secret", str(tmp_path / "secret"), "out", "scans/../../secret", "none"):
        job = encode(server, folder=folder, model="pixels/model.onnx", into="of-secret")
        assert job["state"] == "failed" and "cannot be used" in job["message"], job
    assert not (lake / "of-secret").exists()


def test_what_it_takes_is_measured_before(server):
    job = {"kind": "encode", "table": "places", "column": "path", "model": "slow.onnx", "into": "o"}

    def estimate(**more):
        response = server.post("/api/jobs/estimate", job | more)
        assert response.status_code == 200, explain(response)
        return response.json()

    whole = estimate()
    assert (whole["rows"], whole["dimensions"]) == (300, 256)
    assert whole["seconds"] > 1 and whole["memory_bytes"] > 10e6
    began = time.monotonic()
    half = estimate(filters=[{"column": "odd", "op": "eq", "value": True}])
    # Measured once: the second answer waits for no model.
    assert half["rows"] == 150 and time.monotonic() - began < 1.5
    assert whole["seconds"] / 4 < half["seconds"] < whole["seconds"]
    for more, status, field in (
        ({"model": "broken.onnx"}, 422, "model"),
        ({"model": "none.onnx"}, 400, "model"),
        ({"model": "../lake/scans/x.onnx"}, 400, "model"),
        ({"table": "none"}, 404, None),
    ):
        problem(server.post("/api/jobs/estimate", job | more), status, field=field)


def test_what_cannot_be_done_is_refused_at_once(server):
    job = {"kind": "encode", "table": "places", "column": "path", "model": "pixels/model.onnx", "into": "o"}
    for more, status, field in (
        ({"model": "broken.onnx"}, 400, "model"),
        ({"model": "/etc/passwd"}, 400, "model"),
        ({"column": "id"}, 422, "column"),
        ({"column": "none"}, 400, "column"),
        ({"column": None, "model": "words/model.onnx", "table": "none"}, 404, None),
        ({"column": "odd", "model": "words/model.onnx"}, 422, "column"),
        ({"into": "places"}, 400, "into"),
        ({"into": "sentences"}, 409, "into"),
        ({"into": "../out"}, 400, "into"),
        ({"keep": ["none"]}, 400, "keep[0]"),
        ({"k": 3}, 400, "k"),
        ({"table": None, "column": None, "folder": "scans", "model": "words/model.onnx"}, 400, "model"),
    ):
        problem(server.post("/api/jobs", job | more), status, field=field)
    assert server.get("/api/jobs").json()["jobs"] == []


def each_once(lake, name, rows=300):
    table = written(lake, name)
    assert sorted(table["id"].to_pylist()) == list(range(rows))
    assert table["emb"].null_count == 0


def under_way(server, job):
    return follow(server, job, until=lambda job: (job["message"] or "").startswith("rows: ") and job["progress"] > 0.1)


def leftovers(lake, name):
    return [path for path in os.listdir(lake / name) if path.startswith("_limn_writing")]


SLOW = {"kind": "encode", "table": "places", "column": "path", "model": "slow.onnx", "into": "slowly"}


def test_a_cancelled_job_keeps_what_it_made_and_goes_on(server, lake):
    job = started(server, **SLOW)
    under_way(server, job)
    (child,) = children(server)
    began = time.monotonic()
    cancelled = server.session.delete(f"{server.url}/api/jobs/{job['id']}").json()
    assert cancelled["state"] == "cancelled" and time.monotonic() - began < 1, cancelled
    assert "goes on after it" in cancelled["message"]
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline, "the job's process outlives it"
        time.sleep(0.02)
    # A batch that was not yet whole is not kept: with one alone there may be no table.
    before = len(written(lake, "slowly")) if (lake / "slowly" / "_delta_log").exists() else 0
    again = follow(server, started(server, **SLOW))
    assert again["state"] == "done", again
    assert (again["metrics"]["rows_before"], again["metrics"]["rows_added"]) == (before, 300 - before)
    each_once(lake, "slowly")
    assert leftovers(lake, "slowly") == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_it_goes_on_after_a_restart(lake, models, serve, ending):
    first = serve(lake, arguments=["--models", models])
    job = started(first, **SLOW)
    under_way(first, job)
    (child,) = children(first)
    first.process.send_signal(ending)
    first.process.wait(20)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline, "the job's process outlives its server"
        time.sleep(0.02)
    second = serve(lake, arguments=["--models", models])
    over = follow(second, job)
    assert over["state"] == "done" and over["result"]["rows"] == 300, over
    each_once(lake, "slowly")
    assert leftovers(lake, "slowly") == []


def test_a_killed_process_is_told_of_and_the_server_lives(server, lake):
    job = started(server, **SLOW)
    under_way(server, job)
    (child,) = children(server)
    os.kill(child, signal.SIGKILL)
    over = follow(server, job)
    assert over["state"] == "failed" and "killed" in over["message"], over
    assert json.loads(server.get("/api/health").text)
    assert follow(server, started(server, **SLOW))["state"] == "done"
    each_once(lake, "slowly")


def test_without_a_device_the_processor_computes_and_says_why(server, lake):
    if Path("/dev/nvidia0").exists():
        pytest.skip("there is a device")
    job = encode(server, table="places", column="path", model="pixels/model.onnx", into="plain", backend="cpu")
    assert job["message"] == "300 rows added"
    asked = encode(server, table="places", column="path", model="pixels/model.onnx", into="asked", backend="cuda")
    assert (asked["state"], asked["backend"]) == ("done", "cpu") and "computed on the CPU: cuda" in asked["message"], asked
    assert written(lake, "asked")["emb"].to_pylist() == written(lake, "plain")["emb"].to_pylist()
