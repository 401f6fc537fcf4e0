"""Jobs of a server, at /api/jobs: done, followed, cancelled, killed, and begun anew."""

import json
import os
import signal
import time
from pathlib import Path

import deltalake
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

from embeddings import digits_table, lake, vectors, written  # noqa: F401
from limn_server import Limn, explain, problem

PATIENCE_SECONDS = 60


def follow(server, job, until=lambda job: job["state"] in ("done", "failed", "cancelled")):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        now = server.get(f"/api/jobs/{job['id']}").json()
        if until(now):
            return now
        assert time.monotonic() < deadline, now
        time.sleep(0.02)


def started(server, **job):
    response = server.post("/api/jobs", job)
    assert response.status_code == 202, explain(response)
    assert response.headers["Location"] == f"/api/jobs/{response.json()['id']}"
    return response.json()


def long_job(into):
    return {"kind": "cluster", "table": "many", "into": into, "k": 5000, "max_iterations": 10_000}


@pytest.fixture(scope="module")
def server(lake):
    from limn_server import Limn

    with Limn(lake) as limn:
        yield limn


def test_a_job_is_done_and_its_table_answers(server):
    job = started(server, kind="cluster", table="digits", column="emb", filters=[], algorithm="kmeans", k=10, seed=1, max_iterations=300, normalize="l2", backend="auto", into="job-labels")
    assert job["kind"] == "cluster" and job["state"] in ("queued", "running")
    job = follow(server, job)
    assert job["state"] == "done", job
    assert (job["progress"], job["backend"], job["result"]) == (1.0, "cpu", {"table": "job-labels", "version": 0, "rows": 1797})
    assert job["metrics"]["iterations"] > 1 and job["started"] <= job["finished"]
    counts = server.rows({"table": "job-labels", "group_by": ["cluster"], "aggregates": [{"op": "count", "as": "n"}]})
    assert [n for _, n in counts] == job["metrics"]["sizes"]
    assert server.tables()["job-labels"]["format"] == "delta"
    assert job["id"] in [listed["id"] for listed in server.get("/api/jobs").json()["jobs"]]


def test_what_a_job_takes_is_told_before(server):
    def estimate(**job):
        response = server.post("/api/jobs/estimate", {"into": "o", **job})
        assert response.status_code == 200, explain(response)
        return response.json()

    little = estimate(kind="cluster", table="digits")
    assert (little["rows"], little["dimensions"]) == (1797, 64)
    assert 0 < little["seconds"] < 5 and 0 < little["memory_bytes"] < 500e6
    # Lists of no fixed length, and rows that are filtered.
    iris = estimate(kind="project", table="iris", filters=[{"column": "Key", "op": "lt", "value": 50}])
    assert (iris["rows"], iris["dimensions"]) == (50, 4)
    steps = [{"kind": "project", "algorithm": "umap"}, {"kind": "cluster", "algorithm": "hdbscan", "of": "dim"}]
    much = estimate(kind="embed", table="many", steps=steps)
    assert much["seconds"] > 2 * little["seconds"] and much["memory_bytes"] > little["memory_bytes"]
    refused = server.post("/api/jobs/estimate", {"kind": "cluster", "table": "plain", "into": "o"})
    assert problem(refused, 400)["field"] == "column"


def test_several_steps_read_once_and_write_side_by_side(server, lake):
    steps = [{"kind": "project", "algorithm": "pca"}, {"kind": "cluster", "k": 5}, {"kind": "cluster", "k": 10, "as": "ten"}]
    job = follow(server, started(server, kind="embed", table="digits", into="job-embed", keep="all", steps=steps))
    assert job["state"] == "done", job
    assert written(lake, "job-embed").column_names == ["uuid", "digit", "dim_1", "dim_2", "cluster", "ten"]
    assert [step["algorithm"] for step in job["metrics"]["steps"]] == ["pca", "kmeans", "kmeans"]


def test_clusters_are_names_where_that_is_asked_for(server):
    job = follow(server, started(server, kind="cluster", table="digits", into="job-names", k=12, labels="text"))
    assert job["state"] == "done", job
    counts = server.rows({"table": "job-names", "group_by": ["cluster"], "aggregates": [{"op": "count", "as": "n"}]})
    assert [(name, n) for name, n in counts] == [(f"{k:02}", n) for k, n in enumerate(job["metrics"]["sizes"])]


def test_the_same_job_again_is_over_at_once(server):
    wanted = dict(kind="project", table="digits", into="job-same", dimensions=3)
    first = follow(server, started(server, **wanted))
    again = started(server, **wanted)
    assert (again["state"], again["progress"], again["result"]) == ("done", 1.0, first["result"])
    assert again["id"] != first["id"] and again["metrics"]["explained_variance"] == first["metrics"]["explained_variance"]
    # It is listed as any other; another one into the same table is refused as ever.
    assert again["id"] in [job["id"] for job in server.get("/api/jobs").json()["jobs"]]
    problem(server.post("/api/jobs", wanted | {"dimensions": 2}), 409, field="into")


def test_a_job_has_a_log(server):
    job = follow(server, started(server, kind="cluster", table="digits", into="job-logged"))
    answer = server.get(f"/api/jobs/{job['id']}/log")
    assert answer.headers["Content-Type"].startswith("text/plain")
    times, said = zip(*(line.split(" ", 1) for line in answer.text.splitlines()))
    assert list(times) == sorted(times) and all(time.endswith("Z") for time in times)
    assert said[0] == "queued" and said[-1].startswith("done: 1797 rows")
    phases = [line.split(":")[0] for line in said]
    assert [phase for phase in ("reading", "kmeans", "writing") if phase in phases] == ["reading", "kmeans", "writing"]
    problem(server.get("/api/jobs/nobody/log"), 404)


def test_events_tell_of_a_job_until_it_is_over(server):
    job = started(server, kind="cluster", table="many", into="job-events", k=200, max_iterations=12)
    told = []
    with server.get(f"/api/jobs/{job['id']}/events", stream=True) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        for line in response.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                told.append(json.loads(line[6:]))
    assert told[-1]["state"] == "done", told[-1]
    progress = [event["progress"] for event in told]
    assert progress == sorted(progress) and len(set(progress)) > 3
    assert {"reading", "kmeans"} <= {event["phase"] for event in told}


@pytest.mark.parametrize(
    "change, status, field",
    [
        ({"table": "none"}, 404, "table"),
        ({"column": "nope"}, 400, "column"),
        ({"k": 0}, 400, "k"),
        ({"into": "digits_delta"}, 409, "into"),
        ({"into": "digits"}, 400, "into"),
        ({"into": "iris", "mode": "overwrite"}, 409, "into"),
        ({"algorithm": "magic"}, 400, "algorithm"),
        ({"column": "digit"}, 400, "column"),
        ({"into": "../x"}, 400, "into"),
        ({"keep": "all", "as": "DIGIT"}, 400, "as"),
        ({"into": "frozen", "mode": "overwrite"}, 422, "into"),
        ({"filters": [{"column": "digit", "op": "near", "value": 1}]}, 400, "filters[0].op"),
        ({"colour": "red"}, 400, "colour"),
        ({"version": 7}, 404, "version"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused_at_once(server, change, status, field):
    refused = server.post("/api/jobs", {"kind": "cluster", "table": "digits", "into": "job-never", **change})
    problem(refused, status, field=field)


def test_jobs_that_nobody_knows_are_not_found(server):
    for answer in (server.get("/api/jobs/nobody"), server.get("/api/jobs/nobody/events"), server.session.delete(server.url + "/api/jobs/nobody")):
        problem(answer, 404)


def test_only_this_machine_and_this_page_may_write(server):
    job = {"kind": "cluster", "table": "digits", "into": "job-foreign"}
    for headers in ({"Origin": "https://example.org"}, {"X-Forwarded-For": "203.0.113.7"}):
        problem(requests.post(server.url + "/api/jobs", json=job, headers=headers, timeout=30), 403)
    assert "job-foreign" not in server.tables()


def test_a_job_is_cancelled_at_once(server, lake):
    job = started(server, **long_job("job-cancelled"))
    waiting = started(server, kind="cluster", table="digits", into="job-behind")
    assert waiting["waiting_for"] == 1
    follow(server, job, until=lambda job: job["phase"] == "kmeans")
    began = time.monotonic()
    cancelled = server.session.delete(f"{server.url}/api/jobs/{job['id']}")
    assert cancelled.status_code == 200 and cancelled.json()["state"] == "cancelled"
    # The next one runs: the process is really gone.
    assert follow(server, waiting)["state"] == "done"
    # Far less than the job had still to go.
    assert time.monotonic() - began < 10
    assert follow(server, job)["state"] == "cancelled"
    assert "job-cancelled" not in server.tables() and not (lake / "job-cancelled").exists()


def children(server):
    listed = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    found = []
    for task in listed.parent.parent.iterdir():
        found += [int(pid) for pid in (task / "children").read_text().split()]
    return found


def test_a_killed_process_is_a_failed_job_and_nothing_else(server):
    job = started(server, **long_job("job-killed"))
    follow(server, job, until=lambda job: job["phase"] == "kmeans")
    (child,) = children(server)
    os.kill(child, signal.SIGKILL)
    job = follow(server, job)
    assert job["state"] == "failed" and "memory" in job["message"]
    server.assert_alive()
    assert follow(server, started(server, kind="cluster", table="digits", into="job-after"))["state"] == "done"


def test_a_job_beyond_its_memory_fails_and_nothing_else(tmp_path, serve):
    random = np.random.default_rng(5)
    pq.write_table(pa.table({"emb": vectors(random.normal(size=(400_000, 64)).astype("f4"))}), tmp_path / "many.parquet")
    pq.write_table(digits_table(), tmp_path / "digits.parquet")
    limn = serve(tmp_path, arguments=["--job-memory", "120MB"])
    job = follow(limn, started(limn, kind="cluster", table="many", into="too-much"))
    assert job["state"] == "failed" and "--job-memory" in job["message"], job
    limn.assert_alive()
    assert follow(limn, started(limn, kind="cluster", table="digits", into="enough"))["state"] == "done"
    assert set(limn.tables()) == {"many", "digits", "enough"}


def test_a_machine_without_memory_ends_a_job_before_its_server(server):
    job = started(server, **long_job("job-score"))
    follow(server, job, until=lambda job: job["phase"] == "kmeans")
    (child,) = children(server)
    scores = [int(Path(f"/proc/{process}/oom_score_adj").read_text()) for process in (child, server.process.pid)]
    assert scores[0] == 1000 > scores[1]
    server.session.delete(f"{server.url}/api/jobs/{job['id']}")


def test_a_failed_job_says_why(server):
    job = follow(server, started(server, kind="cluster", table="ragged", into="job-ragged"))
    assert job["state"] == "failed" and "different lengths" in job["message"] and job["result"] is None
    assert "job-ragged" not in server.tables()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_go_on_after_a_restart(tmp_path, serve, ending):
    pq.write_table(digits_table(), tmp_path / "digits.parquet")
    random = np.random.default_rng(5)
    many = vectors(random.normal(size=(40_000, 64)).astype("f4"))
    pq.write_table(pa.table({"emb": many}), tmp_path / "many.parquet")
    first = serve(tmp_path)
    over = follow(first, started(first, kind="cluster", table="digits", into="over"))
    job = started(first, kind="cluster", table="many", into="resumed", k=1500, max_iterations=12)
    behind = started(first, kind="project", table="digits", into="behind")
    follow(first, job, until=lambda job: job["phase"] == "kmeans")
    (child,) = children(first)
    first.process.send_signal(ending)
    first.process.wait(20)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline, "the job's process outlives its server"
        time.sleep(0.02)
    second = serve(tmp_path)
    follow(second, over)
    assert second.get(f"/api/jobs/{over['id']}").json() == over
    assert follow(second, job)["state"] == "done"
    assert follow(second, behind)["state"] == "done"
    assert second.tables()["resumed"]["rows"] == 40_000


def test_a_job_whose_result_was_there_before_it_could_say_so_is_done(tmp_path, serve):
    """The server died between the commit and the last word about it."""
    pq.write_table(digits_table(), tmp_path / "digits.parquet")
    first = serve(tmp_path)
    job = follow(first, started(first, kind="cluster", table="digits", into="labels"))
    first.stop()
    (record,) = (tmp_path / "_limn/jobs").iterdir()
    document = json.loads(record.read_text())
    document["record"].update({"state": "running", "result": None, "metrics": {}})
    record.write_text(json.dumps(document))
    second = serve(tmp_path)
    again = follow(second, job)
    assert (again["state"], again["result"]) == ("done", job["result"]), again
    assert again["metrics"]["inertia"] == job["metrics"]["inertia"]
    assert deltalake.DeltaTable(tmp_path / "labels").version() == 0


def test_a_second_server_leaves_the_jobs_of_a_first_that_lives_alone(tmp_path, serve):
    random = np.random.default_rng(5)
    pq.write_table(pa.table({"emb": vectors(random.normal(size=(60_000, 64)).astype("f4"))}), tmp_path / "many.parquet")
    first = serve(tmp_path)
    job = started(first, **long_job("slow"))
    follow(first, job, until=lambda job: job["phase"] == "kmeans")
    second = serve(tmp_path)
    assert second.get("/api/jobs").json()["jobs"] == [] and children(second) == []
    assert first.get(f"/api/jobs/{job['id']}").json()["state"] == "running"


def test_a_loud_log_stops_no_job(tmp_path, serve):
    pq.write_table(digits_table(), tmp_path / "digits.parquet")
    server = serve(tmp_path, environment={"LIMN_LOG": "trace"})
    job = started(server, kind="cluster", table="digits", into="loud")
    assert follow(server, job)["state"] == "done"


def test_a_table_is_not_seen_before_its_commit(tmp_path, serve):
    pq.write_table(digits_table(), tmp_path / "digits.parquet")
    half = tmp_path / "half"
    half.mkdir()
    (half / "_limn_writing-abc").touch()
    pq.write_table(pa.table({"a": [1]}), half / "part-00000-abc.zstd.parquet")
    server = serve(tmp_path)
    assert sorted(server.tables()) == ["digits"]
    problem(server.query({"table": "half"}), 404)
    # What an ended writer left is nobody's, so that the name is free.
    assert follow(server, started(server, kind="cluster", table="digits", into="half"))["state"] == "done"
    assert server.tables()["half"]["rows"] == 1797


def test_a_lake_that_cannot_be_written_says_so(tmp_path, serve):
    pq.write_table(digits_table(), tmp_path / "digits.parquet")
    if os.getuid() == 0:
        # Root writes wherever it likes: but not into a file.
        (tmp_path / "file").write_text("")
        server = serve(tmp_path)
        job = server.post("/api/jobs", {"kind": "cluster", "table": "digits", "into": "file/labels"})
        job = follow(server, job.json()) if job.status_code == 202 else {"state": "failed"}
        assert job["state"] == "failed", job
        return
    tmp_path.chmod(0o500)
    server = serve(tmp_path)
    job = follow(server, started(server, kind="cluster", table="digits", into="labels"))
    assert job["state"] == "failed", job
