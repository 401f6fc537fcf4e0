"""Fixtures of the tests from outside: servers over the sample lake and over lakes made here.

A server is started once for all tests that only read. Tests that break
something start their own with `serve`.
"""

import os
import subprocess
from pathlib import Path

import pytest

import lakes
from limn_server import ROOT, Limn


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: long; runs under make soak only")


def pytest_collection_modifyitems(items):
    if os.environ.get("LIMN_SOAK"):
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="long: make soak runs it"))


@pytest.fixture(scope="session")
def sample_lake():
    """The folder of the sample lake."""
    if path := os.environ.get("LIMN_SAMPLE_LAKE"):
        return Path(path)
    made = subprocess.run([ROOT / "tools/sample.sh", "cached"], check=True, stdout=subprocess.PIPE, text=True)
    return Path(made.stdout.strip())


@pytest.fixture(scope="session")
def sample(sample_lake):
    """A server over the sample lake."""
    with Limn(sample_lake) as limn:
        yield limn


@pytest.fixture(scope="session")
def made_lake(tmp_path_factory):
    """A folder with a small table in every layout, good and bad names, and unreadable ones."""
    folder = tmp_path_factory.mktemp("made-lake")
    lakes.make(folder)
    return folder


@pytest.fixture(scope="session")
def made(made_lake):
    """A server over the made lake."""
    with Limn(made_lake) as limn:
        yield limn


@pytest.fixture
def serve():
    """Starts servers that end with the test: serve(lake, …, environment=…, arguments=…)."""
    running = []

    def start(*lakes_, **options):
        running.append(Limn(*lakes_, **options))
        return running[-1]

    yield start
    for limn in running:
        limn.stop()


@pytest.fixture(scope="session")
def test_data():
    """The data beside the checkout; tests that want it do not run without."""
    path = os.environ.get("LIMN_TEST_DATA")
    if not path:
        pytest.skip("LIMN_TEST_DATA is not set")
    return Path(path)
