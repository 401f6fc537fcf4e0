"""`limn export`: a table as a page of its own, plain files for any static host."""

import io
import json
import os
import subprocess
from urllib.parse import unquote

import duckdb
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from PIL import Image

from limn_server import binary


def picture(shade, side=64):
    noise = np.random.default_rng(shade).integers(0, 40, (side, side * 2, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise + np.uint8(shade)).save(out, "PNG")
    return out.getvalue()


LARGE = picture(90, 300)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = tmp_path_factory.mktemp("export") / "lake"
    (lake / "birds/pics").mkdir(parents=True)
    n = 5000
    random = np.random.default_rng(2)
    table = pa.table({
        "id": np.arange(n),
        "big": pa.array([2**60 + i if i % 7 else None for i in range(n)]),
        "kind": pa.array([["a", "b", None][i % 3] for i in range(n)]).dictionary_encode(),
        "when": pa.array(np.arange(n) * 3_600_000_000, pa.timestamp("us", "UTC")),
        "x": random.normal(size=n),
        "emb": pa.FixedSizeListArray.from_arrays(pa.array(random.normal(size=n * 8).astype("f4")), 8),
    })
    write_deltalake(str(lake / "made"), table.slice(0, 3000))
    write_deltalake(str(lake / "made"), table.slice(3000), mode="append")
    (lake / "birds/pics/small.png").write_bytes(picture(10))
    (lake / "birds/pics/large.png").write_bytes(LARGE)
    with h5py.File(lake / "birds/store.h5", "w") as file:
        file["one"] = np.frombuffer(picture(30), np.uint8)
    (lake / "birds/of.csv").write_text(
        "name,file\nash,pics/small.png\nbeech,pics/large.png\nelm,store.h5#one\nfir,pics/none.png\noak,\nyew,birds/of.csv\n"
    )
    return lake


def export(lake, *arguments, code=0):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LIMN_")}
    command = [binary(), "export", "--lake", str(lake), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_a_page_has_the_app_the_rows_and_what_it_opens_with(lake, tmp_path):
    link = "http://127.0.0.1:1/?link=1&table=made&version=0&filter=kind:in:a&view=1:bars:kind:12"
    out = tmp_path / "deep/site"
    done = export(lake, "--link", link, "--out", out)
    assert (done["rows"], done["pictures"]) == (3000, 0)
    assert done["data_bytes"] == (out / "data/made.parquet").stat().st_size
    config = json.loads((out / "config.json").read_text())
    assert config == {"api": False, "open": "data/made.parquet", "link": "filter=kind:in:a&view=1:bars:kind:12"}
    for name in ("index.html", "sw.js", "manifest.webmanifest"):
        assert (out / name).stat().st_size > 0
    assert list(out.glob("*.wasm"))
    # Every row of that version, as it is in the lake, for whoever reads the file.
    ours = pq.read_table(out / "data/made.parquet")
    expected = DeltaTable(str(lake / "made"), version=0).to_pyarrow_table()
    assert ours.num_rows == expected.num_rows
    assert ours.sort_by("id").select(["id", "big", "kind", "when", "x"]).to_pylist() == expected.sort_by(
        "id"
    ).select(["id", "big", "kind", "when", "x"]).to_pylist()
    assert ours["emb"].to_pylist() == expected["emb"].to_pylist()


def test_rows_and_columns_may_be_left_out(lake, tmp_path):
    filters = json.dumps([{"column": "x", "op": "gt", "value": 0}, {"column": "kind", "op": "in", "value": ["b"]}])
    done = export(lake, "made", "--out", tmp_path / "s", "--filters", filters, "--columns", "x,id")
    path = tmp_path / "s/data/made.parquet"
    kept = pq.read_table(path)
    assert kept.column_names == ["x", "id"] and kept.num_rows == done["rows"]
    made = DeltaTable(str(lake / "made")).to_pyarrow_table()
    expected = duckdb.sql("select count(*), sum(id) from made where x > 0 and kind = 'b'").fetchall()
    assert duckdb.sql("select count(*), sum(id) from kept").fetchall() == expected


def test_pictures_come_along(lake, tmp_path):
    done = export(lake, "birds/of", "--out", tmp_path / "s", "--pictures", "file", "--side", 100)
    assert (done["rows"], done["pictures"], done["without_picture"]) == (6, 3, 3)
    table = pq.read_table(tmp_path / "s/data/of.parquet")
    assert table.schema.field("file").type == pa.binary()
    cells = table["file"].to_pylist()
    assert cells[0] == picture(10) and cells[2] == picture(30) and cells[3:] == [None] * 3
    assert Image.open(io.BytesIO(cells[1])).size == (100, 50)


def test_names_are_told_as_an_address_has_them(lake, tmp_path):
    (lake / "50% #1?.csv").write_text("a\n1\n")
    export(lake, "50% #1?", "--out", tmp_path / "s")
    config = json.loads((tmp_path / "s/config.json").read_text())
    assert (tmp_path / "s" / unquote(config["open"])).is_file()
    assert config["open"] == "data/50%25%20%231%3F.parquet"


def test_what_cannot_be_exported_says_why_and_leaves_nothing(lake, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine")
    for arguments, code, words in [
        (["made", "--out", taken], 1, "something is in it"),
        (["none", "--out", tmp_path / "a"], 1, "none"),
        (["made", "--out", tmp_path / "a", "--columns", "x,y"], 1, '"y"'),
        (["made", "--out", tmp_path / "a", "--columns", "x", "--pictures", "kind"], 1, '"kind"'),
        (["made", "--out", tmp_path / "a", "--pictures", "emb"], 1, '"emb"'),
        (["made", "--out", tmp_path / "a", "--version", 7], 1, "7"),
        (["made", "--out", tmp_path / "a", "--filters", '[{"column": "id", "op": "lt", "value": 0}]'], 1, "no row"),
        (["made", "--out", tmp_path / "a", "--link", "?table=birds/of"], 2, "birds/of"),
        (["--out", tmp_path / "a", "--link", "?view=1:bars:x:2"], 2, "opens no table"),
        (["--out", tmp_path / "a", "--link", "?open=http%3A//h/x.parquet"], 2, "not a table of a lake"),
        (["--out", tmp_path / "a"], 2, "TABLE"),
        (["made", "--out", "/proc/none/a"], 1, "/proc/none/a"),
    ]:
        said = export(lake, *arguments, code=code)
        assert words in said, said
    assert [path.name for path in taken.iterdir()] == ["thesis.txt"]
    assert not (tmp_path / "a").exists()
    # A folder that was there, and empty, stays.
    empty = tmp_path / "empty"
    empty.mkdir()
    export(lake, "made", "--out", empty, "--pictures", "emb", code=1)
    assert list(empty.iterdir()) == []
