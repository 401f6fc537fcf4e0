"""Bytes, queries and clients that mean harm. The server answers with a clear error, keeps its
memory, and goes on serving others. Files under soak get many more rounds of damage."""

import http.client
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

import lakes
from limn_server import explain, problem
from mutations import damaged_bytes, damaged_query

MEMORY_BYTES_MAX = 4 * 1024**3
PATIENCE_SECONDS = 60


def look_at(limn, name):
    """Queries a table of damaged bytes; whatever comes has to be an answer or a clear refusal."""
    for query in ({"limit": 1000}, {"aggregates": [{"op": "count"}]}, {}):
        try:
            response = limn.query({"table": name, **query}, "json", stream=True, timeout=PATIENCE_SECONDS)
            assert response.status_code in (200, 404, 413, 422), f"{name}: {explain(response)}"
            if response.status_code == 200:
                json.loads(response.content)
            else:
                problem(response, response.status_code)
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            # Only an answer that streams may break off; one of few rows is checked before.
            assert not query, f"{name}: {query} broke off: {error}"


def serve_and_look(serve, lake, names):
    limn = serve(lake)
    listing = limn.get("/api/tables", timeout=PATIENCE_SECONDS)
    assert listing.status_code == 200, explain(listing)
    for name in names:
        look_at(limn, name)
        assert limn.process.poll() is None, f"{name} ended the server:\n" + "\n".join(limn.lines[-20:])
    limn.assert_alive()
    assert limn.peak_memory_bytes() < MEMORY_BYTES_MAX
    return limn


def originals(folder):
    """Good files, each of another make."""
    folder.mkdir()
    table = lakes.every_kind(300)
    pq.write_table(table, folder / "zstd.parquet", compression="zstd", row_group_size=100)
    pq.write_table(
        table, folder / "snappy.parquet", compression="snappy", data_page_version="2.0", use_dictionary=False
    )
    lakes.ipc(folder / "plain-file.arrow", table)
    lakes.ipc(folder / "lz4-file.arrow", table, compression="lz4")
    lakes.ipc(folder / "zstd-stream.arrows", table, "stream", "zstd")
    lakes.ipc(folder / "views-stream.arrows", lakes.every_ipc_kind(), "stream")
    return sorted(folder.iterdir())


def damage(folder, files, rounds, first_seed):
    names = []
    folder.mkdir()
    for file in files:
        whole = file.read_bytes()
        for seed in range(first_seed, first_seed + rounds):
            name = f"{file.stem}-{seed}"
            (folder / f"{name}{file.suffix}").write_bytes(damaged_bytes(whole, f"{file.name} {seed}"))
            names.append(name)
    return names


def test_damaged_files(serve, tmp_path):
    names = damage(tmp_path / "lake", originals(tmp_path / "good"), 25, 0)
    serve_and_look(serve, tmp_path / "lake", names)


@pytest.mark.soak
@pytest.mark.parametrize("first_seed", range(1000, 1000 + int(os.environ.get("LIMN_SOAK", "1") or 1) * 250, 250))
def test_many_damaged_files(serve, tmp_path, first_seed):
    names = damage(tmp_path / "lake", originals(tmp_path / "good"), 250, first_seed)
    serve_and_look(serve, tmp_path / "lake", names)


def test_truncated_files(serve, tmp_path):
    lake = tmp_path / "lake"
    lake.mkdir()
    names = []
    for file in originals(tmp_path / "good"):
        whole = file.read_bytes()
        for n_bytes in (0, 1, 4, 7, 8, 12, 40, 200, len(whole) // 3, len(whole) // 2, len(whole) - 9, len(whole) - 1):
            names.append(f"{file.stem}-{n_bytes}")
            (lake / f"{names[-1]}{file.suffix}").write_bytes(whole[:n_bytes])
    serve_and_look(serve, lake, names)


def test_files_that_claim_to_be_huge(serve, tmp_path):
    """A length is a claim: nothing is set aside for it before the bytes are there."""
    lakes.ipc(tmp_path / "whole.arrow", lakes.small(1000))
    whole = (tmp_path / "whole.arrow").read_bytes()
    names = ["whole"]
    for spot in range(8, 2000, 36):
        name = f"huge-{spot}"
        names.append(name)
        word = (2**40).to_bytes(8, "little")
        at = spot - spot % 8
        (tmp_path / f"{name}.arrow").write_bytes(whole[:at] + word + whole[at + 8 :])
    limn = serve_and_look(serve, tmp_path, names)
    assert limn.rows({"table": "whole", "aggregates": [{"op": "count"}]}) == [(1000,)]


def test_bombs_that_unpack_to_much(serve, tmp_path):
    """A few kilobytes that stand for gigabytes of the same value."""
    zeros = pa.table({"z": pa.array(memoryview(bytes(8 * 20_000_000)).cast("q"), pa.int64())})
    pq.write_table(zeros, tmp_path / "zeros.parquet", compression="zstd", row_group_size=20_000_000)
    words = pa.DictionaryArray.from_arrays(pa.array(bytes(2_000_000), pa.int8()), pa.array(["x" * 4000]))
    pq.write_table(pa.table({"w": words}), tmp_path / "words.parquet", compression="zstd")
    limn = serve(tmp_path)
    assert limn.rows({"table": "zeros", "aggregates": [{"op": "sum", "column": "z", "as": "s"}]}) == [(0,)]
    assert limn.rows({"table": "words", "aggregates": [{"op": "max", "column": "w", "as": "m"}]}) == [("x" * 4000,)]
    response = limn.query({"table": "words", "order_by": [{"column": "w"}], "limit": 5}, timeout=PATIENCE_SECONDS)
    assert response.status_code in (200, 413, 422), explain(response)
    limn.assert_alive()
    assert limn.peak_memory_bytes() < MEMORY_BYTES_MAX


def test_text_that_is_hardly_csv(serve, tmp_path):
    files = {
        "binary": bytes(range(256)) * 100,
        "latin": "größe,ä\n1,ü\n".encode("latin-1"),
        "ragged": b"a,b\n1,2\n3\n4,5,6\n",
        "quote": b'a,b\n"1,2\n' * 100,
        "line": b"a," * 2_000_000,
        "nothing": b"",
        "head": b"a,b,c\n",
        "twice": b"a,a\n1,2\n",
        "nul": b"a,b\n\x00,\x00\n",
        "late": b"a\n" + b"1\n" * 50_000 + b"x\n",
    }
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    serve_and_look(serve, tmp_path, files)


ADDS = {
    "up": "../../../../../../etc/passwd",
    "up-encoded": "%2e%2e/%2e%2e/outside.parquet",
    "sibling": "../outside.parquet",
    "absolute": "/etc/passwd",
    "file-url": "file:///etc/passwd",
    "s3-url": "s3://elsewhere/data.parquet",
    "http-url": "http://127.0.0.1:1/data.parquet",
    "nul": "a\u0000b.parquet",
    "empty": "",
}


@pytest.mark.parametrize("name", ADDS)
def test_a_log_that_points_outside(serve, tmp_path, name):
    lake = tmp_path / "lake"
    lakes.write_deltalake(str(lake / "t"), lakes.small(10))
    pq.write_table(lakes.small(10), tmp_path / "outside.parquet")
    pq.write_table(lakes.small(10), lake / "outside.parquet")
    log = lake / "t" / "_delta_log" / f"{0:020d}.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "add" in line:
            line["add"]["path"] = ADDS[name]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    limn = serve(lake)
    body = problem(limn.query({"table": "t", "limit": 10}, timeout=PATIENCE_SECONDS), 422)
    assert "root:" not in json.dumps(body)


def test_symbolic_links_lead_nowhere(serve, tmp_path):
    lake = tmp_path / "lake"
    lake.mkdir()
    pq.write_table(lakes.small(10), tmp_path / "outside.parquet")
    (tmp_path / "folder").mkdir()
    pq.write_table(lakes.small(10), tmp_path / "folder" / "a.parquet")
    (lake / "link.parquet").symlink_to(tmp_path / "outside.parquet")
    (lake / "linked").symlink_to(tmp_path / "folder")
    (lake / "loop").symlink_to(lake)
    limn = serve(lake)
    assert limn.tables() == {}
    for name in ("link", "linked", "linked/a", "loop/link", "loop"):
        problem(limn.query({"table": name, "limit": 1}), 400, 404)


def test_damaged_logs(serve, tmp_path, sample_lake):
    names = []
    for source in ("birdstrikes", "weather"):
        files = sorted((sample_lake / source).rglob("*"))
        for seed in range(20):
            name = f"{source}-{seed}"
            names.append(name)
            for file in files:
                target = tmp_path / name / file.relative_to(sample_lake / source)
                if file.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                content = file.read_bytes()
                # The log and the deletion vectors: data files have tests of their own.
                hit = file.suffix in (".json", ".bin") and seed % 3 == len(file.name) % 3
                target.write_bytes(damaged_bytes(content, f"{file.name} {seed}") if hit else content)
    serve_and_look(serve, tmp_path, names)


# Queries

GOOD_QUERY = {
    "table": "movies",
    "columns": ["title", "imdb"],
    "filters": [
        {"column": "imdb", "op": "between", "value": [1, 9]},
        {
            "or": [
                {"column": "genre", "op": "in", "value": ["Drama", "Comedy"]},
                {"not": {"column": "us_gross", "op": "is_null"}},
            ]
        },
        {"column": "release_date", "op": "ge", "value": "1990-01-01"},
        {"column": "title", "op": "matches", "value": "^[A-M]", "case_sensitive": False},
        {"columns": ["imdb", "imdb_votes"], "op": "within", "value": [[0, 0], [10, 0], [10, 1000000]]},
        {"interactive_component_type": "RangeSlider", "column_name": "imdb", "value": [1, 10]},
    ],
    "order_by": [{"column": "imdb", "descending": True}],
    "limit": 10,
    "offset": 0,
    "sample": {"rows": 1000, "seed": 7},
}
GOOD_GROUPS = {
    "table": "movies",
    "group_by": ["genre", {"column": "imdb", "bin": {"step": 0.5, "origin": 0}}],
    "aggregates": [{"op": "quantile", "column": "us_gross", "q": 0.5, "as": "m"}, {"op": "count"}],
    "order_by": [{"column": "m", "nulls": "first"}],
}


@pytest.mark.parametrize("whole", [GOOD_QUERY, GOOD_GROUPS], ids=["rows", "groups"])
def test_damaged_queries(sample, whole):
    assert sample.query(whole).status_code == 200, explain(sample.query(whole))
    seen = set()
    for seed in range(400):
        query = damaged_query(whole, seed)
        response = sample.query(query, "json", timeout=PATIENCE_SECONDS)
        seen.add(response.status_code)
        assert response.status_code in (200, 400, 404, 410, 413, 422), (
            f"seed {seed}: {json.dumps(query)[:500]}\n{explain(response)}"
        )
        if response.status_code != 200:
            problem(response, response.status_code)
    assert {200, 400} <= seen
    sample.assert_alive()


def nested(depth):
    node = {"column": "imdb", "op": "gt", "value": 5}
    text = json.dumps(node)
    return '{"table": "movies", "filters": [' + '{"not": ' * depth + text + "}" * depth + "]}"


@pytest.mark.parametrize("depth", [10, 120, 2000, 100_000])
def test_deep_filters(sample, depth):
    headers = {"Content-Type": "application/json"}
    response = sample.session.post(
        sample.url + "/api/query?format=json", nested(depth), headers=headers, timeout=PATIENCE_SECONDS
    )
    if depth == 10:
        assert response.status_code == 200
    else:
        assert response.status_code in (200, 400, 413), explain(response)
    sample.assert_alive()


@pytest.mark.parametrize(
    "pattern",
    [
        "(a{1000}){1000}",
        "((a*)*)*" * 50,
        "\\p{L}{500}" * 20,
        "(?:a|b)*" * 1000 + "c",
        "x" * 200_000,
        "[[:alpha:]",
        "\\",
    ],
)
def test_regular_expressions_that_blow_up(sample, pattern):
    query = {
        "table": "movies",
        "filters": [{"column": "title", "op": "matches", "value": pattern}],
        "columns": ["title"],
    }
    began = time.monotonic()
    response = sample.query(query, timeout=PATIENCE_SECONDS)
    assert response.status_code in (200, 400, 413), explain(response)
    assert time.monotonic() - began < 20
    sample.assert_alive()


def test_a_long_list_of_values(sample):
    values = [f"nobody {i}" for i in range(20_000)] + ["Drama"]
    query = {
        "table": "movies",
        "filters": [{"column": "genre", "op": "in", "value": values}],
        "aggregates": [{"op": "count"}],
    }
    response = sample.query(query, "json", timeout=PATIENCE_SECONDS)
    assert response.status_code in (200, 413), explain(response)
    if response.status_code == 200:
        assert response.json() == [{"count": 789}]


# Clients


def test_a_body_that_says_it_is_huge_is_refused_unread(sample):
    connection = http.client.HTTPConnection(sample.url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/api/query")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_that_never_ends_is_refused(sample):
    def endless():
        yield b'{"table": "'
        for _ in range(1 << 16):
            yield b"x" * (1 << 16)

    try:
        response = requests.post(sample.url + "/api/query", data=endless(), timeout=PATIENCE_SECONDS)
        assert response.status_code == 413
    except requests.ConnectionError:
        # The server may hang up before the client has stopped talking.
        pass
    sample.assert_alive()


def test_an_address_that_is_too_long(sample):
    response = sample.get("/api/query?q=" + "x" * 300_000, timeout=30)
    assert response.status_code in (400, 414, 431), response.status_code
    sample.assert_alive()


def test_clients_that_never_finish_asking(sample):
    address = ("127.0.0.1", int(sample.url.rsplit(":", 1)[1]))
    sockets = [socket.create_connection(address) for _ in range(100)]
    try:
        for open_socket in sockets:
            open_socket.sendall(b"GET /api/tables HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert sample.get("/api/health", timeout=10).status_code == 200
    finally:
        for open_socket in sockets:
            open_socket.close()


HEAVY = {
    "table": "flights",
    "order_by": [{"column": "distance"}, {"column": "delay", "descending": True}, {"column": "destination"}],
}


def test_too_many_requests_get_a_clear_answer(serve, sample_lake):
    limn = serve(sample_lake)

    def ask(index):
        try:
            query = HEAVY | {"offset": index, "limit": 10}
            return requests.post(limn.url + "/api/query", json=query, timeout=300)
        except requests.ConnectionError as error:
            return error

    with ThreadPoolExecutor(120) as pool:
        answers = list(pool.map(ask, range(120)))
    statuses = [answer.status_code if isinstance(answer, requests.Response) else answer for answer in answers]
    assert set(statuses) <= {200, 429, 503}, set(map(str, statuses))
    assert 200 in statuses
    for answer in answers:
        if answer.status_code != 200:
            problem(answer, 429, 503)
            assert "Retry-After" in answer.headers
    limn.assert_alive()
    assert limn.peak_memory_bytes() < MEMORY_BYTES_MAX


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_dropped_request_stops_its_work(serve, sample_lake):
    limn = serve(sample_lake)
    limn.rows({"table": "flights", "limit": 1})
    body = json.dumps(HEAVY).encode()
    address = ("127.0.0.1", int(limn.url.rsplit(":", 1)[1]))
    for _ in range(8):
        with socket.create_connection(address) as client:
            head = f"POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
            time.sleep(0.05)
    deadline = time.monotonic() + 20
    while True:
        before = cpu_seconds(limn.process)
        time.sleep(1)
        busy = cpu_seconds(limn.process) - before
        if busy < 0.2:
            break
        assert time.monotonic() < deadline, f"still busy: {busy:.1f} s of work in a second"
    limn.assert_alive()


def test_a_dropped_request_is_idle_within_a_tenth_of_a_second(serve, sample_lake, tmp_path):
    """While it scans and groups, and while it spills."""
    for arguments in ((), ("--memory", "48MiB", "--spill-dir", tmp_path)):
        limn = serve(sample_lake, arguments=arguments)
        limn.rows({"table": "flights", "limit": 1})
        body = json.dumps(HEAVY).encode()
        head = f"POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", int(limn.url.rsplit(":", 1)[1]))) as client:
            began = cpu_seconds(limn.process)
            client.sendall(head.encode() + body)
            deadline = time.monotonic() + 20
            while cpu_seconds(limn.process) - began < 0.2:
                assert time.monotonic() < deadline, "it does not begin"
                time.sleep(0.01)
        time.sleep(0.1)
        before = cpu_seconds(limn.process)
        time.sleep(0.5)
        assert cpu_seconds(limn.process) - before <= 0.03, arguments
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        limn.assert_alive()


def test_a_client_that_reads_slowly_holds_little(serve, sample_lake):
    """Three million rows for a client that takes its time: the server waits, it does not pile up."""
    limn = serve(sample_lake)
    limn.rows({"table": "flights", "aggregates": [{"op": "count"}]})
    before = limn.peak_memory_bytes()
    responses = [limn.query({"table": "flights"}, "ndjson", stream=True) for _ in range(4)]
    for response in responses:
        assert response.status_code == 200
        assert next(response.iter_content(1000))
    time.sleep(3)
    assert limn.peak_memory_bytes() - before < 1 << 30
    for response in responses:
        response.close()
    limn.assert_alive()
