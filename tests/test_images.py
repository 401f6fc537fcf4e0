"""Pictures that cells name, at /api/image: files of the lake, and addresses of the web."""

import io
import struct
import threading
import time
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from limn_server import Limn, problem


def png(rgb, side=8):
    rows = b"".join(b"\0" + bytes(rgb) * side for _ in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def clear():
    """As wide, and more transparent to the right."""
    noise = np.random.default_rng(4).integers(0, 60, (200, 400, 4), dtype=np.uint8)
    noise[..., 3] = np.linspace(255, 0, 400).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    return out.getvalue()


def wide():
    """400 × 200, and not small as a file: a slope with noise."""
    slope = np.linspace(0, 200, 400)[None, :, None] + np.linspace(0, 30, 3)[None, None, :] + np.zeros((200, 1, 1))
    noise = np.random.default_rng(1).integers(0, 20, slope.shape)
    out = io.BytesIO()
    Image.fromarray((slope + noise).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


WIDE, CLEAR = wide(), clear()
CLAIMS = WIDE[:16] + struct.pack(">II", 30_000, 30_000) + WIDE[24:]
RED, GREEN, BLUE = (png(rgb) for rgb in [(255, 0, 0), (0, 255, 0), (0, 0, 255)])


class Web(BaseHTTPRequestHandler):
    """A host of pictures, good and bad."""

    def do_GET(self):  # noqa: N802
        host = self.headers["Host"]
        port = host.rsplit(":", 1)[1]
        self.server.asked.append(self.path)
        kind, body, status, extra = "image/png", RED, 200, {}
        match self.path:
            case "/red":
                kind = "application/octet-stream"
            case "/page.png":
                body = b"<html>"
            case "/drawing.svg":
                kind, body = "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"
            case "/gone.png":
                status, body = 410, b""
            case "/on":
                status, body, extra = 302, b"", {"Location": "/red"}
            case "/away":
                status, body, extra = 302, b"", {"Location": f"http://localhost:{port}/red"}
            case "/round":
                status, body, extra = 302, b"", {"Location": "/round"}
            case "/late":
                time.sleep(7)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in extra.items():
            self.send_header(name, value)
        if self.path == "/endless":
            self.end_headers()
            try:
                for _ in range(200):
                    self.wfile.write(bytes(1 << 20))
                    self.server.sent += 1
            except OSError:
                pass
            return
        size = 1 << 40 if self.path == "/huge" else len(body)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


@contextmanager
def host():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.asked, server.sent = [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()


@pytest.fixture(scope="module")
def web():
    with host() as server:
        yield server


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    lake = root / "lake"
    (lake / "birds/pics").mkdir(parents=True)
    (lake / "birds/of.csv").write_text("name,file\nash,pics/red.png\n")
    (lake / "birds/pics/red.png").write_bytes(RED)
    (lake / "birds/pics/Grün 1.PNG").write_bytes(GREEN)
    (lake / "blue.png").write_bytes(BLUE)
    (lake / "wide.png").write_bytes(WIDE)
    (lake / "clear.png").write_bytes(CLEAR)
    (lake / "claims.png").write_bytes(CLAIMS)
    (lake / "page.png").write_text("<html>")
    (lake / "large.png").write_bytes(GREEN + bytes(33 << 20))
    (root / "secret.png").write_bytes(RED)
    (lake / "link.png").symlink_to(root / "secret.png")
    return lake


@pytest.fixture(scope="module")
def server(lake):
    with Limn(lake, arguments=["--image-host", "127.0.0.1"]) as limn:
        yield limn


def image(server, source, **parameters):
    return server.get("/api/image", params={"source": source, "table": "birds/of", **parameters})


def shown(response, bytes_):
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "max-age=300" in response.headers["Cache-Control"]
    assert response.content == bytes_


def test_pictures_of_the_lake_by_their_paths(server):
    shown(image(server, "pics/red.png"), RED)
    shown(image(server, "./pics/Grün 1.PNG"), GREEN)
    # What is not beside the table may count from the lake's root.
    shown(image(server, "blue.png"), BLUE)
    shown(image(server, "/birds/pics/red.png"), RED)


def test_large_pictures_are_made_smaller(server):
    """As Pillow makes them, but for what JPEG loses; what is small, or is no picture here, stays."""
    found = image(server, "wide.png", side=100)
    assert (found.status_code, found.headers["Content-Type"]) == (200, "image/jpeg")
    assert found.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    small, whole = Image.open(io.BytesIO(found.content)), Image.open(io.BytesIO(WIDE))
    assert small.size == (100, 50)
    theirs = whole.resize((100, 50), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(small, float) - np.asarray(theirs, float)).mean() < 4
    shown(image(server, "wide.png"), WIDE)
    # What is transparent lets white paper through.
    small = Image.open(io.BytesIO(image(server, "clear.png", side=100).content))
    whole = Image.open(io.BytesIO(CLEAR))
    theirs = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB").resize((100, 50))
    assert np.abs(np.asarray(small, float) - np.asarray(theirs, float)).mean() < 6
    shown(image(server, "blue.png", side=100), BLUE)
    # A claim of more pixels than are decoded here.
    shown(image(server, "claims.png", side=100), CLAIMS)
    for side, field in ((0, "side"), (15, "side"), (1025, "side"), (-1, None), ("a", None)):
        problem(image(server, "wide.png", side=side), 400, field=field)


def test_no_path_leads_elsewhere(server):
    assert "beside table" in problem(image(server, "pics/none.png"), 404)["detail"]
    for path in ["../secret.png", "pics/../../secret.png", "of.csv", "", "a\0.png", "pics", "javascript:a"]:
        assert problem(image(server, path), 400, field="source")["type"].endswith("image-source"), path
    # A link out of the lake is as good as no file, or refused; never followed.
    assert image(server, "link.png").status_code >= 400
    problem(image(server, "page.png"), 415)
    problem(image(server, "large.png"), 413)
    problem(image(server, "pics/red.png", table="none"), 404, field="table")
    problem(server.get("/api/image"), 400, field="source")


def test_pictures_of_hosts_that_were_named(server, web):
    at = f"http://127.0.0.1:{web.server_port}"
    # Told by what it is, whatever its host calls it.
    shown(image(server, f"{at}/red"), RED)
    shown(image(server, f"{at}/on"), RED)
    for path, status in [("page.png", 415), ("drawing.svg", 415), ("gone.png", 502), ("round", 502), ("huge", 413)]:
        problem(image(server, f"{at}/{path}"), status)
    assert "410" in image(server, f"{at}/gone.png").json()["detail"]
    problem(image(server, "http://127.0.0.1:1/x.png"), 502)


def test_what_has_no_end_is_given_up(server, web):
    at = f"http://127.0.0.1:{web.server_port}"
    problem(image(server, f"{at}/endless"), 413)
    assert web.sent < 100
    began = time.monotonic()
    assert "5 s" in problem(image(server, f"{at}/late"), 504)["detail"]
    assert time.monotonic() - began < 6.5
    server.assert_alive()


def test_no_other_host_is_asked(server, web, lake):
    port = web.server_port
    before = len(web.asked)
    refused = problem(image(server, f"http://localhost:{port}/red"), 403)
    assert "--image-host localhost" in refused["detail"]
    for address in [f"http://127.0.0.1@localhost:{port}/red", "http://169.254.169.254/latest", "http://[::1]/x"]:
        problem(image(server, address), 403)
    assert len(web.asked) == before
    # Nor is one that an allowed one leads to.
    problem(image(server, f"http://127.0.0.1:{port}/away"), 403)
    assert web.asked[before:] == ["/away"]
    with Limn(lake) as closed:
        problem(image(closed, f"http://127.0.0.1:{port}/red"), 403)
    # All public hosts: this machine is none, by whatever name.
    with Limn(lake, arguments=["--image-host", "*"]) as public:
        for name in ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"]:
            problem(image(public, f"http://{name}:{port}/red"), 403)
    assert web.asked[before:] == ["/away"]
