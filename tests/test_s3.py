"""Lakes on S3: moto as the store, and a proxy between that refuses, hangs, cuts off, crawls and lies."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import requests
from PIL import Image

from fault_proxy import FaultProxy
from limn_server import Limn, binary, problem
from test_encode import image_model

# How long a server of these tests waits for a store, and how soon an answer or a clear error
# has to be there, whatever the store does.
STORE_TIMEOUT_SECONDS = 2
PATIENCE_SECONDS = 10
# The same for a server that is told nothing.
DEFAULT_PATIENCE_SECONDS = 15
UNAVAILABLE = (502, 503, 504)
COUNT = [{"op": "count", "as": "n"}]


@pytest.fixture(scope="module")
def store():
    """The port of a moto server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/moto-api/", timeout=5)
            break
        except requests.RequestException:
            assert time.monotonic() < deadline and process.poll() is None, "moto did not start"
            time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(10)


def client(store):
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{store}",
        region_name="us-east-1",
        aws_access_key_id="limn",
        aws_secret_access_key="limn-secret",
    )


@pytest.fixture(scope="module")
def bucket(store, sample_lake, made_lake):
    """A bucket with the sample lake, the made lake, and something beside them."""
    to_store = client(store)
    to_store.create_bucket(Bucket="lakes")
    for prefix, folder in (("sample", sample_lake), ("made", made_lake)):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                to_store.upload_file(str(path), "lakes", f"{prefix}/{path.relative_to(folder)}")
    to_store.put_object(Bucket="lakes", Key="sample-beside/secret.csv", Body=b"a\n1\n")
    return "s3://lakes"


def environment(endpoint, timeout=f"{STORE_TIMEOUT_SECONDS}s"):
    foreign = {key: None for key in os.environ if key.startswith("AWS_")}
    return foreign | {
        "LIMN_STORE_TIMEOUT": timeout,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "limn",
        "AWS_SECRET_ACCESS_KEY": "limn-secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }


@pytest.fixture(scope="module")
def on_s3(store, bucket):
    with Limn(f"{bucket}/sample", environment=environment(f"http://127.0.0.1:{store}")) as limn:
        yield limn


@pytest.fixture
def proxied(store, bucket, serve):
    """A fresh server behind a fresh proxy."""
    proxy = FaultProxy(store)
    yield serve(f"{bucket}/sample", environment=environment(proxy.url)), proxy
    proxy.close()


def test_the_same_tables_as_on_disk(on_s3, sample):
    local, remote = sample.tables(), on_s3.tables()
    assert set(local) == set(remote)
    for name, table in local.items():
        assert remote[name]["format"] == table["format"]
        # A text column becomes a category once few distinct values are known, which
        # depends on what was asked before.
        kinds_aside = [{**column, "kind": None} for column in table["columns"]]
        assert [{**column, "kind": None} for column in remote[name]["columns"]] == kinds_aside


@pytest.mark.parametrize(
    "name",
    ["flights", "weather", "birdstrikes", "movies", "airports", "penguins", "stocks", "sp500", "zipcodes", "kinds"],
)
def test_the_same_rows_as_on_disk(on_s3, sample, name):
    query = {"table": name, "limit": 5000}
    assert on_s3.query(query, "ndjson").content == sample.query(query, "ndjson").content
    assert on_s3.rows({"table": name, "aggregates": COUNT}) == sample.rows({"table": name, "aggregates": COUNT})


def test_a_group_over_three_million_rows(on_s3, sample):
    query = {"table": "flights", "group_by": ["origin"], "aggregates": [*COUNT, {"op": "mean", "column": "delay"}]}
    assert on_s3.rows(query) == sample.rows(query)


def test_layouts_names_and_broken_tables(store, bucket, serve, made):
    limn = serve(f"{bucket}/made", environment=environment(f"http://127.0.0.1:{store}"))
    assert set(limn.tables()) == set(made.tables())
    for name in ("sales/2024/größe", "sales/2024/quarter one", "versions", "hive", "mixed/b", "stream-named-as-file"):
        count = {"table": name, "aggregates": COUNT}
        assert limn.rows(count) == made.rows(count), name
    for name in ("bad-truncated", "bad-hole", "bad-feature", "bad-missing-file"):
        problem(limn.query({"table": name, "limit": 10}), 422)


def test_a_file_is_found_again_below_a_prefix(store, bucket, serve):
    """The second look at a table goes by what is remembered of the first."""
    limn = serve(f"{bucket}/sample", environment=environment(f"http://127.0.0.1:{store}"))
    for _ in range(2):
        assert limn.rows({"table": "movies", "aggregates": COUNT}) == [(3201,)]


def test_a_picture_beside_a_table(on_s3, store, bucket):
    del bucket
    picture = b"\x89PNG\r\n\x1a\n and more"
    client(store).put_object(Bucket="lakes", Key="sample/pics/a b.png", Body=picture)
    shown = on_s3.get("/api/image", params={"table": "movies", "source": "pics/a b.png"})
    assert (shown.status_code, shown.content) == (200, picture)
    problem(on_s3.get("/api/image", params={"table": "movies", "source": "../sample-beside/x.png"}), 400)
    problem(on_s3.get("/api/image", params={"table": "movies", "source": "pics/none.png"}), 404)


def test_of_a_file_of_many_pictures_one_travels(proxied, store, tmp_path):
    picture = b"\x89PNG\r\n\x1a\n and more"
    with h5py.File(tmp_path / "store.h5", "w") as file:
        for name in range(2000):
            file[f"images/{name}"] = np.frombuffer(picture + b"%d" % name, np.uint8)
        file["pixels"] = np.zeros((200, 256, 256), np.uint8)
    client(store).upload_file(str(tmp_path / "store.h5"), "lakes", "sample/pics/store.h5")
    limn, proxy = proxied

    def shown(key):
        return limn.get("/api/image", params={"table": "movies", "source": f"pics/store.h5#{key}"})

    assert shown("images/1999").content == picture + b"1999"
    assert shown("pixels[199]").status_code == 200

    def travelled():
        return [exchange for exchange in proxy.exchanges if "store.h5" in exchange.path]

    assert len(travelled()) < 30 and sum(exchange.n_bytes for exchange in travelled()) < 1_000_000
    # What is known of the file is not asked for again: whether it is still the same, and the picture, are.
    before = len(travelled())
    assert shown("pixels[199]").status_code == 200
    assert len(travelled()) - before == 2
    proxy.set("hang", pattern="store.h5")
    began = time.monotonic()
    problem(shown("images/7"), *UNAVAILABLE)
    assert time.monotonic() - began < PATIENCE_SECONDS
    proxy.clear()
    assert shown("images/7").content == picture + b"7"


def test_a_job_reads_and_writes_on_s3(store, bucket, serve):
    """Results are committed by a conditional put, jobs are remembered beside the tables, and their lineage is read."""
    out = io.BytesIO()
    pq.write_table(pa.table({"id": range(300), "emb": [[float(i % 3), float(i), 1.0] for i in range(300)]}), out)
    client(store).put_object(Bucket="lakes", Key="vectors/points.parquet", Body=out.getvalue())
    limn = serve(f"{bucket}/vectors", environment=environment(f"http://127.0.0.1:{store}"))
    job = {"kind": "cluster", "table": "points", "into": "labels", "k": 3, "normalize": "none"}
    for change, version in (({}, 0), ({"k": 4, "mode": "overwrite"}, 1), ({"k": 4, "mode": "overwrite"}, 1)):
        begun = limn.post("/api/jobs", {**job, **change})
        assert begun.status_code == 202, begun.text
        deadline = time.monotonic() + 30
        while (now := limn.get(begun.headers["Location"]).json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, now
            time.sleep(0.05)
        assert (now["state"], now["result"]) == ("done", {"table": "labels", "version": version, "rows": 300}), now
    assert limn.rows({"table": "labels", "aggregates": COUNT}) == [(300,)]
    problem(limn.post("/api/jobs", job), 409, field="into")
    keys = [entry["Key"] for entry in client(store).list_objects_v2(Bucket="lakes", Prefix="vectors/")["Contents"]]
    assert sum("_limn/jobs/" in key for key in keys) == 3
    assert sum("labels/_delta_log/" in key for key in keys) == 2, "the third was answered from the second's result"
    assert not [key for key in keys if "_limn_writing" in key]


def test_a_folder_of_pictures_on_s3_becomes_a_table_there(store, bucket, serve, tmp_path):
    """As a folder on a disk: the same vectors, and only what is new at the second time."""
    model = image_model(tmp_path / "model")
    scans = tmp_path / "lake/scans"
    for at in range(70):
        (scans / str(at % 2)).mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(at).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(scans / f"{at % 2}/{at:03}.png")
    (scans / "0/broken.png").write_bytes(b"no picture")
    variables = os.environ | {k: v for k, v in environment(f"http://127.0.0.1:{store}").items() if v is not None}

    def upload(names):
        for name in names:
            client(store).upload_file(str(scans / name), "lakes", f"pictures/scans/{name}")

    def embed(lake, folder, *arguments, code=0):
        command = [binary(), "embed", folder, "--model", model, "--into", "made", "--lake", lake, *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, env=variables)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    names = sorted(str(path.relative_to(scans)) for path in scans.rglob("*.png"))
    upload(names[:50])
    lake = f"{bucket}/pictures"
    first = embed(lake, f"{lake}/scans", "--recursive")
    upload(names[50:])
    second = embed(lake, f"{lake}/scans", "--recursive")
    # The broken one is tried again.
    assert [(run["rows"], run["failed"]) for run in (first, second)] == [(49, 1), (21, 1)]
    near = embed(tmp_path / "lake", scans, "--recursive")
    assert near["rows"] == 70
    limn = serve(lake, environment=environment(f"http://127.0.0.1:{store}"))
    nearby = serve(tmp_path / "lake")
    query = {"table": "made", "columns": ["path", "folder", "width", "height", "emb", "image"], "order_by": [{"column": "path"}]}
    assert limn.query(query, "ndjson").content == nearby.query(query, "ndjson").content
    # The pictures are found by who reads the table.
    path = limn.rows({"table": "made", "columns": ["path"], "order_by": [{"column": "path"}], "limit": 1})[0][0]
    shown = limn.get("/api/image", params={"table": "made", "source": path})
    assert shown.content == (scans / path.removeprefix("scans/")).read_bytes()
    assert "--recursive" in embed(lake, f"{lake}/scans", code=1)
    assert "none of the lakes" in embed(lake, f"{bucket}/sample-beside", code=1)
    assert "none of the lakes" in embed(lake, f"{bucket}/picturesque", code=1)


def test_a_prefix_is_a_wall(on_s3):
    for name in ("../sample-beside/secret", "-beside/secret", "sample-beside/secret", "secret"):
        problem(on_s3.query({"table": name}), 400, 404)


def test_lakes_of_both_kinds_together(store, bucket, serve, made_lake):
    limn = serve(
        f"far={bucket}/sample", f"near={made_lake}/sales", environment=environment(f"http://127.0.0.1:{store}")
    )
    names = set(limn.tables())
    assert {"far/flights", "near/2024/orders"} <= names


def test_a_bucket_that_is_not_there(store, serve):
    limn = serve("s3://nowhere/lake", environment=environment(f"http://127.0.0.1:{store}"))
    body = problem(limn.query({"table": "flights"}), 404, *UNAVAILABLE)
    assert "limn-secret" not in str(body)


def test_only_the_wanted_columns_travel(proxied, sample_lake):
    limn, proxy = proxied
    whole = sum(path.stat().st_size for path in (sample_lake / "flights").glob("*.parquet"))
    limn.rows({"table": "flights", "aggregates": [{"op": "max", "column": "delay"}]})
    data = [exchange for exchange in proxy.exchanges if re.search(r"flights/.*\.parquet", exchange.path)]
    assert data and all("range" in exchange.headers or exchange.method == "HEAD" for exchange in data)
    assert sum(exchange.n_bytes for exchange in data) < whole / 4


def test_a_filter_leaves_row_groups_unread(proxied):
    limn, proxy = proxied
    day = {"column": "date", "op": "between", "value": ["2001-03-05", "2001-03-05"]}
    limn.rows({"table": "flights", "filters": [day], "aggregates": [{"op": "mean", "column": "distance"}]})
    pruned = sum(exchange.n_bytes for exchange in proxy.exchanges)
    limn.rows({"table": "flights", "aggregates": [{"op": "mean", "column": "distance"}]})
    whole = sum(exchange.n_bytes for exchange in proxy.exchanges) - pruned
    assert pruned < whole / 2, (pruned, whole)


def timed(limn, query, patience=PATIENCE_SECONDS, **options):
    began = time.monotonic()
    response = limn.query(query, timeout=patience + 30, **options)
    elapsed = time.monotonic() - began
    assert elapsed < patience, f"{elapsed:.0f} s"
    return response


def check_recovery(limn, proxy, query, expected):
    proxy.clear()
    deadline = time.monotonic() + 30
    while True:
        response = limn.query(query)
        if response.status_code == 200:
            break
        assert time.monotonic() < deadline, response.text
        time.sleep(0.5)
    assert limn.rows(query) == expected


FULL_COUNT = {"table": "flights", "aggregates": [{"op": "mean", "column": "distance", "as": "d"}, *COUNT]}
FAULTS = [
    ("refuse", {}),
    ("hang", {}),
    ("reset", {}),
    ("cut", {"n_bytes": 200}),
    ("status", {"status": 503}),
    ("status", {"status": 500}),
    ("status", {"status": 403}),
]


@pytest.mark.parametrize("kind, more", FAULTS, ids=[kind + str(more.get("status", "")) for kind, more in FAULTS])
def test_a_store_that_fails_from_the_start(proxied, sample, kind, more):
    limn, proxy = proxied
    proxy.set(kind, **more)
    body = problem(timed(limn, FULL_COUNT), *UNAVAILABLE)
    assert "limn-secret" not in str(body)
    limn.assert_alive()
    check_recovery(limn, proxy, FULL_COUNT, sample.rows(FULL_COUNT))


def test_a_store_that_hangs_is_given_up_soon_by_default(store, bucket, serve, made_lake):
    """By the lake's name, with what to do about it, while others are answered at once."""
    proxy = FaultProxy(store)
    try:
        variables = environment(proxy.url, timeout=None)
        limn = serve(f"far={bucket}/sample", f"near={made_lake}", environment=variables)
        proxy.set("hang")
        found = {}

        def ask():
            found["far"] = timed(limn, {"table": "far/flights", "limit": 1}, DEFAULT_PATIENCE_SECONDS)

        asking = threading.Thread(target=ask)
        asking.start()
        while asking.is_alive():
            began = time.monotonic()
            assert limn.rows({"table": "near/loose", "aggregates": COUNT}) == [(100,)]
            assert requests.get(limn.url + "/api/health", timeout=5).json()["status"] == "ok"
            assert time.monotonic() - began < 2
            time.sleep(0.2)
        body = problem(found["far"], 504)
        assert body["type"].endswith("store-timed-out")
        assert "far" in body["detail"] and "--store-timeout" in body["detail"]
        assert int(found["far"].headers["Retry-After"]) > 0
    finally:
        proxy.close()


@pytest.mark.parametrize("kind, more", FAULTS, ids=[kind + str(more.get("status", "")) for kind, more in FAULTS])
def test_a_store_that_fails_in_the_middle(proxied, sample, kind, more):
    """The log was read, and then the data files cannot be."""
    limn, proxy = proxied
    assert limn.table("flights")["version"] == 4
    proxy.set(kind, pattern=r"\.parquet", **more)
    problem(timed(limn, FULL_COUNT), *UNAVAILABLE)
    limn.assert_alive()
    check_recovery(limn, proxy, FULL_COUNT, sample.rows(FULL_COUNT))


def test_a_passing_fault_is_overcome(proxied, sample):
    """A store that stumbles once or twice is asked again; what it cut off may have to be asked for anew."""
    limn, proxy = proxied
    for kind, more in (("status", {"status": 503}), ("reset", {}), ("cut", {"n_bytes": 100})):
        proxy.set(kind, times=2, **more)
        response = timed(limn, FULL_COUNT)
        if kind == "cut" and response.status_code != 200:
            problem(response, *UNAVAILABLE)
        else:
            assert response.status_code == 200, (kind, response.text)
    proxy.clear()
    assert limn.rows(FULL_COUNT) == sample.rows(FULL_COUNT)


def test_a_slow_store_is_waited_for(proxied, sample):
    limn, proxy = proxied
    proxy.set("slow", n_bytes=2_000_000)
    query = {"table": "movies", "aggregates": COUNT}
    assert timed(limn, query).status_code == 200
    assert limn.rows(query) == sample.rows(query)


def test_wrong_bytes_are_never_believed(proxied, sample):
    limn, proxy = proxied
    proxy.set("wrong", pattern=r"(movies|zipcodes|penguins|flights)")
    for name in ("movies", "penguins", "flights"):
        problem(timed(limn, {"table": name, "limit": 100}), 404, 422, *UNAVAILABLE)
    limn.assert_alive()
    for name in ("movies", "penguins"):
        check_recovery(limn, proxy, {"table": name, "limit": 100}, sample.rows({"table": name, "limit": 100}))


def test_a_hanging_store_holds_up_nobody_else(store, bucket, serve, made_lake):
    proxy = FaultProxy(store)
    try:
        limn = serve(f"far={bucket}/sample", f"near={made_lake}", environment=environment(proxy.url))
        proxy.set("hang")
        began = time.monotonic()
        assert limn.rows({"table": "near/loose", "aggregates": COUNT}) == [(100,)]
        assert limn.get("/api/health").status_code == 200
        assert time.monotonic() - began < 10
        listing = limn.get("/api/tables", timeout=PATIENCE_SECONDS)
        assert listing.status_code == 200
        assert "near/loose" in {table["name"] for table in listing.json()["tables"]}
    finally:
        proxy.close()


def test_a_cut_in_the_middle_of_a_stream_breaks_the_answer(proxied):
    """What was begun with 200 must not end as if it were whole."""
    limn, proxy = proxied
    limn.table("flights")
    proxy.set("slow", pattern=r"\.parquet", n_bytes=2_000_000)
    query = {"table": "flights", "columns": ["date", "delay", "origin", "destination"]}
    response = limn.query(query, stream=True, timeout=PATIENCE_SECONDS)
    assert response.status_code == 200, response.text
    body = response.iter_content(1 << 16)
    first = next(body)
    proxy.set("cut", pattern=r"\.parquet", n_bytes=1000)
    with pytest.raises((requests.exceptions.RequestException, pa.ArrowInvalid)):
        whole = pa.ipc.open_stream(first + b"".join(body)).read_all()
        pytest.fail(f"{whole.num_rows} rows, as if nothing had happened")
    limn.assert_alive()
