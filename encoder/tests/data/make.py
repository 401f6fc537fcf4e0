"""Makes the models, pictures and numbers beside it: small graphs by the onnx package, and what
onnxruntime, Pillow and tokenizers compute from the same files. Seen with onnx 1.23.2,
onnxruntime 1.32.0, Pillow 13.0.0, tokenizers 0.23.3 and numpy 2.4.6."""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
import tokenizers
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(614)
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
TEXTS = ["a red fox", "the quick red fox jumps over a lazy dog", "", "unheard words", "fox " * 40]


def save(name, nodes, inputs, outputs, constants, opset=17):
    tensors = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    return folder


def weights(*shape):
    return (RANDOM.standard_normal(shape) / np.sqrt(shape[-2])).astype(np.float32)


def image_model(name, batch, layout, second=False):
    """Convolution, mean over all places, and a matrix."""
    shape = [batch, 3, 16, 16] if layout == "nchw" else [batch, 16, 16, 3]
    nodes = [] if layout == "nchw" else [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])]
    nodes += [
        helper.make_node("Conv", ["x" if layout == "nchw" else "t", "k", "b"], ["c"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"], axis=1),
        helper.make_node("MatMul", ["f", "w"], ["image_embeds"]),
    ]
    outputs = [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, [batch, 7])]
    if second:
        outputs.insert(0, helper.make_tensor_value_info("f", TensorProto.FLOAT, [batch, 5]))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    global RANDOM
    RANDOM = np.random.default_rng(614)
    constants = {"k": RANDOM.standard_normal((5, 3, 3, 3)).astype(np.float32), "b": weights(1, 5)[0], "w": weights(5, 7)}
    return save(name, nodes, inputs, outputs, constants)


def text_model(name, vocabulary, batch, length, kind=TensorProto.INT64, width=8, heads=2):
    """One block of a transformer, as exporters write it: shapes are computed in the graph."""
    global RANDOM
    RANDOM = np.random.default_rng(615)
    node = helper.make_node
    each = width // heads
    nodes = [
        node("Gather", ["words", "input_ids"], ["e0"]),
        node("Gather", ["kinds", "token_type_ids"], ["e1"]),
        node("Add", ["e0", "e1"], ["e"]),
        node("Shape", ["input_ids"], ["shape"]),
        node("Gather", ["shape", "zero"], ["batch"], axis=0),
        node("Gather", ["shape", "one"], ["length"], axis=0),
        node("Unsqueeze", ["batch", "axis0"], ["batch1"]),
        node("Unsqueeze", ["length", "axis0"], ["length1"]),
        node("Concat", ["batch1", "length1", "heads", "each"], ["split"], axis=0),
        node("Concat", ["batch1", "length1", "width"], ["join"], axis=0),
    ]
    for part in "qkv":
        nodes += [
            node("MatMul", ["e", f"w{part}"], [f"{part}0"]),
            node("Reshape", [f"{part}0", "split"], [f"{part}1"]),
            node("Transpose", [f"{part}1"], [part], perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]),
        ]
    nodes += [
        node("MatMul", ["q", "k"], ["s0"]),
        node("Div", ["s0", "root"], ["s1"]),
        node("Unsqueeze", ["attention_mask", "axis12"], ["m0"]),
        node("Cast", ["m0"], ["m1"], to=TensorProto.FLOAT),
        node("Sub", ["unit", "m1"], ["m2"]),
        node("Mul", ["m2", "low"], ["m3"]),
        node("Add", ["s1", "m3"], ["s2"]),
        node("Softmax", ["s2"], ["p"], axis=-1),
        node("MatMul", ["p", "v"], ["a0"]),
        node("Transpose", ["a0"], ["a1"], perm=[0, 2, 1, 3]),
        node("Reshape", ["a1", "join"], ["a2"]),
        node("Add", ["a2", "e"], ["a3"]),
        node("LayerNormalization", ["a3", "gain", "bias"], ["n"], axis=-1, epsilon=1e-5),
        node("MatMul", ["n", "up"], ["h0"]),
        node("Div", ["h0", "root2"], ["h1"]),
        node("Erf", ["h1"], ["h2"]),
        node("Add", ["h2", "unit"], ["h3"]),
        node("Mul", ["h0", "h3"], ["h4"]),
        node("Mul", ["h4", "half"], ["last_hidden_state"]),
    ]
    whole, real = np.int64, np.float32
    constants = {
        "words": weights(vocabulary, width) * 3, "kinds": weights(2, width),
        "wq": weights(width, width), "wk": weights(width, width), "wv": weights(width, width),
        "up": weights(width, width), "gain": weights(1, width)[0] + 1, "bias": weights(1, width)[0],
        "zero": whole(0), "one": whole(1), "axis0": np.array([0]), "axis12": np.array([1, 2]),
        "heads": np.array([heads]), "each": np.array([each]), "width": np.array([width]),
        "root": real(np.sqrt(each)), "root2": real(np.sqrt(2)), "unit": real(1), "half": real(0.5),
        "low": real(-10000),
    }
    names = ["input_ids", "attention_mask", "token_type_ids"]
    inputs = [helper.make_tensor_value_info(name, kind, [batch, length]) for name in names]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [batch, length, width])]
    return save(name, nodes, inputs, outputs, constants)


def tokenizer(folder):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"a the quick red fox jump over lazy dog word ##s un ##heard".split()]
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_truncation(16)
    made.enable_padding()
    made.save(str(folder / "tokenizer.json"))
    return made, len(words)


def unit(vector):
    return (vector / np.linalg.norm(vector)).tolist()


def prepared(picture, side=16):
    """As Hugging Face's CLIP prepares a picture: its shorter side, the middle, then numbers."""
    picture = picture.convert("RGB")
    short, long = min(picture.size), max(picture.size)
    other = side * long // short
    size = (side, other) if picture.width < picture.height else (other, side)
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    values = np.asarray(picture.crop((left, top, left + side, top + side)), np.float32) / 255
    return ((values - np.float32(CLIP[0])) / np.float32(CLIP[1])).transpose(2, 0, 1)[None].astype(np.float32)


def main():
    expected = {}
    noise = RANDOM.integers(0, 256, (23, 37, 3), np.uint8)
    slope = np.linspace(0, 120, 37)[None, :, None] + np.linspace(0, 60, 23)[:, None, None]
    pixels = (slope + noise / 4).astype(np.uint8)
    picture = Image.fromarray(pixels)
    picture.save(HERE / "picture.png")
    picture.transpose(Image.Transpose.ROTATE_90).save(HERE / "tall.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    smooth = picture.resize((148, 92), Image.Resampling.BICUBIC)
    smooth.save(HERE / "turned.jpg", quality=97, subsampling=0, exif=exif)

    filters = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3}
    sizes = [(20, 31), (9, 7), (37, 10)]
    expected["resized"] = [
        {"filter": name, "width": w, "height": h, "values": list(picture.resize((w, h), code).tobytes())}
        for name, code in filters.items() for w, h in sizes
    ]
    open_batch = image_model("image", "batch", "nchw", second=True)
    session = onnxruntime.InferenceSession(open_batch / "model.onnx")
    names = ["picture.png", "tall.png", "turned.jpg"]
    pictures = {name: ImageOps.exif_transpose(Image.open(HERE / name)) for name in names}
    expected["images"] = {
        name: unit(session.run(["image_embeds"], {"x": prepared(p)})[0][0]) for name, p in pictures.items()
    }
    expected["first_output"] = session.run(["f"], {"x": prepared(picture)})[0][0].tolist()
    image_model("image-nhwc", "batch", "nhwc")
    image_model("image-batch-4", 4, "nchw")
    folder = HERE / "text"
    folder.mkdir(exist_ok=True)
    words, vocabulary = tokenizer(folder)
    text_model("text", vocabulary, "batch", "length")
    text_model("text-2-by-20", vocabulary, 2, 20, TensorProto.INT32)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    encodings = words.encode_batch(TEXTS)
    arrays = [np.array([getattr(e, name) for e in encodings]) for name in ("ids", "attention_mask", "type_ids")]
    hidden = session.run(None, dict(zip(["input_ids", "attention_mask", "token_type_ids"], arrays)))[0]
    mask = arrays[1][:, :, None].astype(np.float32)
    means = (hidden * mask).sum(1) / mask.sum(1)
    expected["texts"] = [{"text": text, "vector": unit(mean)} for text, mean in zip(TEXTS, means)]
    image_model("too-many", 1 << 40, "nchw")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 8, 8])
    save("unknown", [helper.make_node("Frobnicate", ["x"], ["y"])], [x], [y], {})
    save("no-vector", [helper.make_node("Relu", ["x"], ["y"])], [x], [y], {})
    save("future", [helper.make_node("Relu", ["x"], ["y"])], [x], [y], {}, opset=99)
    flat = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 10])
    save("no-image", [helper.make_node("Relu", ["x"], ["y"])], [flat], [flat.__class__.FromString(y.SerializeToString())], {})
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")


main()
