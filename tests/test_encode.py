"""Vectors of pictures and texts by `limn embed`, beside onnxruntime and Pillow."""

import csv
import io
import json
import os
import signal
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import deltalake
import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from embeddings import done, written
from limn_server import binary

SIDE = 32
MEAN, DEVIATION = 0.5, 0.25
WORDS = ["[PAD]", "[UNK]", "red", "fox", "dog", "lazy", "quick"]


def save(path, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def image_model(folder, cells=8):
    """The mean of each of so many fields across and down: a small picture is its own vector."""
    nodes = [
        helper.make_node("AveragePool", ["pixels"], ["pooled"], kernel_shape=[SIDE // cells] * 2, strides=[SIDE // cells] * 2),
        helper.make_node("Flatten", ["pooled"], ["image_embeds"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["batch", 3 * cells * cells])]
    save(folder / "model.onnx", nodes, inputs, outputs)
    record = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}, "resample": 3}
    record |= {"image_mean": [MEAN] * 3, "image_std": [DEVIATION] * 3, "do_resize": True, "do_center_crop": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(record | {"do_normalize": True, "do_rescale": True}))
    return folder / "model.onnx"


def text_model(folder):
    """A vector a word: its place in a circle."""
    table = np.array([[np.sin(at), np.cos(at), at / 7] for at in range(len(WORDS))], np.float32)
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    ids = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", 3])]
    path = save(folder / "model.onnx", nodes, ids, outputs, [onnx.numpy_helper.from_array(table, "table")])
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: at for at, word in enumerate(WORDS)}, "unk_token": "[UNK]"},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return path, table


def unit(rows):
    rows = np.asarray(rows, np.float64)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def theirs(model, pictures):
    """What onnxruntime makes of pictures that Pillow has prepared."""
    session = onnxruntime.InferenceSession(model)
    made = []
    for picture in pictures:
        picture = picture.convert("RGB")
        scale = SIDE / min(picture.size)
        size = [SIDE if side == min(picture.size) else int(side * scale) for side in picture.size]
        picture = picture.resize(size, Image.Resampling.BICUBIC)
        left, top = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
        values = np.asarray(picture.crop((left, top, left + SIDE, top + SIDE)), np.float32) / 255
        values = ((values - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)
        made.append(session.run(None, {"pixels": values})[0][0])
    return unit(made)


def vectors(table, name="emb"):
    return np.array(table[name].to_pylist(), np.float64)


def digit(at):
    pixels = load_digits().images[at] * 16
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).resize((50 + at % 7, 64), Image.Resampling.NEAREST)


ENDINGS = ["png", "jpg", "webp", "bmp", "tif"]


def name_of(at):
    return f"{at:04}.{ENDINGS[at % len(ENDINGS)]}"


@pytest.fixture
def lake(tmp_path):
    """Digits as files of several kinds, in a folder of each digit; what is no picture among them."""
    lake = tmp_path / "lake"
    digits = load_digits()
    for at in range(100):
        folder = lake / "scans" / str(digits.target[at])
        folder.mkdir(parents=True, exist_ok=True)
        digit(at).save(folder / name_of(at))
    (lake / "scans" / "0" / "broken.jpg").write_bytes((lake / "scans" / "0" / name_of(0)).read_bytes()[:200])
    (lake / "scans" / "0" / "notes.txt").write_text("not a picture")
    (lake / "scans" / "0" / ".hidden.png").write_bytes(b"")
    return lake


@pytest.fixture
def model(tmp_path):
    return image_model(tmp_path / "model")


def embed(lake, *arguments, **environment):
    command = [binary(), "embed", *map(str, arguments), "--lake", str(lake)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | environment)


def told(run):
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_folder_becomes_a_table(lake, model):
    run = embed(lake, lake / "scans", "--recursive", "--model", model, "--into", "digits")
    outcome = told(run)
    assert (outcome["rows"], outcome["failed"], outcome["dimensions"], outcome["version"]) == (100, 1, 192, 0)
    assert "scans/0/broken.jpg: " in run.stderr and "notes" not in run.stderr and "hidden" not in run.stderr
    table = written(lake, "digits")
    assert table.column_names == ["path", "folder", "width", "height", "bytes", "modified", "image", "emb"]
    assert table["path"].to_pylist() == sorted(table["path"].to_pylist())
    pictures = [Image.open(lake / path) for path in table["path"].to_pylist()]
    assert [picture.size for picture in pictures] == list(zip(table["width"].to_pylist(), table["height"].to_pylist()))
    assert [os.path.getsize(lake / path) for path in table["path"].to_pylist()] == table["bytes"].to_pylist()
    # JPEG and WebP are decoded a little differently by different decoders.
    wanted, ours = theirs(model, pictures), vectors(table)
    exact = [path.endswith(("png", "bmp", "tif")) for path in table["path"].to_pylist()]
    assert np.abs(ours - wanted)[exact].max() < 1e-6
    assert np.abs(ours - wanted).max() < 5e-3
    for small, picture in zip(table["image"].to_pylist(), pictures):
        small = Image.open(io.BytesIO(small))
        assert (small.format, small.size) == ("JPEG", picture.size)

    # It is a table like any other: its rows are clustered, and its folders are labels.
    outcome = done("cluster", "digits", "--into", "labels", "-k", 10, "--keep", "folder", lake=lake)
    assert outcome["result"]["rows"] == 100
    labels = written(lake, "labels")
    assert adjusted_rand_score(labels["folder"].to_pylist(), labels["cluster"].to_pylist()) > 0.4


def test_small_pictures_are_as_small_as_is_asked(lake, model):
    scans = lake / "scans" / "1"
    told(embed(lake, scans, "--model", model, "--into", "small", "--thumbnails", 16))
    table = written(lake, "small")
    assert "folder" not in table.column_names
    assert {max(Image.open(io.BytesIO(small)).size) for small in table["image"].to_pylist()} == {16}
    told(embed(lake, scans, "--model", model, "--into", "bare", "--thumbnails", 0, "--as", "vector", "--normalize", "none"))
    table = written(lake, "bare")
    assert table.column_names == ["path", "width", "height", "bytes", "modified", "vector"]
    lengths = np.linalg.norm(vectors(table, "vector"), axis=1)
    assert lengths.min() > 2


def test_what_is_new_is_added(lake, model, tmp_path):
    scans = lake / "scans" / "3"
    files = sorted(scans.iterdir())
    for file in files[5:]:
        file.rename(tmp_path / file.name)
    command = [lake, scans, "--model", model, "--into", "threes"]
    assert told(embed(*command))["rows"] == 5
    for file in files[5:]:
        (tmp_path / file.name).rename(file)
    os.utime(files[0], (1, 1))
    second = embed(*command)
    outcome = told(second)
    assert (outcome["rows"], outcome["rows_before"], outcome["changed"]) == (len(files) - 5, 5, 1)
    assert "--overwrite" in second.stderr
    table = deltalake.DeltaTable(lake / "threes")
    assert table.version() == 1
    assert [entry["operation"] for entry in table.history()] == ["WRITE", "WRITE"]
    paths = table.to_pyarrow_table()["path"].to_pylist()
    assert sorted(paths) == [f"scans/3/{file.name}" for file in files]
    # Nothing is new: nothing is written.
    outcome = told(embed(*command))
    assert (outcome["rows"], outcome["rows_before"], outcome["version"]) == (0, len(files), 1)
    # All anew.
    outcome = told(embed(*command, "--overwrite"))
    assert (outcome["rows"], outcome["rows_before"], outcome["changed"], outcome["version"]) == (len(files), 0, 0, 2)
    assert len(written(lake, "threes")) == len(files)


def test_vectors_of_two_models_are_never_mixed(lake, model, tmp_path):
    scans = lake / "scans" / "4"
    told(embed(lake, scans, "--model", model, "--into", "fours"))
    other = image_model(tmp_path / "other", cells=4)
    for arguments in (["--model", other], ["--model", model, "--normalize", "none"]):
        run = embed(lake, scans, *arguments, "--into", "fours")
        assert run.returncode == 1 and "was made of something else: its model" in run.stderr, run.stderr
    run = embed(lake, lake / "scans" / "5", "--model", model, "--into", "fours")
    assert run.returncode == 1 and "its source" in run.stderr, run.stderr
    pq.write_table(pa.table({"a": [1]}), lake / "mine.parquet")
    deltalake.write_deltalake(lake / "theirs", pa.table({"a": [1]}))
    for name, said in (("mine", "cannot be overwritten"), ("theirs", "give another name")):
        run = embed(lake, scans, "--model", model, "--into", name)
        assert run.returncode == 1 and said in run.stderr, run.stderr
    assert deltalake.DeltaTable(lake / "theirs").version() == 0


@pytest.fixture
def many(tmp_path):
    """Enough pictures that a run can be ended in the middle of them."""
    lake = tmp_path / "many"
    (lake / "scans").mkdir(parents=True)
    for at in range(40):
        out = io.BytesIO()
        digit(at).resize((900, 900), Image.Resampling.BICUBIC).save(out, "JPEG", quality=95)
        for copy in range(10):
            (lake / "scans" / f"{at:02}-{copy}.jpg").write_bytes(out.getvalue())
    return lake


def begin(lake, model, *arguments):
    command = [binary(), "embed", lake / "scans", "--model", model, "--into", "all", "--commit-rows", "32", "--lake", lake, *arguments]
    begun = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in begun.stderr:
        if "are kept, in version 1" in line:
            return begun
    raise AssertionError("it ended before it kept anything")


def each_once(lake):
    paths = written(lake, "all")["path"].to_pylist()
    assert len(paths) == 400 and len(set(paths)) == 400
    assert sorted(paths) == sorted(f"scans/{path.name}" for path in (lake / "scans").iterdir())


def test_a_killed_run_goes_on(many, model):
    begun = begin(many, model)
    begun.kill()
    begun.communicate()
    before = len(written(many, "all"))
    assert 64 <= before < 400
    outcome = told(embed(many, many / "scans", "--model", model, "--into", "all"))
    assert (outcome["rows_before"], outcome["rows"]) == (before, 400 - before)
    each_once(many)


def test_an_interrupted_run_keeps_what_it_made(many, model):
    begun = begin(many, model)
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=60)
    assert begun.returncode == 1 and "goes on after them" in said, said
    before = len(written(many, "all"))
    assert f"{before} rows have been added" in said
    assert not [name for name in os.listdir(many / "all") if name.startswith("_limn_writing")]
    assert told(embed(many, many / "scans", "--model", model, "--into", "all"))["rows"] == 400 - before
    each_once(many)


def test_of_two_runs_one_is_refused(many, model):
    first = begin(many, model)
    second = embed(many, many / "scans", "--model", model, "--into", "all", "--commit-rows", "32")
    _, said = first.communicate(timeout=120)
    refused = [text for code, text in ((first.returncode, said), (second.returncode, second.stderr)) if code == 1]
    assert len(refused) == 1 and ("another run has added" in refused[0] or "another writer has changed" in refused[0]), (said, second.stderr)
    each_once(many)


TEXTS = ["red fox", None, "lazy dog", "quick quick fox", "unheard of", "dog"]


def test_texts_of_a_table(lake, tmp_path):
    model, table = text_model(tmp_path / "words")
    rows = pa.table({"id": range(6), "title": TEXTS, "n": pa.array([1, 2, 3, 4, 5, 6], pa.uint8())})
    pq.write_table(rows, lake / "titles.parquet")
    run = embed(lake, "--table", "titles", "--model", model, "--into", "title-vectors")
    outcome = told(run)
    assert (outcome["rows"], outcome["failed"], outcome["dimensions"]) == (6, 1, 3)
    assert "row 1: cannot be read: the cell is empty" in run.stderr
    found = written(lake, "title-vectors")
    assert found.column_names == ["id", "title", "n", "emb"]
    assert found["title"].to_pylist() == TEXTS and found["n"].to_pylist() == [1, 2, 3, 4, 5, 6]
    place = {word: at for at, word in enumerate(WORDS)}
    for text, vector in zip(TEXTS, found["emb"].to_pylist()):
        if text is None:
            assert vector is None
            continue
        mean = np.mean([table[place.get(word, 1)] for word in text.split()], axis=0)
        assert vector == pytest.approx(unit(mean), abs=1e-6)
    again = told(embed(lake, "--table", "titles", "--model", model, "--into", "title-vectors"))
    assert (again["rows"], again["rows_before"]) == (0, 6)
    # Rows are counted: where others have taken some away, there is no telling which are left.
    deltalake.DeltaTable(lake / "title-vectors").delete("id = 2")
    run = embed(lake, "--table", "titles", "--model", model, "--into", "title-vectors")
    assert run.returncode == 1 and "others have written" in run.stderr, run.stderr
    run = embed(lake, "--table", "titles", "--model", model, "--into", "titles", "--overwrite")
    assert run.returncode == 1 and "names the table that is read" in run.stderr, run.stderr

    # Some rows and some columns, of a table that has several texts.
    more = rows.append_column("body", pa.array(TEXTS[::-1]))
    pq.write_table(more, lake / "articles.parquet")
    run = embed(lake, "--table", "articles", "--model", model, "--into", "some")
    assert run.returncode == 1 and '["title", "body"]' in run.stderr, run.stderr
    chosen = ["--column", "body", "--keep", "n", "--filters", '[{"column": "n", "op": "ge", "value": 5}]']
    assert told(embed(lake, "--table", "articles", "--model", model, "--into", "some", *chosen))["rows"] == 2
    found = written(lake, "some")
    assert found.column_names == ["id", "n", "emb"] and found["id"].to_pylist() == [4, 5]
    assert found["emb"].to_pylist()[0] is None


class Files(SimpleHTTPRequestHandler):
    asked = []

    def do_GET(self):  # noqa: N802
        Files.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    Files.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Files(*a, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_pictures_of_a_table(lake, model, web):
    names = [f"scans/{load_digits().target[at]}/{name_of(at)}" for at in range(20)]
    pictures = [Image.open(lake / name) for name in names]
    bytes_ = [(lake / name).read_bytes() for name in names]
    addresses = [f"{web}/lake/{name}" for name in names]
    rows = {"path": [*names, "scans/none.png"], "image": [*bytes_, b"not a picture"], "url": [*addresses, f"{web}/none.png"]}
    pq.write_table(pa.table(rows), lake / "pictures.parquet")
    wanted = theirs(model, pictures)
    common = ["--table", "pictures", "--model", model, "--keep", "path"]
    for column, further in (("path", []), ("image", ["--thumbnails", "20"]), ("url", ["--image-host", "127.0.0.1"])):
        run = embed(lake, *common, "--into", f"by-{column}", "--column", column, *further)
        outcome = told(run)
        assert (outcome["rows"], outcome["failed"]) == (21, 1), run.stderr
        assert "row 20: " in run.stderr
        found = written(lake, f"by-{column}")
        small = ["thumbnail"] if column == "image" else []
        assert found.column_names == ["_row", "path", *small, "emb"]
        assert found["emb"].to_pylist()[20] is None
        assert np.abs(vectors(found.slice(0, 20)) - wanted).max() < 5e-3
    # No host is asked that was not named.
    run = embed(lake, *common, "--into", "refused", "--column", "url")
    assert told(run)["failed"] == 21 and "--image-host" in run.stderr
    run = embed(lake, *common, "--into", "which")
    assert run.returncode == 1 and "--column" in run.stderr


def test_a_model_at_an_address_is_fetched_once(lake, model, web, tmp_path):
    os.rename(tmp_path / "model", tmp_path / "onnx")
    command = [lake, lake / "scans" / "2", "--model", f"{web}/onnx/model.onnx"]
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    told(embed(*command, "--into", "twos", **state))
    asked = len(Files.asked)
    assert "/onnx/model.onnx" in Files.asked and "/onnx/preprocessor_config.json" in Files.asked
    told(embed(*command, "--into", "again", **state))
    assert len(Files.asked) == asked
    assert written(lake, "twos")["emb"] == written(lake, "again")["emb"]
    paths = [lake / path for path in written(lake, "twos")["path"].to_pylist()]
    wanted = theirs(tmp_path / "onnx" / "model.onnx", map(Image.open, paths))
    assert np.abs(vectors(written(lake, "twos")) - wanted).max() < 5e-3
    run = embed(lake, lake / "scans" / "2", "--model", f"{web}/none.onnx", "--into", "none", **state)
    assert run.returncode == 1 and "404" in run.stderr


def test_what_cannot_be_done_is_said(lake, model, tmp_path):
    scans = lake / "scans" / "2"
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    words, _ = text_model(tmp_path / "words")
    (lake / "empty").mkdir()
    pq.write_table(pa.table({"emb": ["a"], "words": ["b"], "n": [1]}), lake / "clash.parquet")
    common = ["--into", "out"]
    for arguments, code, said in (
        ([tmp_path / "nowhere", "--model", model], 1, "nowhere"),
        ([lake / "scans", "--model", model], 1, "--recursive"),
        ([lake / "empty", "--model", model], 1, "no pictures"),
        ([scans, "--model", broken], 1, "is no ONNX model"),
        ([scans, "--model", tmp_path / "none.onnx"], 1, "none.onnx"),
        ([scans, "--model", words], 1, "--table"),
        ([scans, "--model", model, "--output", "other"], 1, '"other"'),
        ([scans, "--model", model, "--as", "Path"], 1, "would be there twice"),
        ([scans], 2, "--model"),
        (["--model", model], 2, "FOLDER"),
        ([scans, "--table", "clash", "--model", model], 2, "cannot be used with"),
        (["--table", "none", "--model", words], 1, '"none"'),
        (["--table", "clash", "--model", words, "--column", "none"], 1, '"none"'),
        (["--table", "clash", "--model", words, "--column", "n"], 1, "has no texts"),
        (["--table", "clash", "--model", words, "--column", "words"], 1, "would be there twice"),
        (["--table", "clash", "--model", words, "--filters", "[{"], 2, "--filters"),
        ([scans, "--model", model, "--into", "../out"], 2, "cannot be used multiple times"),
    ):
        run = embed(lake, *arguments, *common)
        assert run.returncode == code and said in run.stderr, (arguments, run.returncode, run.stderr)
        assert "panicked" not in run.stderr
    assert not (lake / "out").exists()
    # Without its words a model of texts is nothing.
    (tmp_path / "words" / "tokenizer.json").unlink()
    run = embed(lake, "--table", "clash", "--column", "words", "--model", words, *common)
    assert run.returncode == 1 and "tokenizer.json" in run.stderr
    # Pictures none of which can be read leave no table.
    for file in scans.iterdir():
        file.write_bytes(b"no picture")
    run = embed(lake, scans, "--model", model, *common)
    assert run.returncode == 1 and "none of the rows has a vector" in run.stderr
    assert not (lake / "out").exists()


def sort(lake, *arguments):
    command = [binary(), "pictures", *map(str, arguments), "--lake", str(lake)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_pictures_go_into_a_folder_for_each_group(lake, tmp_path, web):
    names = [f"scans/{load_digits().target[at]}/{name_of(at)}" for at in range(30)]
    groups = [str(at % 3) for at in range(28)] + ["../../out", None]
    bytes_ = [(lake / name).read_bytes() for name in names]
    addresses = [f"{web}/lake/{name}" for name in names]
    # One that is not there, and two of one name.
    paths = [*names[:5], "scans/none.png", *names[6:]]
    paths[8] = paths[2]
    pq.write_table(pa.table({"cluster": groups, "path": paths, "image": bytes_, "url": addresses}), lake / "map.parquet")
    folders = ["cluster_.._.._out", "cluster_0", "cluster_1", "cluster_2", "cluster_missing"]
    for column, further in (("path", []), ("path", ["--link"]), ("image", []), ("url", ["--image-host", "127.0.0.1"])):
        out = tmp_path / "sorted" / f"{column}{len(further)}"
        run = sort(lake, "map", "--by", "cluster", "--out", out, "--column", column, *further)
        outcome = told(run)
        missing = 1 if column == "path" else 0
        assert (outcome["pictures"], outcome["failed"], outcome["groups"]) == (30 - missing, missing, 5), run.stderr
        assert ("row 5: " in run.stderr) == bool(missing)
        assert sorted(path.name for path in out.iterdir()) == ["cluster_.._.._out", "cluster_0", "cluster_1", "cluster_2", "cluster_missing", "cluster_summary.csv"]
        with open(out / "cluster_summary.csv", newline="") as file:
            summary = list(csv.DictReader(file))
        assert [line["cluster"] for line in summary] == [group or "missing" for at, group in enumerate(groups) if not (missing and at == 5)]
        source = {name: (lake / name).read_bytes() for name in set(paths) if (lake / name).is_file()}
        wanted = [source[name] for name in paths if name in source] if column == "path" else bytes_
        for line, content in zip(summary, wanted):
            file = Path(line["abs_path"])
            assert file.is_absolute() and file.name == line["file_name"] and file.parent.name in folders
            assert file.read_bytes() == content
            assert file.is_symlink() == ("--link" in further)
        assert len({line["abs_path"].lower() for line in summary}) == len(summary)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "sorted"]
    # A link is to what would be copied, beside the table first, whatever its lake is called.
    (lake / "deep" / "scans").mkdir(parents=True)
    (lake / "deep" / "scans" / "own.png").write_bytes(bytes_[0])
    pq.write_table(pa.table({"cluster": ["a", "a"], "path": ["scans/own.png", names[1]]}), lake / "deep" / "map.parquet")
    told(sort(f"shelf={lake}", "shelf/deep/map", "--by", "cluster", "--out", tmp_path / "sorted" / "named", "--link"))
    links = {path.name: path.resolve() for path in (tmp_path / "sorted" / "named" / "cluster_a").iterdir()}
    assert links == {"own.png": lake / "deep" / "scans" / "own.png", Path(names[1]).name: lake / names[1]}
    # Nothing is written over, and a group can be had alone.
    again = sort(lake, "map", "--by", "cluster", "--out", out, "--column", "image")
    assert again.returncode == 1 and "is not empty" in again.stderr
    alone = ["--filters", '[{"column": "cluster", "op": "eq", "value": "1"}]', "--column", "image"]
    assert told(sort(lake, "map", "--by", "cluster", "--out", tmp_path / "alone", *alone))["pictures"] == 9
    for arguments, said in ((["--by", "none"], '"none"'), (["--by", "cluster"], "--column")):
        run = sort(lake, "map", "--out", tmp_path / "refused", *arguments)
        assert run.returncode == 1 and said in run.stderr, run.stderr
        assert not (tmp_path / "refused").exists()
