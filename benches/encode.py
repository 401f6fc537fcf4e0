"""Vectors of pictures by `limn embed` beside onnxruntime, which Pillow prepares pictures for.

The model has the shape of CLIP's ViT-B/32 and random weights: what it says of a picture means
nothing, and takes as long. Both begin with the same JPEG files and the model's file. Results are
held equal before any time is looked at.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import deltalake
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import rows

RUNS = 3
PICTURES = 192
BATCH = 32
SIDE, PATCH, WIDTH, LAYERS, HEADS, OUT = 224, 32, 768, 12, 12, 512
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


class Graph:
    """Nodes and weights as they are added."""

    def __init__(self):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(614)

    def weight(self, name, value):
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def linear(self, x, name, rows, columns):
        weight = self.weight(f"{name}_w", (self.random.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32))
        bias = self.weight(f"{name}_b", np.zeros(columns, np.float32))
        return self.node("Add", [self.node("MatMul", [x, weight], f"{name}_m"), bias], name)

    def norm(self, x, name):
        gain, bias = self.weight(f"{name}_g", np.ones(WIDTH, np.float32)), self.weight(f"{name}_b", np.zeros(WIDTH, np.float32))
        return self.node("LayerNormalization", [x, gain, bias], name, axis=-1, epsilon=1e-5)


def vit(path):
    g, tokens, each = Graph(), (SIDE // PATCH) ** 2, WIDTH // HEADS
    patches = g.weight("patches", (g.random.standard_normal((WIDTH, 3, PATCH, PATCH)) / 55).astype(np.float32))
    x = g.node("Conv", ["pixel_values", patches], "cut", kernel_shape=[PATCH] * 2, strides=[PATCH] * 2)
    x = g.node("Reshape", [x, g.weight("flat", np.array([0, WIDTH, tokens]))], "rows")
    x = g.node("Transpose", [x], "tokens", perm=[0, 2, 1])
    x = g.node("Add", [x, g.weight("places", (g.random.standard_normal((tokens, WIDTH)) * 0.02).astype(np.float32))], "placed")
    split, join = g.weight("split", np.array([0, tokens, HEADS, each])), g.weight("join", np.array([0, tokens, WIDTH]))
    root, half, one = g.weight("root", np.float32(np.sqrt(each))), g.weight("half", np.float32(0.5)), g.weight("one", np.float32(1))
    root2 = g.weight("root2", np.float32(np.sqrt(2)))
    for layer in range(LAYERS):
        name = f"l{layer}"
        n = g.norm(x, f"{name}_n1")
        parts = {}
        for part in "qkv":
            p = g.node("Reshape", [g.linear(n, f"{name}_{part}", WIDTH, WIDTH), split], f"{name}_{part}s")
            parts[part] = g.node("Transpose", [p], f"{name}_{part}t", perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3])
        scores = g.node("Div", [g.node("MatMul", [parts["q"], parts["k"]], f"{name}_s"), root], f"{name}_d")
        mixed = g.node("MatMul", [g.node("Softmax", [scores], f"{name}_p", axis=-1), parts["v"]], f"{name}_a")
        mixed = g.node("Reshape", [g.node("Transpose", [mixed], f"{name}_at", perm=[0, 2, 1, 3]), join], f"{name}_j")
        x = g.node("Add", [x, g.linear(mixed, f"{name}_o", WIDTH, WIDTH)], f"{name}_x1")
        h = g.linear(g.norm(x, f"{name}_n2"), f"{name}_up", WIDTH, 4 * WIDTH)
        erf = g.node("Erf", [g.node("Div", [h, root2], f"{name}_e0")], f"{name}_e1")
        h = g.node("Mul", [g.node("Mul", [h, g.node("Add", [erf, one], f"{name}_e2")], f"{name}_e3"), half], f"{name}_e4")
        x = g.node("Add", [x, g.linear(h, f"{name}_down", 4 * WIDTH, WIDTH)], f"{name}_x2")
    x = g.node("ReduceMean", [g.norm(x, "last")], "mean", axes=[1], keepdims=0)
    weight = g.weight("head", (g.random.standard_normal((WIDTH, OUT)) / np.sqrt(WIDTH)).astype(np.float32))
    g.node("MatMul", [x, weight], "image_embeds")
    inputs = [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["batch", OUT])]
    graph = helper.make_graph(g.nodes, "vit", inputs, outputs, g.weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def prepared(path):
    picture = Image.open(path).convert("RGB")
    scale = SIDE / min(picture.size)
    size = [SIDE if side == min(picture.size) else int(side * scale) for side in picture.size]
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    values = np.asarray(picture.crop((left, top, left + SIDE, top + SIDE)), np.float32) / 255
    return ((values - MEAN) / DEVIATION).transpose(2, 0, 1)


def theirs(model, paths, threads):
    """Batches, with pictures of the next prepared while one is computed."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options)
    batches = [paths[at : at + BATCH] for at in range(0, len(paths), BATCH)]
    with ThreadPoolExecutor(threads) as pool:
        loaded = [pool.map(prepared, batch) for batch in batches]
        found = [session.run(None, {"pixel_values": np.stack(list(batch)).astype(np.float32)})[0] for batch in loaded]
    found = np.concatenate(found)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def main(binary):
    threads = os.cpu_count()
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder)
        (lake / "photos").mkdir()
        for at in range(PICTURES):
            noise = random.integers(0, 255, (24, 32, 3), np.uint8)
            picture = Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC)
            picture.save(lake / "photos" / f"{at:04}.jpg", quality=90)
        vit(lake / "model.onnx")
        paths = sorted((lake / "photos").iterdir())
        command = [binary, "embed", lake / "photos", "--model", lake / "model.onnx", "--into", "out", "--overwrite", "--thumbnails", "0"]
        command += ["--lake", lake, "--threads", str(threads)]
        spent = {"limn": [], "onnxruntime": []}
        for _ in range(RUNS):
            began = time.perf_counter()
            subprocess.run([*map(str, command)], check=True, capture_output=True)
            spent["limn"].append(time.perf_counter() - began)
            began = time.perf_counter()
            wanted = theirs(lake / "model.onnx", paths, threads)
            spent["onnxruntime"].append(time.perf_counter() - began)
        ours = np.array(deltalake.DeltaTable(lake / "out").to_pyarrow_table()["emb"].to_pylist())
        # JPEG is decoded a little differently.
        likeness = (ours * wanted).sum(axis=1)
        assert likeness.min() > 0.999, likeness.min()
    seconds = {name: statistics.median(runs) for name, runs in spent.items()}
    ours, peer = seconds["limn"] * 1000, seconds["onnxruntime"] * 1000
    metric = "the command as a whole, and theirs with Pillow"
    workload = "ViT-B/32 of JPEG, 640 x 480"
    rows.merge([rows.row("encode", workload, PICTURES, metric, "ms", ours, "onnxruntime", onnxruntime.__version__, peer)])


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
