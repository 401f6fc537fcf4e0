"""Pictures in HDF5 files, at /api/image: `store.h5#dataset` and `store.h5#dataset[row]`, as h5py reads them."""

import io
import os

import h5py
import numpy as np
import pytest
from PIL import Image

from limn_server import Limn, problem

RANDOM = np.random.default_rng(3)
PIXELS = RANDOM.integers(0, 255, (6, 40, 30, 3), dtype=np.uint8)


def encoded(pixels, kind="PNG"):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


FILES = [encoded(pixels, kind) for pixels, kind in zip(PIXELS, ["PNG", "JPEG"] * 3)]


def as_bytes(data):
    return np.frombuffer(data, np.uint8)


def write(path, **options):
    """Pictures in every way that they are commonly kept."""
    with h5py.File(path, "w", **options) as file:
        for name, data in enumerate(FILES):
            file.create_dataset(f"images/{name:04}", data=as_bytes(data))
        file.create_dataset("images/packed", data=as_bytes(FILES[0]), chunks=(512,), compression="gzip", shuffle=True)
        file["void"] = np.void(FILES[1])
        ragged = file.create_dataset("ragged", (len(FILES),), h5py.vlen_dtype(np.uint8))
        longest = max(map(len, FILES))
        padded = np.zeros((len(FILES), longest), np.uint8)
        for row, data in enumerate(FILES):
            ragged[row] = as_bytes(data)
            padded[row, : len(data)] = as_bytes(data)
        file["padded"] = padded
        file.create_dataset("voids", data=np.array([np.void(data.ljust(longest, b"\0")) for data in FILES]))
        file.create_dataset("pixels", data=PIXELS, chunks=(2, 40, 30, 3), compression="gzip", fletcher32=True)
        file["planes"] = PIXELS.transpose(0, 3, 1, 2)
        file["grey"] = PIXELS[..., 0]
        file["one"] = PIXELS[0]
        file["one_grey"] = PIXELS[0, ..., 0]
        file["soft"] = h5py.SoftLink("/images/0000")
        file["elsewhere"] = h5py.ExternalLink("secret.h5", "/picture")
        file["floats"] = PIXELS.astype(np.float32)
        file["wide"] = PIXELS.astype(np.uint16)
        file["texts"] = np.array(["a", "b"], dtype=h5py.string_dtype())
        file["nothing"] = np.zeros((0, 4, 4), np.uint8)
        file["empty"] = h5py.Empty(np.uint8)
        # A claim that costs its writer nothing.
        file.create_dataset("huge", (1 << 20, 1 << 20), np.uint8, chunks=(1024, 1024), compression="gzip")
        file.create_dataset("long", (8, 1 << 30), np.uint8, chunks=(1, 1 << 20))


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = tmp_path_factory.mktemp("hdf5")
    (root / "lake/birds").mkdir(parents=True)
    (root / "lake/birds/of.csv").write_text("name,file\nash,store.h5#images/0000\nelm,store.h5#pixels[3]\n")
    write(root / "lake/birds/store.h5")
    write(root / "lake/Late.HDF5", libver="latest")
    with h5py.File(root / "lake/birds/block.hdf5", "w", userblock_size=512) as file:
        file["x"] = as_bytes(FILES[0])
    for place in ("lake/birds/secret.h5", "secret.h5"):
        with h5py.File(root / place, "w") as file:
            file["picture"] = as_bytes(FILES[0])
    whole = (root / "lake/birds/store.h5").read_bytes()
    (root / "lake/birds/cut.h5").write_bytes(whole[: len(whole) // 3])
    (root / "lake/birds/no.h5").write_text("<html>")
    (root / "lake/birds/void.h5").write_bytes(b"")
    return root / "lake"


@pytest.fixture(scope="module")
def server(lake):
    with Limn(lake) as limn:
        yield limn


def image(server, source, **parameters):
    return server.get("/api/image", params={"source": source, "table": "birds/of", **parameters})


def shown(response):
    assert response.status_code == 200, response.text
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    return response.content


@pytest.mark.parametrize("file", ["store.h5", "./store.h5", "/Late.HDF5"])
def test_picture_files_in_a_file(server, file):
    for row, data in enumerate(FILES):
        assert shown(image(server, f"{file}#images/{row:04}")) == data
        assert shown(image(server, f"{file}#ragged[{row}]")) == data
        assert shown(image(server, f"{file}#padded[{row}]")).rstrip(b"\0") == data.rstrip(b"\0")
        assert shown(image(server, f"{file}#voids[{row}]")).rstrip(b"\0") == data.rstrip(b"\0")
    assert shown(image(server, f"{file}#/images/packed")) == FILES[0]
    assert shown(image(server, f"{file}#soft")) == FILES[0]
    found = image(server, f"{file}#void")
    assert shown(found) == FILES[1] and found.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("file", ["store.h5", "Late.HDF5"])
def test_pixels_in_a_file(server, file):
    def pixels(key):
        return np.asarray(Image.open(io.BytesIO(shown(image(server, f"{file}#{key}")))))

    for row in range(len(PIXELS)):
        assert np.array_equal(pixels(f"pixels[{row}]"), PIXELS[row])
        assert np.array_equal(pixels(f"planes[{row}]"), PIXELS[row])
        assert np.array_equal(pixels(f"grey[{row}]"), PIXELS[row, ..., 0])
    assert np.array_equal(pixels("one"), PIXELS[0])
    assert np.array_equal(pixels("one_grey"), PIXELS[0, ..., 0])
    small = shown(image(server, f"{file}#one", side=16))
    assert Image.open(io.BytesIO(small)).size in {(12, 16), (30, 40)}


def test_a_block_of_the_users_own_before_the_file(server):
    assert shown(image(server, "block.hdf5#x")) == FILES[0]


def test_what_is_no_picture_says_so(server):
    for key, status, words in [
        ("", 400, "store.h5#images[12]"),
        ("pixels", 400, "6 rows: say which, as pixels[0]"),
        ("ragged", 400, "say which"),
        ("voids", 400, "say which"),
        ("none", 404, "there is no dataset"),
        ("none/deeper", 404, "there is no dataset"),
        ("images", 404, "there is no dataset"),
        ("images/0000/deeper", 404, "there is no dataset"),
        ("pixels[6]", 404, "6 rows, and row 6 is none"),
        ("pixels[18446744073709551615]", 404, "is none of them"),
        ("nothing[0]", 404, "0 rows"),
        ("void[0]", 404, "0 rows"),
        ("floats[0]", 415, "floats of 32 bits"),
        ("wide[0]", 415, "integers of 16 bits"),
        ("empty", 415, "'empty'"),
        ("nothing", 415, "0 × 4 × 4"),
        ("texts[0]", 415, "no PNG"),
        ("huge", 413, "32 MiB"),
        ("long[1]", 413, "32 MiB"),
        # Never followed to another file.
        ("elsewhere", 404, ""),
    ]:
        detail = problem(image(server, f"store.h5#{key}"), status)["detail"]
        assert words.replace("'", '"') in detail, (key, detail)
    server.assert_alive()


def test_files_that_are_none(server):
    for file in ("cut.h5", "no.h5", "void.h5"):
        assert file in problem(image(server, f"{file}#images/0000"), 415)["detail"]
    assert "beside table" in problem(image(server, "missing.h5#x"), 404)["detail"]
    for path in ("../secret.h5", "birds/../../secret.h5", "a\0.h5"):
        problem(image(server, f"{path}#picture"), 400, field="source")
    server.assert_alive()


def test_a_file_that_was_replaced_is_read_anew(server, lake):
    path = lake / "birds/changing.h5"
    for data in (FILES[0], FILES[2]):
        with h5py.File(lake / "birds/new", "w") as file:
            file["x"] = as_bytes(data)
        os.replace(lake / "birds/new", path)
        assert shown(image(server, "changing.h5#x")) == data


def test_damaged_files_break_nothing(server, lake):
    """Each answer is a picture or a refusal; which, is the damage's to say."""
    whole = (lake / "birds/store.h5").read_bytes()
    random = np.random.default_rng(11)
    keys = ["images/0003", "images/packed", "ragged[2]", "pixels[1]", "voids[0]"]
    for round_ in range(60):
        bytes_ = np.frombuffer(whole, np.uint8).copy()
        # Mostly where structure is: the first kilobytes.
        for _ in range(random.integers(1, 30)):
            end = 4096 if random.random() < 0.5 else len(bytes_)
            bytes_[random.integers(8, end)] = random.integers(0, 256)
        (lake / "birds/damaged.h5").write_bytes(bytes_.tobytes())
        answer = image(server, f"damaged.h5#{keys[round_ % len(keys)]}")
        assert answer.status_code in {200, 400, 404, 413, 415}, answer.text
    server.assert_alive()
