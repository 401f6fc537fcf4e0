"""A running `limn serve` and a thin client of its HTTP contract, for the tests from outside."""

import json
import os
import queue
import re
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.ipc
import requests

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
MEDIA_TYPES = {
    "arrow-stream": "application/vnd.apache.arrow.stream",
    "arrow-file": "application/vnd.apache.arrow.file",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
}


def binary():
    """The server under test: LIMN_BINARY, else what make build left, else cargo's."""
    target = os.environ.get("CARGO_TARGET_DIR", str(Path.home() / ".cache/limn/target"))
    for path in (os.environ.get("LIMN_BINARY"), ROOT / "bin/limn", Path(target) / "debug/limn"):
        if path and Path(path).is_file():
            return str(path)
    raise SystemExit("no limn binary: run make build first, or set LIMN_BINARY")


class Limn:
    """One server process. Its lines are kept, so that a failing test can show them.

    `environment` adds variables to those of the tests; a value of None takes one away.
    """

    def __init__(self, *lakes, environment=None, arguments=(), cwd=None):
        command = [binary(), "serve", "--listen", "127.0.0.1:0"]
        for lake in lakes:
            command += ["--lake", str(lake)]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={key: value for key, value in {**os.environ, **(environment or {})}.items() if value is not None},
            cwd=cwd,
        )
        self.lines = []
        self.session = requests.Session()
        address = queue.Queue()
        threading.Thread(target=self._listen, args=(address,), daemon=True).start()
        self.url = self._address(address)
        self._wait_until_healthy()

    def _listen(self, address):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                address.put(found.group())
        # Its output ends where it does: nobody has to wait for an address any more.
        address.put(None)

    def _address(self, address):
        try:
            found = address.get(timeout=START_SECONDS)
        except queue.Empty:
            found = None
        if found is None:
            self.stop()
            raise AssertionError("limn printed no address:\n" + "\n".join(self.lines[-40:]))
        return found

    def _wait_until_healthy(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self.get("/api/health", timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            assert self.process.poll() is None, "limn ended:\n" + "\n".join(self.lines[-40:])
            assert time.monotonic() < deadline, "limn is not healthy:\n" + "\n".join(self.lines[-40:])
            time.sleep(0.05)

    def stop(self):
        self.session.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def peak_memory_bytes(self):
        """The most memory that the process ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    # Requests

    def get(self, path, timeout=120, **options):
        return self.session.get(self.url + path, timeout=timeout, **options)

    def post(self, path, body, timeout=120, **options):
        return self.session.post(self.url + path, json=body, timeout=timeout, **options)

    def query(self, body, form=None, **options):
        """POSTs a Query; `form` is one of the contract's formats."""
        suffix = f"?format={form}" if form else ""
        return self.post("/api/query" + suffix, body, **options)

    def query_by_get(self, body, form=None, **options):
        suffix = f"&format={form}" if form else ""
        return self.get(f"/api/query?q={quote(json.dumps(body))}{suffix}", **options)

    def arrow(self, body, **options):
        """The answer to a Query as an Arrow table, which must be a good one."""
        response = self.query(body, **options)
        assert response.status_code == 200, explain(response)
        return pa.ipc.open_stream(response.content).read_all()

    def rows(self, body, **options):
        """The answer as a list of tuples of Python values."""
        table = self.arrow(body, **options)
        return [tuple(row.values()) for row in table.to_pylist()]

    def tables(self):
        response = self.get("/api/tables")
        assert response.status_code == 200, explain(response)
        return {table["name"]: table for table in response.json()["tables"]}

    def table(self, name, version=None):
        suffix = "" if version is None else f"?version={quote(str(version), safe='')}"
        response = self.get(f"/api/tables/{quote(name, safe='')}{suffix}")
        assert response.status_code == 200, explain(response)
        return response.json()

    def options(self, name, **parameters):
        if "filters" in parameters:
            parameters["filters"] = json.dumps(parameters["filters"])
        response = self.get(f"/api/tables/{quote(name, safe='')}/options", params=parameters)
        assert response.status_code == 200, explain(response)
        return response.json()

    def assert_alive(self):
        assert self.process.poll() is None, "limn ended:\n" + "\n".join(self.lines[-40:])
        assert self.get("/api/health", timeout=30).json()["status"] == "ok"


def explain(response):
    return f"{response.request.method} {response.url[:300]} → {response.status_code}: {response.text[:600]}"


def problem(response, *statuses, field=None):
    """Checks that an answer is an RFC 9457 problem with one of the statuses, and returns it."""
    assert response.status_code in statuses, explain(response)
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json", explain(response)
    body = response.json()
    assert body["status"] == response.status_code
    assert body["title"] and isinstance(body["title"], str)
    assert body["detail"] and isinstance(body["detail"], str)
    assert isinstance(body["type"], str)
    # Nothing of the inside of the server belongs in an answer.
    assert not re.search(r"/(root|home)/|\.rs:\d+|panicked at", json.dumps(body)), body
    if field is not None:
        assert body.get("field") == field, body
    return body
