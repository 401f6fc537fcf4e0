"""The command `limn` itself: help, exit codes, configuration, and ending politely."""

import re
import signal
import socket
import subprocess
import time

import pyarrow.parquet as pq
import pytest

import lakes
from limn_server import Limn, binary


def limn(*arguments, cwd=None, environment=None):
    command = [binary(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, env=environment)


def test_help_is_an_answer_and_goes_to_stdout():
    done = limn("--help")
    assert done.returncode == 0
    assert "serve" in done.stdout
    done = limn("serve", "--help")
    assert done.returncode == 0
    assert "--lake" in done.stdout and "--listen" in done.stdout
    assert re.match(r"limn \d+\.\d+\.\d+", limn("--version").stdout)


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["serve", "--listen", "nowhere"]])
def test_a_wrong_call_ends_with_two(arguments):
    done = limn(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr


def test_a_port_in_use_ends_with_one_and_says_so(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = limn("serve", "--listen", address, "--lake", str(tmp_path))
    assert done.returncode == 1
    assert address in done.stderr
    assert "panicked" not in done.stderr


def test_a_lake_of_no_known_kind_is_refused():
    done = limn("serve", "--listen", "127.0.0.1:0", "--lake", "ftp://example.org/lake")
    assert done.returncode in (1, 2)
    assert "ftp://example.org/lake" in done.stderr


def test_without_a_lake_the_one_here_is_served(tmp_path):
    (tmp_path / "lake").mkdir()
    pq.write_table(lakes.small(3), tmp_path / "lake" / "mine.parquet")
    with Limn(cwd=tmp_path) as server:
        assert "mine" in server.tables()


def test_without_any_lake_a_sample_is_served(tmp_path):
    with Limn(cwd=tmp_path) as server:
        tables = server.tables()
        assert tables
        name = next(iter(tables))
        assert server.arrow({"table": name, "limit": 5}).num_rows == 5


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path):
    for name in ("flag", "variable", "file"):
        (tmp_path / name).mkdir()
        pq.write_table(lakes.small(3), tmp_path / name / f"{name}.parquet")
    config = tmp_path / "limn.toml"
    config.write_text(f'lake = ["{tmp_path}/file"]\n')
    with Limn(arguments=["--config", config]) as server:
        assert set(server.tables()) == {"file"}
    variable = {"LIMN_LAKE": str(tmp_path / "variable")}
    with Limn(arguments=["--config", config], environment=variable) as server:
        assert set(server.tables()) == {"variable"}
    with Limn(tmp_path / "flag", arguments=["--config", config], environment=variable) as server:
        assert set(server.tables()) == {"flag"}


def test_a_mistake_in_the_file_is_named(tmp_path):
    config = tmp_path / "limn.toml"
    config.write_text("lakke = []\n")
    done = limn("serve", "--config", str(config), "--listen", "127.0.0.1:0")
    assert done.returncode in (1, 2)
    assert "lakke" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_soon(sample_lake, number):
    with Limn(sample_lake) as server:
        server.rows({"table": "penguins", "limit": 1})
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(20) in (0, -number, 128 + number)
        assert time.monotonic() - began < 15
